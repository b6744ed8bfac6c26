"""The ROS 2 node ``hdemg_bridge``: topics and services around `BridgeCore`, and `run_bridge`.

Publishes ``stretch/cmd_vel``, ``joint_pose_cmd``; for observers ``emg/gesture`` (name), ``emg/decision``
(index, confidence, effort, quality, latency_ms, p...), ``emg/mode`` (``<mode>/<coarse or fine>``) and
``diagnostics``; for a watchdog ``~/alive`` (whether it is armed, 20 times a second). Serves ``~/arm``,
``~/stop``, ``~/set_speed``; hears ``~/heartbeat``. While it is disarmed and its stop has been sent, it publishes
nothing that moves, so that another controller can use the robot.
"""

import logging
import math
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from emg_acquisition.decision import Decision
from emg_acquisition.events import Event
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from robot_bridge.bridge_core import BridgeCore, BridgeSettings, Listeners
from robot_bridge.bridge_figures import BridgeFigures
from robot_bridge.control import ModeChange
from robot_bridge.decision_reader import DecisionReader
from robot_bridge.gesture_map import check_decoders, load_gesture_maps
from robot_bridge.guard_link import GuardLink
from robot_bridge.incident_log import IncidentLog
from robot_bridge.inputs import (
    Act,
    DecisionInput,
    DriverInput,
    FailureInput,
    GuardInput,
    HeartbeatInput,
    JointLimitsInput,
    JointStatesInput,
    OdometryInput,
    OperatorInput,
    PublishersInput,
    TickInput,
)
from robot_bridge.journal import JournaledCore, begin_settings
from robot_bridge.journal_stream import JournalStream
from robot_bridge.motion import Command
from robot_bridge.robot_model import load_robot_model
from robot_bridge.robot_setup import RobotSetup
from robot_bridge.ros_context import QOS, QOS_FRESH, RosNode
from robot_bridge.ros_imports import (
    Bool,
    Clock,
    ClockType,
    Empty,
    Float32MultiArray,
    Float64MultiArray,
    Future,
    JointState,
    Odometry,
    ReentrantCallbackGroup,
    SetBool,
    String,
    Trigger,
    Twist,
)
from robot_bridge.safety import Transition
from robot_bridge.safety_inputs import DRIVER_TOPICS, SafetyLimits
from robot_bridge.stretch_interface import (
    ALIVE,
    BRIDGE_NODE,
    CMD_VEL,
    GUARD_NODE,
    JOINT_LIMITS,
    JOINT_POSE,
    JOINT_STATES,
    ODOMETRY,
    WATCHDOG_NODE,
    joint_pose,
)

__all__ = ["BridgeSettings", "run_bridge"]

_CHECK_PUBLISHERS_S = 0.1
_DIAGNOSTICS_S = 0.2
_NOTE_DIAGNOSTICS_S = 1.0
_ALIVE_S = 0.05
_FINAL_REPEATS = 5
_NOT_NAMED = "_NODE_NAME_UNKNOWN_"
_FINAL_EVERY_S = 0.02
_LOG = logging.getLogger(__name__)


class BridgeNode:
    """Messages to `BridgeCore` and back; every decision about motion is made there.

    Parameters
    ----------
    ros : RosNode
        The node, not yet spinning.
    settings : BridgeSettings
        What the bridge was started with.
    readers : sequence of DecisionReader
        The decoders' streams, in the order of the map's sleeves.
    guard : GuardLink
        The companion process.
    events : EventOutlet
        Where events go.
    journal : JournalStream
        Where everything that the core is told goes, so that it can be computed again.
    incidents : IncidentLog
        Where what happens goes, also when nothing is recorded.
    """

    def __init__(
        self,
        ros: RosNode,
        settings: BridgeSettings,
        readers: Sequence[DecisionReader],
        guard: GuardLink,
        events: EventOutlet,
        *,
        journal: JournalStream,
        incidents: IncidentLog,
    ) -> None:
        self._incidents = incidents
        self._ros, self._readers, self._guard, self._events = ros, readers, guard, events
        model = load_robot_model(settings.robot_model)
        maps = load_gesture_maps(settings.gesture_map, [reader.info.gestures for reader in readers], model)
        limits = SafetyLimits(require_heartbeat=settings.require_heartbeat, quality_min=settings.quality_min)
        listeners = Listeners(self._on_transition, self._on_mode)
        self._core = BridgeCore(model, maps, limits, listeners, settings.speed_control)
        told = begin_settings(model, maps, limits, settings.speed_control)
        self._take = JournaledCore(self._core, told, journal.write).take
        incidents.note("begin", settings=told)
        self._sleeves = tuple(one.sleeve for one in maps)
        self._figures = BridgeFigures(1.0 / settings.rate_hz)
        self._waiting: list[tuple[Callable[[], bool], float, Future]] = []
        self._alive_s = -1.0
        self._publishers_s = self._diagnostics_s = self._diagnostics_noted_s = -1.0
        self._commanded_t_lsl_s: float | None = None
        self._unnamed = False
        self._arming = False
        self._setup = RobotSetup(
            ros,
            self._until,
            lambda service, answer: incidents.note("driver_service", service=service, answer=answer),
        )
        self._make_publishers()
        self._subscribe()
        self._serve()
        # Not the default clock: somebody who sets the time back must not stall the tick.
        ros.node.create_timer(
            1.0 / settings.rate_hz, self._tick, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )
        # A decision does not wait for the next tick: what it asks for, above all a stop, goes out at once.
        woken = ros.node.create_guard_condition(self._step)
        for reader in readers:
            reader.on_received = woken.trigger

    def _make_publishers(self) -> None:
        node = self._ros.node
        self._twist_pub = node.create_publisher(Twist, CMD_VEL, QOS)
        self._pose_pub = node.create_publisher(Float64MultiArray, JOINT_POSE, QOS)
        self._gesture_pub = node.create_publisher(String, "emg/gesture", QOS)
        # With several sleeves each has a topic of its own: emg/left/decision.
        self._decision_pubs = [
            node.create_publisher(Float32MultiArray, "/".join(filter(None, ("emg", sleeve, "decision"))), QOS)
            for sleeve in self._sleeves
        ]
        self._mode_pub = node.create_publisher(String, "emg/mode", QOS)
        self._alive_pub = node.create_publisher(Bool, ALIVE, QOS)
        self._diagnostics_pub = node.create_publisher(BridgeFigures.message_type, "diagnostics", QOS)

    def _subscribe(self) -> None:
        node, take = self._ros.node, self._take
        node.create_subscription(JointState, JOINT_STATES, self._on_joint_states, QOS_FRESH)
        node.create_subscription(
            JointState,
            JOINT_LIMITS,
            lambda m: take(JointLimitsInput(time.monotonic(), m.name, m.position, m.velocity)),
            QOS,
        )
        node.create_subscription(Odometry, ODOMETRY, self._on_odometry, QOS_FRESH)
        for topic in DRIVER_TOPICS:
            node.create_subscription(
                String if topic == "mode" else Bool,
                topic,
                lambda m, topic=topic: take(DriverInput(time.monotonic(), topic, m.data)),
                QOS_FRESH,
            )
        node.create_subscription(Empty, "~/heartbeat", lambda _: take(HeartbeatInput(time.monotonic())), QOS)

    def _serve(self) -> None:
        node = self._ros.node
        # Arming waits for the robot; in a group of its own it holds up neither the timer nor a disarm meanwhile.
        own_group = ReentrantCallbackGroup()
        node.create_service(SetBool, "~/arm", self._on_arm, callback_group=own_group)
        node.create_service(Trigger, "~/stop", self._on_stop)
        node.create_service(SetBool, "~/set_speed", self._on_set_speed)

    # ---- every tick

    def _tick(self) -> None:
        self._figures.on_tick(time.monotonic())
        self._step()

    def _step(self) -> None:
        t_mono_s = time.monotonic()
        for sleeve, reader in enumerate(self._readers):
            if reader.failure is not None:
                raise reader.failure
            for decision, arrived_mono_s in reader.drain():
                self._on_decision(decision, arrived_mono_s, sleeve)
        guard_problem = self._guard.beat(t_mono_s, armed=self._core.is_commanding(t_mono_s))
        if guard_problem != self._core.safety.guard_problem:
            self._incidents.note("guard", problem=guard_problem)
            self._take(GuardInput(t_mono_s, guard_problem))
        if t_mono_s - self._publishers_s >= _CHECK_PUBLISHERS_S:
            self._publishers_s = t_mono_s
            problem = self._publisher_problem()
            if problem != self._core.safety.publisher_problem:
                self._incidents.note("publishers", problem=problem)
                self._take(PublishersInput(t_mono_s, problem))
        answer = self._take(TickInput(t_mono_s, _boot_s()))
        if answer.command is not None:
            self.publish(answer.command, t_mono_s)
        for call in answer.calls:
            self._setup.call_in_need(call)
        self._report(t_mono_s)
        self._resolve_waiting(t_mono_s)

    def _report(self, t_mono_s: float) -> None:
        if t_mono_s - self._alive_s >= _ALIVE_S:
            self._publish_alive(t_mono_s)
        if t_mono_s - self._diagnostics_s >= _DIAGNOSTICS_S:
            self._publish_diagnostics(t_mono_s)

    def _publish_alive(self, t_mono_s: float) -> None:
        self._alive_s = t_mono_s
        self._alive_pub.publish(Bool(data=self._core.safety.is_live))

    def _on_decision(self, decision: Decision, arrived_mono_s: float, sleeve: int) -> None:
        self._take(DecisionInput(arrived_mono_s, sleeve, decision))
        self._figures.decisions += 1
        self._commanded_t_lsl_s = decision.t_lsl_s
        latency_ms = 1000.0 * (lsl_clock_s() - decision.t_lsl_s)
        fixed = [decision.index, decision.confidence, decision.effort, decision.quality, latency_ms]
        self._decision_pubs[sleeve].publish(Float32MultiArray(data=[*fixed, *decision.probabilities]))
        self._gesture_pub.publish(String(data=self._told([one.gesture for one in self._core.controls])))

    def _told(self, words: Sequence[str]) -> str:
        """One word for the only sleeve; with several, each after its sleeve's name."""
        pairs = zip(self._sleeves, words, strict=True)
        return "; ".join(f"{sleeve} {word}" if sleeve else word for sleeve, word in pairs)

    def _modes(self) -> str:
        return self._told([mode_text(ModeChange(one.mode, one.fine)) for one in self._core.controls])

    def publish(self, command: Command, t_mono_s: float) -> None:
        """Send a command to the robot, unless it is from before a hang in this very tick.

        Meanwhile the guard has stopped the robot; an old target would set it in motion again. The next tick finds
        the hang and stops.
        """
        twist = Twist()
        twist.linear.x, twist.angular.z = command.translate_m_s, command.rotate_rad_s
        if self._is_current(t_mono_s):
            self._twist_pub.publish(twist)
        if command.targets and self._is_current(t_mono_s):
            self._pose_pub.publish(Float64MultiArray(data=joint_pose(command.targets, command.head)))
        if self._commanded_t_lsl_s is not None and self._core.safety.is_live:
            self._figures.on_latency(lsl_clock_s() - self._commanded_t_lsl_s)
        self._commanded_t_lsl_s = None

    def _is_current(self, t_mono_s: float) -> bool:
        return time.monotonic() - t_mono_s <= self._core.safety.limits.tick_gap_s

    def end(self, failure: Exception | None) -> None:
        """Leave a zero Twist and held joints behind, if the robot was being commanded."""
        t_mono_s = time.monotonic()
        self._incidents.note("end", failure=None if failure is None else repr(failure))
        if not self._core.is_commanding(t_mono_s):
            return
        if failure is None:
            self._take(OperatorInput(t_mono_s, "disarm"))
        else:
            self._take(FailureInput(t_mono_s, f"the bridge failed: {failure}"))
        for _ in range(_FINAL_REPEATS):
            t_mono_s = time.monotonic()
            command = self._take(TickInput(t_mono_s, _boot_s())).command
            if command is not None:
                self.publish(command, t_mono_s)
            self._publish_alive(t_mono_s)
            time.sleep(_FINAL_EVERY_S)

    def _publisher_problem(self) -> str | None:
        """Say who else commands the robot or speaks for it, or that the guard cannot yet."""
        problem, named = None, True
        for topic, publisher in ((CMD_VEL, self._twist_pub), (JOINT_POSE, self._pose_pub)):
            if publisher.get_subscription_count() == 0:
                problem = problem or f"nobody listens to {topic}; is stretch_driver running?"
            names = [info.node_name for info in self._ros.node.get_publishers_info_by_topic(topic)]
            for own in (BRIDGE_NODE, GUARD_NODE):
                if own in names:
                    names.remove(own)
                else:
                    problem = problem or f"{own} is not yet seen to publish {topic}"
            if topic == CMD_VEL and WATCHDOG_NODE in names:
                # It can only stop the robot, and only once this bridge is silent.
                names.remove(WATCHDOG_NODE)
            if names:
                named = _NOT_NAMED not in names
                problem = f"another node ({', '.join(sorted(names))}) publishes {topic}: stop it first"
        for topic in (JOINT_STATES, ODOMETRY, *DRIVER_TOPICS):
            tellers = [info.node_name for info in self._ros.node.get_publishers_info_by_topic(topic)]
            if len(tellers) > 1:
                problem = (
                    f"{len(tellers)} nodes ({', '.join(sorted(tellers))}) publish {topic}: stop all but one"
                )
        # A node's publisher is seen a moment before its name: one check is given for it.
        waits, self._unnamed = not named and not self._unnamed, not named
        return self._core.safety.publisher_problem if waits else problem

    def _publish_diagnostics(self, t_mono_s: float) -> None:
        self._diagnostics_s = t_mono_s
        stamp = self._ros.node.get_clock().now().to_msg()
        message = self._figures.message(self._core.safety, stamp)
        self._diagnostics_pub.publish(message)
        if t_mono_s - self._diagnostics_noted_s >= _NOTE_DIAGNOSTICS_S:
            self._diagnostics_noted_s = t_mono_s
            values = {pair.key: pair.value for pair in message.status[0].values}
            self._incidents.note("diagnostics", **values)
        self._mode_pub.publish(String(data=self._modes()))

    # ---- what comes in

    def _on_joint_states(self, message: JointState) -> None:
        stamp_s = message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec
        self._take(
            JointStatesInput(
                time.monotonic(), stamp_s, message.name, message.position, message.velocity, message.effort
            )
        )

    def _on_odometry(self, message: Odometry) -> None:
        stamp_s = message.header.stamp.sec + 1e-9 * message.header.stamp.nanosec
        at, turned = message.pose.pose.position, message.pose.pose.orientation
        heading_rad = 2.0 * math.atan2(turned.z, turned.w)
        self._take(OdometryInput(time.monotonic(), stamp_s, at.x, at.y, heading_rad))

    def _act(self, act: Act) -> str | None:
        return self._take(OperatorInput(time.monotonic(), act)).refusal

    async def _on_arm(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        refusal = None
        if request.data:
            self._incidents.note("service", service="arm", asked=True)
            refusal = await self._arm()
        else:
            self._act("disarm")
        self._incidents.note("service", service="arm" if request.data else "disarm", refusal=refusal)
        response.success, response.message = refusal is None, refusal or self._core.safety.state
        return response

    async def _arm(self) -> str | None:
        safety = self._core.safety
        if safety.is_live:
            return None
        if self._arming:
            return "arming is under way already"
        self._arming = True
        try:
            refusal = self._act("prepare") or await self._setup.prepare(safety)
        finally:
            self._arming = False
        # A stop meanwhile has the last word: then the core refuses.
        return refusal or self._act("arm")

    def _on_stop(self, _request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._act("stop")
        self._incidents.note("service", service="stop", refusal=None)
        response.success, response.message = True, self._core.safety.state
        return response

    def _on_set_speed(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        self._act("fine" if request.data else "coarse")
        self._incidents.note("service", service="set_speed", fine=request.data)
        response.success, response.message = True, "fine" if request.data else "coarse"
        return response

    # ---- what is told

    def _on_transition(self, transition: Transition) -> None:
        kinds = {
            "armed": "arm",
            "disarmed": "disarm",
            "stopped": "stop",
            "fault": "fault",
            "moving": "moving",
        }
        back = transition.old == "moving" and transition.new == "armed"
        more = transition.old == transition.new
        kind = "still" if back else "stop_escalated" if more else kinds[transition.new]
        self._incidents.note(
            "transition", old=transition.old, new=transition.new, reason=transition.reason, is_a=kind
        )
        if transition.new == "fault" or more:
            self._incidents.keep_journal()
        self._events.push(Event(lsl_clock_s(), kind, {"reason": transition.reason}))
        self._publish_alive(transition.t_mono_s)
        self._publish_diagnostics(transition.t_mono_s)

    def _on_mode(self, sleeve: str, change: ModeChange) -> None:
        whose = {"sleeve": sleeve} if sleeve else {}
        _LOG.info("mode %s %s", mode_text(change), sleeve)
        self._incidents.note("mode", mode=change.mode, fine=change.fine, sleeve=sleeve)
        self._events.push(Event(lsl_clock_s(), "mode", {"mode": change.mode, "fine": change.fine, **whose}))
        self._mode_pub.publish(String(data=self._modes()))

    # ---- waiting inside a service, without blocking the one thread

    def _until(self, condition: Callable[[], bool], limit_s: float) -> Awaitable[bool]:
        future: Any = Future()
        self._waiting.append((condition, time.monotonic() + limit_s, future))
        return future  # type: ignore[no-any-return]

    def _resolve_waiting(self, t_mono_s: float) -> None:
        still = []
        for condition, deadline_s, future in self._waiting:
            if condition():
                future.set_result(True)
            elif t_mono_s > deadline_s:
                future.set_result(False)
            else:
                still.append((condition, deadline_s, future))
        self._waiting = still


def _boot_s() -> float | None:
    """Read a clock that also runs while the computer sleeps; None where there is none."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else None


def mode_text(change: ModeChange) -> str:
    """Text of ``emg/mode``."""
    return f"{change.mode}/{'fine' if change.fine else 'coarse'}"


def run_bridge(settings: BridgeSettings, stop: threading.Event) -> None:
    """Run the bridge until `stop` is set; whatever ends it, the robot is left stopped.

    Parameters
    ----------
    settings : BridgeSettings
        The decoder to be bound to, the map, the robot.
    stop : threading.Event
        Ends the bridge.

    Raises
    ------
    StreamNotFoundError, InputError
        If the decoder's stream, the map or the robot's file cannot be used.
    """
    check_decoders(settings.gesture_map, settings.decoders)
    readers: list[DecisionReader] = []
    events = EventOutlet(f"{settings.name}-bridge", settings.event_source_id)
    incidents = IncidentLog("bridge")
    incidents.start()
    incidents.note("start", settings=settings.model_dump(mode="json"))
    journal = JournalStream(settings.name, incidents.note_journal)
    guard: GuardLink | None = None
    robot_stopped = True
    try:
        for source_id in settings.decoders:
            readers.append(DecisionReader(source_id, settings.lsl_timeout_s, stop))  # noqa: PERF401 - closed one by one
        with RosNode(BRIDGE_NODE, settings.namespace) as ros:
            guard = GuardLink(settings.namespace, settings.robot_model)
            node = BridgeNode(ros, settings, readers, guard, events, journal=journal, incidents=incidents)
            for reader in readers:
                reader.start()
            ros.start()
            robot_stopped = False
            try:
                while not stop.is_set() and not ros.failed.wait(0.05):
                    pass
            finally:
                ros.stop_spinning()
                for reader in readers:
                    reader.on_received = lambda: None
                node.end(ros.failure)
                robot_stopped = True
            if ros.failure is not None:
                _LOG.error("the bridge failed and has stopped the robot: %s", ros.failure)
                raise ros.failure
    finally:
        if guard is not None:
            guard.close(robot_stopped=robot_stopped)
        for reader in readers:
            reader.close()
        journal.close()
        events.close()
        incidents.close()
