"""The robot's 8 degrees of freedom: units, limits, speed tiers, from one file."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from emg_acquisition.settings_file import load_settings
from robot_bridge.stretch_interface import DOF_NAMES, JOINT_OF_DOF

# Whoever writes millimetres for metres is told so.
HIGHEST_VELOCITY = {"m": 1.0, "rad": 7.0}
# A target that leads by more would leave more than a stop's worth of motion behind a dead bridge.
LONGEST_LEAD_S = 0.15
BUNDLED_ROBOT = Path(__file__).parent / "robot.yaml"


class DofModel(BaseModel):
    """One degree of freedom. Wheels have neither a joint, a position limit nor a target that leads."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    unit: Literal["m", "rad"]
    joint: str = ""
    lower: float | None = None
    upper: float | None = None
    velocity: float = Field(gt=0)
    acceleration: float = Field(gt=0)
    profile_velocity: float | None = Field(default=None, gt=0)
    coarse: float = Field(gt=0)
    fine: float = Field(gt=0)
    profile_acceleration: float | None = Field(default=None, gt=0)
    lead_s: float = Field(default=0.1, gt=0, le=LONGEST_LEAD_S)
    step_coarse: float = Field(gt=0)
    step_fine: float = Field(gt=0)

    @model_validator(mode="after")
    def _complete(self) -> "DofModel":
        joint_only = (self.lower, self.upper, self.profile_velocity)
        if self.joint and None in joint_only:
            msg = f"joint {self.joint!r} needs lower, upper and profile_velocity"
            raise ValueError(msg)
        if not self.joint and joint_only != (None,) * 3:
            msg = "lower, upper and profile_velocity need a joint name"
            raise ValueError(msg)
        if self.joint and not self.position_lower < self.position_upper:
            msg = f"lower {self.lower} must be below upper {self.upper}"
            raise ValueError(msg)
        highest = HIGHEST_VELOCITY[self.unit]
        if self.velocity > highest:
            msg = f"velocity {self.velocity:g} is above {highest:g} {self.unit}/s, which no joint of this robot has"
            raise ValueError(msg)
        if self.fine > self.coarse:
            msg = f"fine speed {self.fine} is above the coarse speed {self.coarse}"
            raise ValueError(msg)
        if self.step_fine > self.step_coarse or self.step_coarse > self.coarse:
            got = f"got {self.step_fine}, {self.step_coarse}"
            msg = f"steps must rise from fine to coarse, a second of coarse speed at most: {got}"
            raise ValueError(msg)
        return self

    @property
    def position_lower(self) -> float:
        """Lower position limit; -inf for the wheels."""
        return -math.inf if self.lower is None else self.lower

    @property
    def position_upper(self) -> float:
        """Upper position limit; inf for the wheels."""
        return math.inf if self.upper is None else self.upper

    def speed(self, *, fine: bool) -> float:
        """Speed of a tier. Limits always win: ours, and the robot's own default profile."""
        wanted = self.fine if fine else self.coarse
        return min(
            wanted, self.velocity, math.inf if self.profile_velocity is None else self.profile_velocity
        )

    def lead_bound(self, speed: float) -> float:
        """How far a target may lead the measured position at this speed, in the DoF's unit; 0 for the wheels.

        It is the way that the robot's own profile needs to brake, and what passes while a measurement becomes a
        command. With less, the profile would begin to brake before each new target and never reach the speed; with
        more, a dead bridge would leave more than a stop.
        """
        if not self.joint:
            return 0.0
        speed = min(abs(speed), self.speed(fine=False))
        return speed * speed / (2 * self.acceleration) + self.lead_s * speed

    def step_speed(self, *, fine: bool) -> float:
        """Speed of a single step: slow enough that the robot's own ramps, v²/a in all, fit into it."""
        size = self.step_fine if fine else self.step_coarse
        return min(self.speed(fine=fine), math.sqrt(self.ramp * size))

    @property
    def ramp(self) -> float:
        """Acceleration of the robot's own profile."""
        return self.acceleration if self.profile_acceleration is None else self.profile_acceleration

    @property
    def stop_bound(self) -> float:
        """The longest lead, that at coarse speed."""
        return self.lead_bound(math.inf)


class WheelsModel(BaseModel):
    """The differential drive: each wheel's limit and the distance between them."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    separation_m: float = Field(gt=0)
    velocity_m_s: float = Field(gt=0)


class ArmOutModel(BaseModel):
    """Slower driving while the arm is out, and when it counts as stowed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    translate_velocity: float = Field(gt=0)
    translate_acceleration: float = Field(gt=0)
    rotate_velocity: float = Field(gt=0)
    stowed_lift_below: float
    stowed_arm_below: float
    stowed_yaw_above: float

    def is_out(self, lift: float, arm: float, wrist_yaw: float) -> bool:
        """Tell whether the arm is out, from measured positions; an unreadable one counts as out."""
        stowed = (
            lift < self.stowed_lift_below
            and arm < self.stowed_arm_below
            and wrist_yaw > self.stowed_yaw_above
        )
        return not stowed


class RobotModel(BaseModel):
    """All 8 degrees of freedom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    wheels: WheelsModel
    arm_out: ArmOutModel
    dof: Mapping[str, DofModel]

    @model_validator(mode="after")
    def _eight(self) -> "RobotModel":
        if set(self.dof) != set(DOF_NAMES):
            differing = sorted(set(self.dof) ^ set(DOF_NAMES))
            msg = f"dof must be exactly {', '.join(DOF_NAMES)}; missing or unknown: {', '.join(differing)}"
            raise ValueError(msg)
        for name, dof in self.dof.items():
            if dof.joint != JOINT_OF_DOF.get(name, ""):
                msg = f"dof {name}: stretch_driver calls its joint {JOINT_OF_DOF.get(name, '')!r}, not {dof.joint!r}"
                raise ValueError(msg)
        return self

    def with_robot_limits(self, limits: Mapping[str, tuple[float, float]]) -> "RobotModel":
        """Return the model with the tighter of our position limits and the robot's own.

        Parameters
        ----------
        limits : mapping of str to (float, float)
            DoF name -> lower and upper limit, as the robot declares them; absent DoF keep ours.

        Raises
        ------
        ValueError
            If a robot's limit is no finite interval that overlaps with ours.
        """
        tightened = dict(self.dof)
        for name, (lower, upper) in limits.items():
            dof = self.dof[name]
            both = (max(dof.position_lower, lower), min(dof.position_upper, upper))
            if not (math.isfinite(lower) and math.isfinite(upper) and both[0] < both[1]):
                msg = f"the robot's limits of {name} are {lower} to {upper}, ours {dof.lower} to {dof.upper}"
                raise ValueError(msg)
            tightened[name] = dof.model_copy(update={"lower": both[0], "upper": both[1]})
        return self.model_copy(update={"dof": tightened})


def load_robot_model(path: Path | None = None) -> RobotModel:
    """Read a robot's file; the bundled Stretch 3 without a path.

    Raises
    ------
    InputError
        If the file cannot be used; the message names it and the key.
    """
    return load_settings(path or BUNDLED_ROBOT, RobotModel)
