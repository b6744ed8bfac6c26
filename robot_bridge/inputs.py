"""Everything that a bridge's core can be given: a closed set of frozen types, each with the receiver's monotonic time.

A journal is the list of them, from which every command can be computed again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from emg_acquisition.decision import Decision

# "prepare" asks whether arming is worth preparing the robot for, "arm" arms; "fine" and "coarse" choose the speed.
Act = Literal["prepare", "arm", "disarm", "stop", "fine", "coarse"]


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """A decision of a sleeve's decoder; sleeves are numbered in the order of the maps."""

    t_mono_s: float
    sleeve: int
    decision: Decision


@dataclass(frozen=True, slots=True)
class JointStatesInput:
    """A joint_states message: positions in m or rad, velocities in m/s or rad/s, efforts in percent of the motor's."""

    t_mono_s: float
    stamp_s: float
    names: Sequence[str]
    positions: Sequence[float]
    velocities: Sequence[float] = ()
    efforts: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class OdometryInput:
    """Where the base is by its own odometry: m and rad (heading not unwrapped)."""

    t_mono_s: float
    stamp_s: float
    x_m: float
    y_m: float
    heading_rad: float


@dataclass(frozen=True, slots=True)
class JointLimitsInput:
    """A joint_limits message: names, lower and upper limits in m or rad."""

    t_mono_s: float
    names: Sequence[str]
    lower: Sequence[float]
    upper: Sequence[float]


@dataclass(frozen=True, slots=True)
class DriverInput:
    """One of stretch_driver's status topics."""

    t_mono_s: float
    topic: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class GuardInput:
    """What keeps the guard process from guarding; None where nothing does."""

    t_mono_s: float
    problem: str | None


@dataclass(frozen=True, slots=True)
class PublishersInput:
    """What is wrong with who publishes commands and the robot's state; None where nothing is."""

    t_mono_s: float
    problem: str | None


@dataclass(frozen=True, slots=True)
class HeartbeatInput:
    """A sign of life from the operator's window."""

    t_mono_s: float


@dataclass(frozen=True, slots=True)
class OperatorInput:
    """What the operator asks for; the answer says why it is refused, if it is."""

    t_mono_s: float
    act: Act


@dataclass(frozen=True, slots=True)
class FailureInput:
    """Something of the bridge itself has failed."""

    t_mono_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class TickInput:
    """Time has passed. ``t_boot_s`` is a clock that also runs while the computer sleeps; None where there is none."""

    t_mono_s: float
    t_boot_s: float | None = None


Input = (
    DecisionInput
    | JointStatesInput
    | OdometryInput
    | JointLimitsInput
    | DriverInput
    | GuardInput
    | PublishersInput
    | HeartbeatInput
    | OperatorInput
    | FailureInput
    | TickInput
)
