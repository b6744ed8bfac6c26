"""What can be wrong with the simulated robot and its driver: one frozen set, in force until the next one.

For tests (``driver.set_faults(Faults(...))``) and, where the robot was started with ``--faults``, over ROS 2: a JSON
object on `FAULTS_TOPIC` is the whole set from then on, and ``{}`` ends them all.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

FAULTS_TOPIC = "sim/faults"
# Below this the robot presses its own run-stop (stretch_body's ``low_voltage_alert``, ``stop_at_low_voltage``).
LOW_VOLTAGE_V = 10.5
Joint = Literal["lift", "arm", "wrist_yaw", "wrist_pitch", "wrist_roll", "gripper", "head_pan", "head_tilt"]
Service = Literal[
    "switch_to_position_mode",
    "switch_to_navigation_mode",
    "switch_to_trajectory_mode",
    "switch_to_gamepad_mode",
    "activate_streaming_position",
    "deactivate_streaming_position",
    "stop_the_robot",
    "home_the_robot",
    "stow_the_robot",
    "get_joint_states",
    "runstop",
    "self_collision_avoidance",
]


class Faults(BaseModel):
    """Everything that is wrong now; nothing is, by default.

    Parameters
    ----------
    blocked : frozenset of str
        Joints, or ``base``, that something holds where they are: the motor presses, its effort rises.
    pushed : mapping of str to float
        Joints that somebody pushes on at a speed (m/s or rad/s), whatever their motors do.
    runaway : (float, float), optional
        The wheels run at this base velocity (m/s, rad/s) whatever they are told, until a run-stop cuts their drives.
    readings : mapping of str to float
        What joint_states say of a joint instead of where it is, m or rad.
    reading_ticks : int
        For how many joint states; 0 is for as long as the set is in force.
    commands_late_s : float
        How late Twists and poses reach the driver; its own topics stay on time.
    mute_services : frozenset of str
        Services that take a request and do nothing with it until the set has changed.
    clock_jump_s : float
        How far the driver's clock is off: its stamps, and its time-out of Twists.
    battery_v : float
        Voltage of the battery.
    restart_s : float
        The driver ends as the set comes into force, and is there again so much later, as it was started. The robot is
        the same, its odometry begins at zero.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    blocked: frozenset[Joint | Literal["base"]] = frozenset()
    pushed: Mapping[Joint, Annotated[float, Field(ge=-1, le=1)]] = Field(default_factory=dict)
    runaway: tuple[float, float] | None = None
    readings: Mapping[Joint, float] = Field(default_factory=dict)
    reading_ticks: int = Field(default=0, ge=0)
    commands_late_s: float = Field(default=0.0, ge=0, le=10)
    mute_services: frozenset[Service] = frozenset()
    clock_jump_s: float = 0.0
    battery_v: float = Field(default=13.0, gt=0)
    restart_s: float = Field(default=0.0, ge=0, le=60)


NO_FAULTS = Faults()
