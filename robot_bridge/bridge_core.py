"""Safety, control and motion in one step a tick; knows nothing of ROS or LSL."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from emg_acquisition.decision import NO_DECISION, Decision
from robot_bridge.control import Controller, ModeChange, SpeedControl
from robot_bridge.decision_watch import DecisionWatch
from robot_bridge.gesture_map import GestureMap
from robot_bridge.motion import Command, MotionShaper
from robot_bridge.robot_model import RobotModel
from robot_bridge.safety import SafetyMachine, Transition
from robot_bridge.safety_inputs import SafetyLimits
from robot_bridge.step_motion import StepMotion
from robot_bridge.stretch_interface import (
    DOF_NAMES,
    JOINT_DOF,
    JointReading,
    read_joint_limits,
    read_joint_states,
)

# The last command of a stop is repeated for this long, then the bridge falls silent: another controller may come.
STOP_REPEAT_S = 0.5


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
    require_heartbeat: bool = False
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


class BridgeCore:
    """Decisions and robot state in, one `Command` a tick out, or None for silence.

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
        self.safety = SafetyMachine(watches, limits, self._on_transition)
        self.controls = tuple(
            Controller(one, model, partial(listeners.on_mode, one.sleeve), speed_control) for one in maps
        )
        self._shaper = MotionShaper(model)
        self._step = StepMotion(self._shaper)
        self._reading: JointReading | None = None
        self._reading_s = -math.inf
        self._new_limits: Mapping[str, tuple[float, float]] | None = None
        self._stop_until_s = -math.inf
        self._latched: Command | None = None

    @property
    def control(self) -> Controller:
        """The controller of the only, or the first, sleeve."""
        return self.controls[0]

    def on_decision(self, decision: Decision, t_mono_s: float, sleeve: int = 0) -> None:
        """Take a decision of a sleeve's decoder; one that cannot be trusted counts as no decision for control."""
        self.safety.on_decision(decision, t_mono_s, sleeve)
        trusted = self.safety.signal_is_good(sleeve)
        index = int(decision.index) if trusted else NO_DECISION
        effort = decision.effort if math.isfinite(decision.effort) else 0.0
        self.controls[sleeve].on_decision(
            index, t_mono_s, live=self.safety.is_live, effort=effort, trusted=trusted
        )

    def on_joint_states(
        self,
        names: Sequence[str],
        positions: Sequence[float],
        stamp_s: float,
        t_mono_s: float,
        velocities: Sequence[float] = (),
    ) -> None:
        """Take a joint_states message's names, positions in m or rad, header stamp, and velocities if it has any."""
        reading = read_joint_states(names, positions, velocities)
        values = None if reading is None else (*reading.positions.values(), *reading.head)
        if self.safety.on_joint_states(values, stamp_s, t_mono_s):
            self._reading, self._reading_s = reading, t_mono_s

    def on_joint_limits(self, names: Sequence[str], lower: Sequence[float], upper: Sequence[float]) -> None:
        """Take the robot's own limits; they wait while it is commanded, so that they never jump under a motion."""
        self._new_limits = read_joint_limits(names, lower, upper)

    def _adopt_limits(self, limits: Mapping[str, tuple[float, float]]) -> None:
        self._new_limits = None
        missing = [dof for dof in JOINT_DOF if dof not in limits]
        try:
            tightened = self._model.with_robot_limits(limits)
        except ValueError as error:
            self.safety.limits_problem = str(error)
            return
        self.safety.limits_problem = f"joint_limits lacks {', '.join(missing)}" if missing else None
        self._shaper = MotionShaper(tightened)
        self._step = StepMotion(self._shaper)

    def is_commanding(self, t_mono_s: float) -> bool:
        """Whether the robot is being commanded, or its stop is still being repeated."""
        return self.safety.is_live or t_mono_s <= self._stop_until_s

    def tick(self, t_mono_s: float) -> Command | None:
        """Check, decide and shape once; None while there is nothing to publish."""
        self.safety.tick(t_mono_s)
        if self._new_limits is not None and not self.is_commanding(t_mono_s):
            self._adopt_limits(self._new_limits)
        if self.safety.is_live and self._reading is not None:
            desired = self._desired(t_mono_s, self._reading)
            self.safety.set_moving(any(desired.values()), t_mono_s)
            command = self._shaper.step(desired, self._reading, t_mono_s, self._step.goal)
            if _is_finite(command):
                return command
            self.safety.fault("the bridge computed a command that is not finite", t_mono_s)
        if t_mono_s > self._stop_until_s:
            return None
        return self.stop_command(t_mono_s)

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

    def stop_command(self, t_mono_s: float) -> Command | None:
        """Command that stops the robot, latched at the first call after a motion; None if never armed.

        Joints are held only where they were freshly measured: after a hang somebody else may have moved them.
        """
        if self._latched is None and self._shaper.has_targets:
            fresh = t_mono_s - self._reading_s <= self.safety.limits.joint_states_s
            self._latched = self._shaper.hold(self._reading if fresh else None)
        return self._latched

    def _on_transition(self, transition: Transition) -> None:
        was_live, is_live = (state in {"armed", "moving"} for state in (transition.old, transition.new))
        if is_live and not was_live and self._reading is not None:
            self._release()
            self._latched = None
            self._shaper.start(self._reading, transition.t_mono_s)
        elif was_live and not is_live:
            self._release()
            self._stop_until_s = transition.t_mono_s + STOP_REPEAT_S
        self._listeners.on_transition(transition)

    def _release(self) -> None:
        self._step.cancel(self._reading)
        for control in self.controls:
            control.release()


def _is_finite(command: Command) -> bool:
    values = (command.translate_m_s, command.rotate_rad_s, *command.targets.values(), *command.head)
    return all(math.isfinite(value) for value in values)
