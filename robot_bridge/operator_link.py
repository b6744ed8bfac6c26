"""The operator's end: arm, stop, choose the speed, send heartbeats, and see what the robot does.

A stop beats every arm that was asked for before it, and ends the heartbeat until the bridge has confirmed it.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from robot_bridge.bridge_figures import STATUS_NAME
from robot_bridge.errors import CommandRejectedError
from robot_bridge.operator_orders import ArmRequest, OperatorOrders
from robot_bridge.ros_context import QOS, RosNode
from robot_bridge.ros_imports import (
    BatteryState,
    Bool,
    DiagnosticArray,
    Empty,
    JointState,
    Odometry,
    SetBool,
    String,
    Trigger,
)
from robot_bridge.stretch_interface import (
    BRIDGE_NODE,
    JOINT_DOF,
    JOINT_OF_DOF,
    JOINT_STATES,
    read_joint_states,
)

_HEARTBEAT_S = 0.1
_RETRY_S = 0.1
_LOOK_S = 0.05
# A bridge that was started again has not heard the stop that its predecessor was asked for.
_STOP_AGAIN_S = 1.0
# The bridge reports five times a second. Who has not heard it for so long does not know what the robot does.
_DEAF_S = 1.0
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SleeveSnapshot:
    """What the bridge hears from one sleeve, and in which mode and speed its gestures are; empty until it is known."""

    gesture: str = ""
    mode: str = ""
    fine: bool | None = None


@dataclass(frozen=True)
class RobotSnapshot:
    """What is known of robot and bridge at a moment.

    ``sleeves`` go by the names that the gesture map gives them; an only one has the empty name.
    ``positions`` and ``velocities`` have 8 values in the order of `DOF_NAMES`, in m, rad, m/s and rad/s, or
    are None until both odom and joint_states have come; the base's are travel along its own x and unwrapped
    heading, integrated since this link began. Texts are empty and figures NaN or 0 until they are known.
    """

    positions: tuple[float, ...] | None = None
    velocities: tuple[float, ...] | None = None
    sleeves: Mapping[str, SleeveSnapshot] = field(default_factory=dict)
    safety_state: str = ""
    reason: str = ""
    latency_ms_median: float = math.nan
    latency_ms_p99: float = math.nan
    timer_jitter_ms_p99: float = math.nan
    decisions: int = 0
    stops: int = 0
    driver_mode: str = ""
    runstopped: bool | None = None
    battery_v: float = math.nan

    def sleeve(self, name: str) -> SleeveSnapshot:
        """Return what is known of one sleeve."""
        return self.sleeves.get(name, SleeveSnapshot())

    @property
    def gesture(self) -> str:
        """Gesture of the only sleeve."""
        return self.sleeve("").gesture

    @property
    def mode(self) -> str:
        """Mode of the only sleeve."""
        return self.sleeve("").mode

    @property
    def fine(self) -> bool | None:
        """Whether the only sleeve moves at the fine speeds."""
        return self.sleeve("").fine


class OperatorLink:
    """A client of the bridge and an observer of the robot; close it, or use it in a ``with``.

    Parameters
    ----------
    namespace : str
        ROS namespace of the robot and the bridge.
    node_name : str
        Name of this link's own node.
    sleeves : sequence of str
        The sleeves of the bridge's gesture map, in its order; an only one has the empty name.
    """

    def __init__(
        self, namespace: str = "", node_name: str = "hdemg_operator", *, sleeves: Sequence[str] = ("",)
    ) -> None:
        self._sleeves = tuple(sleeves)
        self._changed = threading.Condition()
        self._snapshot = RobotSnapshot()
        self._joints: tuple[tuple[float, ...], tuple[float, ...]] | None = None
        self._odometer = _Odometer()
        self._heart: threading.Thread | None = None
        self._heart_ends = threading.Event()
        self._is_alive: Callable[[], bool] = lambda: True
        self._orders = OperatorOrders()
        self._closing = threading.Event()
        self._heard_s = math.inf
        self._ros = RosNode(node_name, namespace)
        node = self._ros.node
        self._arm = node.create_client(SetBool, f"{BRIDGE_NODE}/arm")
        self._stop = node.create_client(Trigger, f"{BRIDGE_NODE}/stop")
        self._speed = node.create_client(SetBool, f"{BRIDGE_NODE}/set_speed")
        self._heartbeat = node.create_publisher(Empty, f"{BRIDGE_NODE}/heartbeat", QOS)
        node.create_subscription(JointState, JOINT_STATES, self._on_joint_states, QOS)
        node.create_subscription(Odometry, "odom", self._on_odometry, QOS)
        node.create_subscription(String, "emg/mode", self._on_mode, QOS)
        node.create_subscription(String, "emg/gesture", self._on_gesture, QOS)
        node.create_subscription(String, "mode", lambda m: self._note(driver_mode=m.data), QOS)
        node.create_subscription(Bool, "is_runstopped", lambda m: self._note(runstopped=m.data), QOS)
        node.create_subscription(BatteryState, "battery", lambda m: self._note(battery_v=m.voltage), QOS)
        node.create_subscription(DiagnosticArray, "diagnostics", self._on_diagnostics, QOS)
        self._ros.start()
        self._stopper = threading.Thread(target=self._send_stops, name="stopper", daemon=True)
        self._stopper.start()

    # ---- acts

    def ask_to_arm(self) -> ArmRequest:
        """Ask for an arm at this moment, to be given to `arm` or `arm_within` later: a stop in between beats it."""
        return self._orders.ask_to_arm()

    def arm(self, timeout_s: float = 5.0, request: ArmRequest | None = None) -> None:
        """Arm the bridge.

        Parameters
        ----------
        timeout_s : float
            How long to wait for its answer.
        request : ArmRequest, optional
            From `ask_to_arm`; without, it is asked for now.

        Raises
        ------
        CommandRejectedError
            With the bridge's reason, or that it did not answer in time; ``stopped`` if a stop was asked for meanwhile.
            An answer that comes too late, or after a stop, and says that the robot is armed leads to another stop.
        """
        request = request or self.ask_to_arm()
        if request.beaten:
            raise CommandRejectedError("stopped")
        if self._orders.unconfirmed:
            raise CommandRejectedError("the stop before it is not confirmed yet; is the bridge running?")
        self._call(self._arm, SetBool.Request(data=True), timeout_s, request)

    def arm_within(
        self, timeout_s: float, stop: threading.Event | None = None, request: ArmRequest | None = None
    ) -> None:
        """Arm as soon as the bridge accepts it; raises its last refusal as `arm` does.

        A stop that is asked for meanwhile ends it. Once `stop` is set, too, it arms no more, and what was armed in that
        very moment is stopped again.
        """
        request = request or self.ask_to_arm()
        deadline_s = time.monotonic() + timeout_s
        refusal: CommandRejectedError | None = None
        while (left_s := deadline_s - time.monotonic()) > 0 or refusal is None:
            if stop is not None and stop.is_set():
                raise CommandRejectedError("stopped before it was armed")
            try:
                self.arm(max(_RETRY_S, left_s), request)
            except CommandRejectedError as error:
                if request.beaten:
                    raise
                # A last try that had no time left says less than what the bridge said before.
                refusal = error if refusal is None or left_s > _RETRY_S else refusal
            else:
                if stop is not None and stop.is_set():
                    self.stop()
                return
            self._wait(lambda: request.beaten, _RETRY_S)
        raise refusal

    def disarm(self, timeout_s: float = 5.0) -> None:
        """Disarm the bridge, and beat every earlier arm; raises as `arm` does."""
        self._orders.beat_arms()
        self._call(self._arm, SetBool.Request(data=False), timeout_s)

    def begin_stop(self) -> int:
        """Stop, without waiting for anything; returns the number of this stop.

        From this moment every earlier arm is beaten and the heartbeat is silent. The bridge is asked to stop until it
        has confirmed it, however long that takes; then the heartbeat goes on.
        """
        return self._orders.ask_to_stop()

    def stop(self, timeout_s: float = 5.0, number: int | None = None) -> None:
        """Stop the robot and latch, and wait until the bridge has confirmed it.

        Parameters
        ----------
        timeout_s : float
            How long to wait for that.
        number : int, optional
            From `begin_stop`; without, it begins now.

        Raises
        ------
        CommandRejectedError
            If it was not confirmed in time. The heartbeat stays silent, which stops the robot as well.
        """
        number = self.begin_stop() if number is None else number
        if self._wait(lambda: self._orders.is_confirmed(number), timeout_s):
            return
        if not self._stop.service_is_ready():
            msg = f"the bridge's service {self._stop.srv_name} is not there; is the bridge running?"
            raise CommandRejectedError(msg)
        raise CommandRejectedError(self._no_answer(self._stop, timeout_s))

    def set_fine(self, fine: bool, timeout_s: float = 5.0) -> None:
        """Choose fine or coarse speed; raises as `arm` does."""
        self._call(self._speed, SetBool.Request(data=fine), timeout_s)

    def start_heartbeat(self, is_alive: Callable[[], bool] = lambda: True) -> None:
        """Send a heartbeat at 10 Hz from a thread of its own, as long as `is_alive` says so.

        A window says whether it still draws: one that hangs must not keep a robot armed. Nor must a link that no longer
        hears the bridge, or whose stop is not confirmed: there is no heartbeat then.
        """
        if self._heart is None:
            self._is_alive = is_alive
            self._heart_ends.clear()
            self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._heart.start()

    def stop_heartbeat(self) -> None:
        """Fall silent: a bridge that was armed with a heartbeat stops the robot."""
        if self._heart is not None:
            self._heart_ends.set()
            self._heart.join()
            self._heart = None

    # ---- what is seen

    def snapshot(self) -> RobotSnapshot:
        """Return what is known now."""
        with self._changed:
            return self._snapshot

    def wait_for(self, predicate: Callable[[RobotSnapshot], bool], timeout_s: float) -> RobotSnapshot:
        """Return the first snapshot that the predicate accepts.

        Raises
        ------
        TimeoutError
            If there was none in time; the message tells the last one.
        """
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while not predicate(self._snapshot):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0 or not self._changed.wait(left_s):
                    msg = f"not seen within {timeout_s:g} s; last seen {self._snapshot}"
                    raise TimeoutError(msg)
            return self._snapshot

    def close(self) -> None:
        """End the heartbeat and the node."""
        self.stop_heartbeat()
        self._closing.set()
        with self._orders.changed:
            self._orders.changed.notify_all()
        self._stopper.join()
        self._ros.close()

    def __enter__(self) -> "OperatorLink":  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # ---- behind it

    def _call(
        self,
        client: Any,  # noqa: ANN401 - a ROS client
        question: object,
        timeout_s: float,
        request: ArmRequest | None = None,
    ) -> None:
        """Call a service of the bridge; an arm's `request` may be beaten meanwhile."""

        def beaten() -> bool:
            return request is not None and request.beaten

        deadline_s = time.monotonic() + timeout_s
        while not client.service_is_ready():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                msg = f"the bridge's service {client.srv_name} is not there; is the bridge running?"
                raise CommandRejectedError(msg)
            if self._wait(beaten, min(_LOOK_S, left_s)):
                raise CommandRejectedError("stopped")
        call = _Call(self._orders)
        future = client.call_async(question)
        future.add_done_callback(lambda done: self._on_answer(done, call, request))
        answered = call.wait(beaten, max(0.0, deadline_s - time.monotonic()))
        if beaten():
            raise CommandRejectedError("stopped")
        if not answered:
            if request is None:
                client.remove_pending_request(future)
            raise CommandRejectedError(self._no_answer(client, timeout_s))
        response = future.result()
        if not response.success:
            raise CommandRejectedError(response.message)

    @staticmethod
    def _no_answer(client: Any, timeout_s: float) -> str:  # noqa: ANN401 - a ROS client
        return f"the bridge did not answer {client.srv_name} within {timeout_s:g} s"

    def _on_answer(self, done: Any, call: "_Call", request: ArmRequest | None) -> None:  # noqa: ANN401 - a ROS future
        """Pass an answer on; and stop what nobody wants armed any more."""
        too_late = call.answer()
        if request is None or not (too_late or request.beaten):
            return
        if done.exception() is None and done.result().success:
            _LOG.warning("the bridge was armed after a stop, or too late: it is stopped")
            self.begin_stop()

    def _send_stops(self) -> None:
        """Ask the bridge to stop as long as there is a stop that it has not confirmed."""
        while not self._closing.is_set():
            if not self._wait(lambda: self._orders.unconfirmed or self._closing.is_set(), None):
                continue
            if self._closing.is_set():
                return
            number = self._orders.asked
            if self._send_stop(number):
                self._wait(
                    lambda: (
                        self._orders.is_confirmed(number)  # noqa: B023 - waited for within the loop
                        or self._orders.asked > number  # noqa: B023
                        or self._closing.is_set()
                    ),
                    _STOP_AGAIN_S,
                )
            else:
                self._closing.wait(_LOOK_S)

    def _send_stop(self, number: int) -> bool:
        if not self._stop.service_is_ready():
            return False
        future: Any = self._stop.call_async(Trigger.Request())

        def on_answer(done: Any) -> None:  # noqa: ANN401 - a ROS future
            if done.exception() is None and done.result().success:
                self._orders.confirm(number)

        future.add_done_callback(on_answer)
        return True

    def _wait(self, condition: Callable[[], bool], timeout_s: float | None) -> bool:
        with self._orders.changed:
            return self._orders.changed.wait_for(condition, timeout_s)

    def _beat(self) -> None:
        while not self._heart_ends.is_set():
            if not self._orders.unconfirmed and self._hears_the_bridge() and self._is_alive():
                self._heartbeat.publish(Empty())
            self._heart_ends.wait(_HEARTBEAT_S)

    def _hears_the_bridge(self) -> bool:
        """Whether what is known of the robot is of now, as far as anything was ever known."""
        return not self._ros.failed.is_set() and time.monotonic() - self._heard_s <= _DEAF_S

    def _note(self, **changes: Any) -> None:  # noqa: ANN401 - the snapshot's own fields
        with self._changed:
            self._snapshot = replace(self._snapshot, **changes)
            self._changed.notify_all()

    def _on_joint_states(self, message: JointState) -> None:
        reading = read_joint_states(message.name, message.position)
        if reading is None:
            return
        speeds = dict(zip(message.name, message.velocity, strict=False))
        positions = tuple(reading.positions[dof] for dof in JOINT_DOF)
        velocities = tuple(float(speeds.get(JOINT_OF_DOF[dof], math.nan)) for dof in JOINT_DOF)
        self._joints = (positions, velocities)
        self._note_motion()

    def _on_odometry(self, message: Odometry) -> None:
        pose, twist = message.pose.pose, message.twist.twist
        heading = 2 * math.atan2(pose.orientation.z, pose.orientation.w)
        self._odometer.add(pose.position.x, pose.position.y, heading)
        self._odometer.velocity = (twist.linear.x, twist.angular.z)
        self._note_motion()

    def _note_motion(self) -> None:
        if self._joints is None or not self._odometer.started:
            return
        odometer, (positions, velocities) = self._odometer, self._joints
        self._note(
            positions=(odometer.travel_m, odometer.turned_rad, *positions),
            velocities=(*odometer.velocity, *velocities),
        )

    def _on_gesture(self, message: String) -> None:
        for sleeve, gesture in self._told(message.data):
            self._note_sleeve(sleeve, gesture=gesture)

    def _on_mode(self, message: String) -> None:
        for sleeve, told in self._told(message.data):
            mode, _, tier = told.rpartition("/")
            self._note_sleeve(sleeve, mode=mode, fine=tier == "fine")

    def _told(self, text: str) -> Iterator[tuple[str, str]]:
        """Take apart what the bridge tells of its sleeves: ``left rest; right fist``, of an only one just ``rest``."""
        told = text.split("; ") if len(self._sleeves) > 1 else [text]
        for sleeve, word in zip(self._sleeves, told, strict=False):
            yield sleeve, word.removeprefix(f"{sleeve} ") if sleeve else word

    def _note_sleeve(self, name: str, **changes: Any) -> None:  # noqa: ANN401 - the sleeve's own fields
        known = self.snapshot()
        self._note(sleeves={**known.sleeves, name: replace(known.sleeve(name), **changes)})

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name != STATUS_NAME:
                continue
            values = {pair.key: pair.value for pair in status.values}
            self._heard_s = time.monotonic()
            self._note(
                safety_state=values["safety_state"],
                reason=values["reason"],
                latency_ms_median=float(values["latency_ms_median"]),
                latency_ms_p99=float(values["latency_ms_p99"]),
                timer_jitter_ms_p99=float(values["timer_jitter_ms_p99"]),
                decisions=int(values["decisions"]),
                stops=int(values["stops"]),
            )


class _Call:
    """A call of a service: answered, or given up because nothing came in time."""

    def __init__(self, orders: OperatorOrders) -> None:
        self._changed = orders.changed
        self._answered = False
        self._given_up = False

    def answer(self) -> bool:
        """Note that the answer is there; returns whether it comes too late."""
        with self._changed:
            self._answered = True
            self._changed.notify_all()
            return self._given_up

    def wait(self, beaten: Callable[[], bool], timeout_s: float) -> bool:
        """Wait until it is answered or beaten; returns whether it was answered."""
        with self._changed:
            self._changed.wait_for(lambda: self._answered or beaten(), timeout_s)
            self._given_up = not self._answered
            return self._answered


class _Odometer:
    """Poses on the floor -> travel along the robot's own x, and unwrapped heading."""

    def __init__(self) -> None:
        self.travel_m = 0.0
        self.turned_rad = 0.0
        self.velocity = (0.0, 0.0)
        self._last: tuple[float, float, float] | None = None

    @property
    def started(self) -> bool:
        return self._last is not None

    def add(self, x_m: float, y_m: float, heading_rad: float) -> None:
        if self._last is not None:
            last_x, last_y, last_heading = self._last
            turn = math.remainder(heading_rad - last_heading, 2 * math.pi)
            middle = last_heading + turn / 2
            self.travel_m += (x_m - last_x) * math.cos(middle) + (y_m - last_y) * math.sin(middle)
            self.turned_rad += turn
        else:
            self.turned_rad = heading_rad
        self._last = (x_m, y_m, heading_rad)
