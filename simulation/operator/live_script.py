"""A script of gestures performed on a running, armed bridge, in real time."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from emg_acquisition.errors import StreamLostError
from robot_bridge.operator_link import OperatorLink
from simulation.operator.gesture_operator import GESTURE_HZ, RobotView

LIVE = ("armed", "moving")
# A machine that is busy with other things may stop the bridge now and then.
MAX_STOPS, ARM_TIMEOUT_S = 5, 30.0
STATE_TIMEOUT_S = 2.0


def view_of(link: OperatorLink) -> RobotView:
    """Return what an operator sees by a link; raises StreamLostError where it has seen nothing yet."""
    now = link.snapshot()
    if now.positions is None or now.fine is None:
        msg = "robot or bridge say nothing: are `hdemg sim-robot` and `hdemg bridge` running?"
        raise StreamLostError(msg)
    return RobotView(now.positions, now.mode, now.fine)


def perform(
    script: Iterator[str],
    make: Callable[[str], None],
    link: OperatorLink,
    *,
    rest: str,
    stop: threading.Event | None = None,
) -> int:
    """Perform a script whose gestures are 20 ms each; returns after how many stops the robot was armed again.

    Parameters
    ----------
    script : iterator of str
        The gestures.
    make : callable
        Called with the gesture to make, every 20 ms.
    link : OperatorLink
        Of an armed bridge.
    rest : str
        The gesture at which the bridge can be armed.
    stop : threading.Event, optional
        Ends the script before its time.

    Raises
    ------
    StreamLostError
        If the bridge stops more than `MAX_STOPS` times, or `stop` is set.
    CommandRejectedError
        If it cannot be armed again.
    """

    def ended() -> bool:
        return stop is not None and stop.is_set()

    stops, next_s = 0, time.monotonic()
    for gesture in script:
        now = link.snapshot()
        if now.safety_state not in LIVE and not ended():
            stops += 1
            if stops > MAX_STOPS:
                msg = f"the bridge stopped {stops} times: {now.safety_state}, {now.reason}"
                raise StreamLostError(msg)
            # Somebody stands by who arms the robot again, with the operator at rest.
            make(rest)
            link.arm_within(ARM_TIMEOUT_S, stop)
            # The bridge answers before it tells its state: one stop is not to be counted twice.
            with suppress(TimeoutError):
                link.wait_for(lambda later: ended() or later.safety_state in LIVE, STATE_TIMEOUT_S)
            next_s = time.monotonic()
        # After arming, too: a person who stops the script while it waits for that has the last word.
        if ended():
            raise StreamLostError("the script was ended before its time")
        make(gesture)
        next_s += 1 / GESTURE_HZ
        time.sleep(max(0.0, next_s - time.monotonic()))
    return stops
