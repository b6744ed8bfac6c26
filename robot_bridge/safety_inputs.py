"""What the safety machine is fed with: freshness limits, and what the driver says of itself."""

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field

NAVIGATION = "navigation"
RUNSTOPPED = "runstopped"
LIMITS_UNREAD = "the robot's joint limits have not been read"


class SafetyLimits(BaseModel):
    """Freshness limits and thresholds.

    Each silence limit leaves 50 ms of the 300 ms between a fault and the zero command for the tick and the way
    to the robot; that is why none may be longer than 0.25 s.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    decision_s: float = Field(default=0.25, gt=0, le=0.25)
    decision_age_s: float = Field(default=0.25, gt=0, le=0.25)
    future_s: float = Field(default=0.05, gt=0, le=0.25)
    joint_states_s: float = Field(default=0.25, gt=0, le=0.25)
    driver_s: float = Field(default=0.25, gt=0, le=0.25)
    heartbeat_s: float = Field(default=0.25, gt=0, le=0.25)
    tick_gap_s: float = Field(default=0.15, gt=0, le=0.25)
    quality_min: float = Field(default=0.7, ge=0, le=1)
    poor_quality_s: float = Field(default=0.15, ge=0, le=0.25)
    rest_before_arming_s: float = Field(default=0.3, ge=0)
    # Programs that start keep the processors busy, and joint states then come late: not a moment to arm in.
    steady_joints_before_arming_s: float = Field(default=1.0, ge=0)
    require_heartbeat: bool = False


@dataclass
class DriverStatus:
    """What stretch_driver last said of itself, and when each word came."""

    mode: str = ""
    homed: bool = False
    runstopped: bool = False
    streaming: bool = False
    seen_s: dict[str, float] = field(default_factory=dict)

    @property
    def run_stop_pressed(self) -> bool:
        """By the run-stop's own topic or by the mode, whichever says so first."""
        return self.runstopped or self.mode == RUNSTOPPED


DRIVER_TOPICS = ("mode", "is_homed", "is_runstopped", "is_streaming_position")
