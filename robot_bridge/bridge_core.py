"""Inputs in, one command a tick out: safety, control, motion and supervision; knows nothing of ROS or LSL."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from emg_acquisition.decision import NO_DECISION
from robot_bridge.control import Controller, ModeChange, SpeedControl
from robot_bridge.decision_watch import DecisionWatch
from robot_bridge.gesture_map import GestureMap
from robot_bridge.inputs import (
    DecisionInput,
    DriverInput,
    FailureInput,
    GuardInput,
    HeartbeatInput,
    Input,
    JointLimitsInput,
    JointStatesInput,
    OdometryInput,
    OperatorInput,
    PublishersInput,
    TickInput,
)
from robot_bridge.motion import Command, MotionShaper
from robot_bridge.plausibility import PlausibleJoints
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety import SafetyMachine, Transition
from robot_bridge.safety_inputs import NAVIGATION, ROUTINES, RUNSTOPPED, SafetyLimits
from robot_bridge.step_motion import StepMotion
from robot_bridge.stretch_interface import (
    BASE_DOF,
    DOF_NAMES,
    JOINT_DOF,
    JOINT_OF_DOF,
    LIMIT_OF_DOF,
    JointReading,
    read_joint_limits,
    read_joint_states,
)
from robot_bridge.supervision import STILL_SPAN_S, WATCHED_DOF, MotionSupervisor

# The last command of a stop is repeated for this long, then the bridge falls silent: another controller may come.
STOP_REPEAT_S = 0.5
# Each pose is up to seven blocking writes to the wrist's servos; sent more often, the driver applies them out of order.
POSE_EVERY_S = 1 / 30
# A robot that does not stand so long after it should is stopped by its driver, and then by its run-stop.
STANDSTILL_S = 0.5

DriverCall = Literal["stop_the_robot", "runstop"]


class BridgeSettings(BaseModel):
    """What a bridge is started with.

    Parameters
    ----------
    decoders : tuple of str
        LSL source_id of each decoder that may drive the robot, one a sleeve, in the order of the map's sleeves.
    gesture_map : str or Path
        A bundled map's name or a YAML file.
    robot_model : Path, optional
        A robot's YAML file; the bundled Stretch 3 without.
    name : str
        Prefix of the event stream's source_id, ``<name>-bridge-events``.
    namespace : str
        ROS namespace of the robot and of the bridge.
    speed_control : str
        How coarse and fine are chosen: ``tiers``, ``steps`` or ``effort``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decoders: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    gesture_map: str | Path = "ten_gestures"
    robot_model: Path | None = None
    name: str = "hdemg"
    namespace: str = ""
    rate_hz: float = Field(default=50.0, ge=20, le=200)
    lsl_timeout_s: float = Field(default=10.0, gt=0)
    require_heartbeat: bool = True
    speed_control: SpeedControl = "tiers"
    quality_min: float = Field(default=0.7, ge=0, le=1)

    @property
    def event_source_id(self) -> str:
        """LSL source_id of the bridge's events."""
        return f"{self.name}-bridge-events"


@dataclass(frozen=True)
class Listeners:
    """Who is told of what happens; ``on_mode`` also of the sleeve, empty where there is only one."""

    on_transition: Callable[[Transition], None]
    on_mode: Callable[[str, ModeChange], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an input leads to.

    Parameters
    ----------
    command : Command or None
        Of a tick: what to publish; None for silence.
    calls : tuple of str
        Of a tick: services of the driver to call, for the command has not stopped the robot.
    refusal : str or None
        Of an operator's act: why it is refused.
    """

    command: Command | None = None
    calls: tuple[DriverCall, ...] = ()
    refusal: str | None = None


_NOTHING = Answer()


class BridgeCore:
    """Everything that a bridge hears in, one `Answer` each; a command only from ticks.

    Parameters
    ----------
    model : RobotModel
        The robot; tightened by its own limits once they are read.
    maps : sequence of GestureMap
        What the gestures mean, one map a sleeve, each with a decoder of its own.
    limits : SafetyLimits
        Freshness limits.
    listeners : Listeners
        Told of every transition and of every change of mode or speed.
    speed_control : str
        How coarse and fine are chosen.
    """

    def __init__(
        self,
        model: RobotModel,
        maps: Sequence[GestureMap],
        limits: SafetyLimits,
        listeners: Listeners,
        speed_control: SpeedControl = "tiers",
    ) -> None:
        self._model = model
        self._listeners = listeners
        watches = [
            DecisionWatch(len(one.gestures), one.gestures.index(one.rest), limits, one.sleeve) for one in maps
        ]
        drives = any(dof in one.covers for one in maps for dof in BASE_DOF)
        self.safety = SafetyMachine(watches, limits, self._on_transition, needs_odometry=drives)
        self.controls = tuple(
            Controller(one, model, partial(listeners.on_mode, one.sleeve), speed_control) for one in maps
        )
        self._needed = tuple(dof for dof in JOINT_DOF if any(dof in one.covers for one in maps))
        self._shaper = MotionShaper(model)
        self._step = StepMotion(self._shaper)
        self._plausible = PlausibleJoints(model)
        self._supervisor = MotionSupervisor(model)
        self._reading: JointReading | None = None
        self._reading_s = self._seen_since_s = -math.inf
        self._new_limits: Mapping[str, tuple[float, float]] | None = None
        self._prepared = False
        self._stop_until_s = -math.inf
        self._stands_by_s: float | None = None
        self._calls_made = 0
        self._latched: Command | None = None
        self._pose_s = -math.inf
        self._takers: Mapping[type, Callable[[Any], Answer]] = {
            DecisionInput: self._on_decision,
            JointStatesInput: self._on_joint_states,
            OdometryInput: self._on_odometry,
            JointLimitsInput: self._on_joint_limits,
            DriverInput: self._on_driver,
            GuardInput: self._on_guard,
            PublishersInput: self._on_publishers,
            HeartbeatInput: self._on_heartbeat,
            OperatorInput: self._on_operator,
            FailureInput: self._on_failure,
            TickInput: self._on_tick,
        }

    def take(self, one: Input) -> Answer:
        """Take an input; every change of the core comes from one, in their order."""
        return self._takers[type(one)](one)

    @property
    def control(self) -> Controller:
        """The controller of the only, or the first, sleeve."""
        return self.controls[0]

    def is_commanding(self, t_mono_s: float) -> bool:
        """Whether the robot is being commanded, or its stop is still being repeated."""
        return self.safety.is_live or t_mono_s <= self._stop_until_s

    # ---- inputs

    def _on_decision(self, one: DecisionInput) -> Answer:
        """Take a decision of a sleeve's decoder; one that cannot be trusted counts as no decision for control."""
        decision, sleeve = one.decision, one.sleeve
        self.safety.on_decision(decision, one.t_mono_s, sleeve)
        trusted = self.safety.signal_is_good(sleeve)
        index = int(decision.index) if trusted else NO_DECISION
        effort = decision.effort if math.isfinite(decision.effort) else 0.0
        self.controls[sleeve].on_decision(
            index, one.t_mono_s, live=self.safety.is_live, effort=effort, trusted=trusted
        )
        return _NOTHING

    def _on_joint_states(self, one: JointStatesInput) -> Answer:
        reading = read_joint_states(one.names, one.positions, one.velocities, one.efforts)
        values = None if reading is None else (*reading.positions.values(), *reading.head)
        bad = None if reading is None else self._lacking(reading)
        news = self.safety.on_joint_states(values, one.stamp_s, one.t_mono_s, bad)
        if not news or reading is None:
            return _NOTHING
        taken_s = one.stamp_s if one.stamp_s > 0 else one.t_mono_s
        jump = self._plausible.problem(reading, taken_s, live=self.safety.is_live)
        if jump is not None:
            self.safety.on_implausible_joints(jump, one.t_mono_s)
            return _NOTHING
        if one.t_mono_s - self._reading_s > self.safety.limits.joint_states_s:
            self._seen_since_s = one.t_mono_s
        self._reading, self._reading_s = reading, one.t_mono_s
        self._supervisor.on_reading(reading, one.t_mono_s)
        return _NOTHING

    def _lacking(self, reading: JointReading) -> str | None:
        missing = [JOINT_OF_DOF[dof] for dof in self._needed if dof in reading.missing]
        return f"joint_states lacks {', '.join(missing)}, which the map moves" if missing else None

    def _on_odometry(self, one: OdometryInput) -> Answer:
        self._supervisor.on_odometry(one.x_m, one.y_m, one.heading_rad, one.t_mono_s)
        self.safety.on_odometry(one.t_mono_s)
        return _NOTHING

    def _on_joint_limits(self, one: JointLimitsInput) -> Answer:
        """Take the robot's own limits; they wait while it is commanded, so that they never jump under a motion."""
        self._new_limits = read_joint_limits(one.names, one.lower, one.upper)
        return _NOTHING

    def _on_driver(self, one: DriverInput) -> Answer:
        self.safety.on_driver(one.topic, one.value, one.t_mono_s)
        if self.safety.driver.run_stop_pressed:
            # The gripper's torque is off: it has let go, and is not to close on whatever is there now.
            self._shaper.forget_grip()
        return _NOTHING

    def _on_guard(self, one: GuardInput) -> Answer:
        self.safety.guard_problem = one.problem
        return _NOTHING

    def _on_publishers(self, one: PublishersInput) -> Answer:
        self.safety.publisher_problem = one.problem
        return _NOTHING

    def _on_heartbeat(self, one: HeartbeatInput) -> Answer:
        self.safety.on_heartbeat(one.t_mono_s)
        return _NOTHING

    def _on_failure(self, one: FailureInput) -> Answer:
        self.safety.fault(one.reason, one.t_mono_s)
        return _NOTHING

    def _on_operator(self, one: OperatorInput) -> Answer:
        if one.act in {"fine", "coarse"}:
            for control in self.controls:
                control.set_fine(one.act == "fine")
            return _NOTHING
        if one.act == "prepare":
            return Answer(refusal=self._prepare(one.t_mono_s))
        if one.act == "arm":
            return Answer(refusal=self._arm(one.t_mono_s))
        # A stop, or a disarming, beats every arming that was asked for before it.
        self._prepared = False
        if one.act == "stop":
            self.safety.stop(one.t_mono_s)
        else:
            self.safety.disarm(one.t_mono_s)
        return _NOTHING

    def _prepare(self, t_mono_s: float) -> str | None:
        refusal = None if self.safety.is_live else self.safety.refusal_before_setup(t_mono_s)
        self._prepared = refusal is None
        if self._prepared and not self.safety.is_live:
            self.safety.forget_limits()
        return refusal

    def _arm(self, t_mono_s: float) -> str | None:
        if not self._prepared:
            return "stopped while arming; arm again"
        self._prepared = False
        moving = None if self.safety.is_live else self._supervisor.moving(t_mono_s, WATCHED_DOF)
        if moving is not None:
            return f"{moving} moves: arm when the robot stands"
        return self.safety.arm(t_mono_s)

    # ---- a tick

    def _adopt_limits(self, limits: Mapping[str, tuple[float, float]]) -> None:
        self._new_limits = None
        missing = [LIMIT_OF_DOF[dof] for dof in self._needed if dof not in limits]
        try:
            tightened = self._model.with_robot_limits(limits)
        except ValueError as error:
            self.safety.limits_problem = str(error)
            return
        lacking = f"joint_limits lacks {', '.join(missing)}, which the map moves"
        self.safety.limits_problem = lacking if missing else None
        self._shaper.tighten(tightened)

    def _on_tick(self, one: TickInput) -> Answer:
        """Check, decide and shape once; no command while there is nothing to publish."""
        t_mono_s = one.t_mono_s
        self.safety.tick(t_mono_s, one.t_boot_s)
        if self._new_limits is not None and not self.is_commanding(t_mono_s):
            self._adopt_limits(self._new_limits)
        if self.safety.is_live and self._reading is not None:
            problem = self._supervisor.problem(t_mono_s, self._reading.positions)
            if problem is not None:
                self.safety.fault(problem, t_mono_s)
        if self.safety.is_live and self._reading is not None:
            desired = self._desired(t_mono_s, self._reading)
            self.safety.set_moving(any(desired.values()), t_mono_s)
            command = self._shaper.step(desired, self._reading, t_mono_s, self._step.goal)
            if _is_finite(command):
                self._supervisor.on_command(self._shaper.velocity, t_mono_s)
                return Answer(self._paced(command, t_mono_s))
            self.safety.fault("the bridge computed a command that is not finite", t_mono_s)
        calls = self._escalation(t_mono_s)
        if t_mono_s > self._stop_until_s:
            return Answer(None, calls) if calls else _NOTHING
        stop = self._stop_command(t_mono_s)
        return Answer(None if stop is None else self._paced(stop, t_mono_s), calls)

    def _paced(self, command: Command, t_mono_s: float) -> Command:
        """Leave out the joints where a pose went out a moment ago: the next tick sends the newest."""
        if not command.targets:
            return command
        # Half a tick of tolerance, or 30 poses a second would become 25.
        if t_mono_s - self._pose_s < POSE_EVERY_S - 0.005:
            return Command(command.translate_m_s, command.rotate_rad_s, {}, command.head)
        self._pose_s = t_mono_s
        return command

    def _escalation(self, t_mono_s: float) -> tuple[DriverCall, ...]:
        """Return what else must be called because the robot does not stand, each once."""
        if self._stands_by_s is None or t_mono_s < self._stands_by_s:
            return ()
        seen = t_mono_s - self._reading_s <= self.safety.limits.joint_states_s
        if not seen or t_mono_s - self._seen_since_s < STILL_SPAN_S:
            # A robot that is not seen is not known to stand: the question stays open until it is.
            return ()
        # Homing and stowing move the joints on purpose.
        routine = self.safety.driver.mode in ROUTINES
        moving = self._supervisor.moving(t_mono_s, BASE_DOF if routine else WATCHED_DOF)
        if moving is None:
            self._stands_by_s = None
            return ()
        self._stands_by_s = t_mono_s + STANDSTILL_S
        self._calls_made += 1
        if self._calls_made == 1:
            self.safety.note(
                f"{moving} still moves after the stop: the driver is told to stop the robot", t_mono_s
            )
            return ("stop_the_robot",)
        self._stands_by_s = None
        self.safety.note(f"{moving} still moves: the run-stop is pressed", t_mono_s)
        return ("runstop",)

    def _desired(self, t_mono_s: float, reading: JointReading) -> Mapping[str, float]:
        """Add up what the sleeves ask for; each has DoF of its own. A step goes on only while all of them rest."""
        desired = dict.fromkeys(DOF_NAMES, 0.0)
        for control in self.controls:
            for dof, velocity in control.desired(t_mono_s).items():
                desired[dof] += velocity
            step = control.take_step()
            if step is not None:
                self._step.begin(step, t_mono_s)
        if not all(control.is_resting for control in self.controls):
            self._step.cancel(reading)
            return desired
        return self._step.desired(t_mono_s, reading)

    def _stop_command(self, t_mono_s: float) -> Command | None:
        """Command that stops the robot, latched at the first call after a motion; None if never armed.

        Joints are held only where they were freshly and plausibly measured: after a hang somebody else may have moved
        them.
        """
        if self._latched is None and self._shaper.has_targets:
            fresh = t_mono_s - self._reading_s <= self.safety.limits.joint_states_s
            self._latched = self._shaper.hold(self._reading if fresh else None)
        return self._latched

    def _on_transition(self, transition: Transition) -> None:
        was_live, is_live = (state in {"armed", "moving"} for state in (transition.old, transition.new))
        if is_live and not was_live and self._reading is not None:
            self._release()
            self._latched, self._stands_by_s = None, None
            self._shaper.start(self._reading, transition.t_mono_s)
            self._supervisor.start(transition.t_mono_s)
        elif was_live and not is_live:
            self._release()
            self._stop_until_s = transition.t_mono_s + STOP_REPEAT_S
            # What brakes by its own profile is no failure to stop. Where the driver refuses Twists, the wheels run on
            # by their last one until the firmware's own watchdog: then there is nothing to wait for.
            refused = self.safety.driver.mode not in {NAVIGATION, RUNSTOPPED}
            braking_s = 0.0 if refused else STANDSTILL_S + self._supervisor.braking_s()
            self._stands_by_s = transition.t_mono_s + braking_s
            self._calls_made = 0
        self._listeners.on_transition(transition)

    def _release(self) -> None:
        self._step.cancel(self._reading)
        for control in self.controls:
            control.release()


def _is_finite(command: Command) -> bool:
    values = (command.translate_m_s, command.rotate_rad_s, *command.targets.values(), *command.head)
    return all(math.isfinite(value) for value in values)
