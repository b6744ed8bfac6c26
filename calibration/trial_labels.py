"""What was found of each trial, as events of the recording: the label that training uses, and the progress made.

A ``label`` event belongs to a ``cue`` event by its trial number. Of several for one trial the last counts, so that a
trial can be withdrawn; nothing that was recorded is ever changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from calibration.protocol import Level
from emg_acquisition.errors import InputError
from emg_acquisition.events import Event

LABEL = "label"


class Verdict(Enum):
    """What became of a trial; only `GOOD` is trained on, and only `GOOD` and `SKIPPED` are not offered again."""

    GOOD = "good"
    NO_ACTIVITY = "no_activity"
    OUTLIER = "outlier"
    BAD_SIGNAL = "bad_signal"
    STREAM_LOST = "stream_lost"
    PAUSED = "paused"
    REPEATED = "repeated"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class TrialLabel:
    """A verdict on a trial and, where it is good, the times between which its gesture is steady.

    Parameters
    ----------
    trial, gesture, repetition, level
        As its cue has them.
    verdict : Verdict
        What became of it.
    from_lsl_s, until_lsl_s : float
        Steady between these; what lies outside, up to onset and offset, is transition.
    onset_lsl_s, offset_lsl_s : float
        Where the muscle begins and ends; of a rest, the same as the above.
    log_rms : tuple of float
        By channel, of the steady part, in log µV: what siblings are compared by. Empty for rest.
    """

    trial: int
    gesture: str
    repetition: int
    level: Level
    verdict: Verdict
    from_lsl_s: float = 0.0
    until_lsl_s: float = 0.0
    onset_lsl_s: float = 0.0
    offset_lsl_s: float = 0.0
    log_rms: tuple[float, ...] = ()

    def to_event(self, t_lsl_s: float) -> Event:
        """Return the event that says so, at the time when it was found."""
        fields: dict[str, object] = {
            "trial": self.trial,
            "gesture": self.gesture,
            "repetition": self.repetition,
            "level": self.level,
            "verdict": self.verdict.value,
        }
        if self.verdict is Verdict.GOOD:
            fields |= {
                "from_lsl_s": self.from_lsl_s,
                "until_lsl_s": self.until_lsl_s,
                "onset_lsl_s": self.onset_lsl_s,
                "offset_lsl_s": self.offset_lsl_s,
                "log_rms": [round(value, 4) for value in self.log_rms],
            }
        return Event(t_lsl_s, LABEL, fields)


def label_from_event(event: Event) -> TrialLabel:
    """Read a label.

    Raises
    ------
    InputError
        If it lacks something.
    """
    fields = dict(event.fields)
    try:
        verdict = Verdict(fields.pop("verdict"))
        log_rms = tuple(float(value) for value in fields.pop("log_rms", ()))
        return TrialLabel(verdict=verdict, log_rms=log_rms, **fields)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"label {event.to_json()[:80]} is not one of this program's ({error}); the recording cannot be used"
        raise InputError(msg) from error


def labels_of(events: Iterable[Event]) -> dict[int, TrialLabel]:
    """Return the last label of each trial, by trial number; empty where the muscle was never looked at."""
    return {
        label.trial: label for label in (label_from_event(event) for event in events if event.kind == LABEL)
    }
