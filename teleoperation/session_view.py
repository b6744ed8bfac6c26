"""What there is to see of a session at one moment."""

from dataclasses import dataclass
from pathlib import Path

from robot_bridge.operator_link import RobotSnapshot
from teleoperation.observer import Seen
from teleoperation.preflight import Check
from teleoperation.supervisor import PartState
from teleoperation.trial_sheet import SheetView


@dataclass(frozen=True)
class Message:
    """A line for the people at the session, and when it was said (monotonic)."""

    t_mono_s: float
    text: str


@dataclass(frozen=True)
class TeleopView:
    """Everything that a window or a status line shows, at one moment.

    Parameters
    ----------
    robot : RobotSnapshot
        Bridge and robot.
    seen : tuple of Seen
        EMG and decisions, a sleeve each, in the order of the gesture map.
    parts : tuple of PartState
        The session's programs.
    checks : tuple of Check
        The preflight.
    sheet : SheetView
        The trial sheet.
    messages : tuple of Message
        What was told, oldest first.
    recording : Path or None
        Where the session is recorded.
    recorded_bytes : int
        How much so far.
    seconds : float
        How long the session has been ready.
    """

    robot: RobotSnapshot
    seen: tuple[Seen, ...]
    parts: tuple[PartState, ...]
    checks: tuple[Check, ...]
    sheet: SheetView
    messages: tuple[Message, ...]
    recording: Path | None
    recorded_bytes: int
    seconds: float

    @property
    def ready(self) -> bool:
        """Whether nothing speaks against arming."""
        return all(check.good for check in self.checks)

    @property
    def live(self) -> bool:
        """Whether the robot is armed."""
        return self.robot.safety_state in {"armed", "moving"}
