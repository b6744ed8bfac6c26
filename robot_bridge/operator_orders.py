"""Which of an operator's acts counts: a stop beats every arm that was asked for before it.

Pure bookkeeping, for threads: an arm is asked for at a moment (`ArmRequest`), whenever its call begins; a stop is
unconfirmed from the moment it is asked for until the bridge has answered it.
"""

import threading
from collections.abc import Callable


class ArmRequest:
    """An arm that was asked for at a moment. Any later stop beats it, for good."""

    def __init__(self, is_beaten: Callable[[], bool]) -> None:
        self._is_beaten = is_beaten

    @property
    def beaten(self) -> bool:
        """Whether a stop was asked for since."""
        return self._is_beaten()


class OperatorOrders:
    """Counts stops that were asked for and confirmed.

    Attributes
    ----------
    changed : threading.Condition
        Notified at every stop and confirmation; whoever waits for an answer may wait on it, too.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self._beaten_by = 0
        self._asked = 0
        self._confirmed = 0

    def ask_to_arm(self) -> ArmRequest:
        """Return the request of an arm that is asked for now."""
        with self.changed:
            seen = self._beaten_by
        return ArmRequest(lambda: self._beaten_by > seen)

    def beat_arms(self) -> None:
        """Beat every arm that was asked for until now."""
        with self.changed:
            self._beaten_by += 1
            self.changed.notify_all()

    def ask_to_stop(self) -> int:
        """Beat every arm that was asked for until now, and return the number of this stop."""
        with self.changed:
            self._beaten_by += 1
            self._asked += 1
            self.changed.notify_all()
            return self._asked

    @property
    def asked(self) -> int:
        """Number of the newest stop."""
        return self._asked

    def confirm(self, number: int) -> None:
        """Note that the bridge has answered a stop, and with it every earlier one."""
        with self.changed:
            self._confirmed = max(self._confirmed, number)
            self.changed.notify_all()

    @property
    def unconfirmed(self) -> bool:
        """Whether a stop was asked for that the bridge has not confirmed."""
        return self._confirmed < self._asked

    def is_confirmed(self, number: int) -> bool:
        """Whether this stop, or a later one, has been confirmed."""
        return self._confirmed >= number
