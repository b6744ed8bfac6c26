"""A recorded session as a replay window shows it, without Qt: where one is, what is read, what is judged."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from decoding.decoder_file import DecoderFile
from emg_acquisition.recording.session import RecordedSession
from evaluation.session_timeline import (
    Decisions,
    Mistake,
    cues_of,
    happenings_of,
    mistakes_of,
    recorded_decisions_of,
)
from ui.view_models.replay_place import ReplayPlace
from ui.view_models.replay_reader import ReplayReader

SECOND_S = 1.0
ZOOM = 2.0


@dataclass(frozen=True)
class ReplaySettings:
    """What is looked at.

    Parameters
    ----------
    session : RecordedSession
        Opened, its EMG on disk.
    decoder : DecoderFile or None
        What it is decoded with once more; None where there is no decoder.
    judges_replay : bool
        Whether the replayed decisions are held against the cues first, not the recorded ones.
    after_cue_s, before_next_s : float
        Left out at either end of a cue.
    speed : float
        Times real time when it plays.
    """

    session: RecordedSession
    decoder: DecoderFile | None
    judges_replay: bool
    after_cue_s: float
    before_next_s: float
    speed: float = 1.0


class ReplayModel:
    """The session, the place in it, and what a person can do.

    Parameters
    ----------
    settings : ReplaySettings
        What is looked at.

    Raises
    ------
    InputError
        If a cue of the session is damaged.
    """

    def __init__(self, settings: ReplaySettings) -> None:
        self.settings = settings
        session = settings.session
        self.reader = ReplayReader(session, settings.decoder)
        self.cues, self.happenings = cues_of(session), happenings_of(session)
        self.recorded = recorded_decisions_of(session)
        self.judges_replay = settings.judges_replay or self.recorded is None
        self.place = ReplayPlace(float(session.emg.t_lsl_s[-1] - session.emg.t_lsl_s[0]), settings.speed)
        self.mistakes: tuple[Mistake, ...] = ()
        self.judge()

    @property
    def gestures(self) -> tuple[str, ...]:
        """Every gesture that was decided, can be decided or was asked for."""
        recorded = self.recorded.gestures if self.recorded is not None else ()
        decoder = self.settings.decoder
        known = decoder.metadata.gestures if decoder is not None else ()
        return tuple(dict.fromkeys((*recorded, *known, *(cue.gesture for cue in self.cues))))

    @property
    def judged(self) -> Decisions | None:
        """The decisions that are held against the cues; None where there are none, or none yet."""
        return self.reader.replayed if self.judges_replay else self.recorded

    @property
    def judged_name(self) -> str:
        """Whose decisions those are."""
        return "replayed" if self.judges_replay else "recorded"

    @property
    def hop_s(self) -> float:
        """Seconds between two decisions; a frame of the screen where there are none."""
        session, decoder = self.settings.session, self.settings.decoder
        if session.gestures is not None:
            return 1.0 / session.gestures.info.rate_hz
        return 1.0 / decoder.metadata.hop_rate_hz if decoder is not None else 1 / 30

    @property
    def state(self) -> str:
        """What goes on, in a line."""
        reader = self.reader
        parts = ["playing" if self.place.playing else "paused"]
        if reader.step:
            parts.append(f"{reader.step}: {100 * reader.share:.0f} %")
        if self.judged is None and reader.done.is_set():
            parts.append("no decisions: name a decoder with --decoder")
        elif not self.cues:
            parts.append("no cues: nothing can be judged")
        return " · ".join(part for part in (*parts, reader.verdict, reader.problem) if part)

    def judge(self) -> None:
        """Find what differs from its cue, anew."""
        judged, settings = self.judged, self.settings
        self.mistakes = ()
        if judged is not None:
            self.mistakes = mistakes_of(
                judged, self.cues, after_cue_s=settings.after_cue_s, before_next_s=settings.before_next_s
            )

    # ---- what a person does

    def step(self, seconds: float) -> None:
        """Pause, and go a little on or back."""
        self.place.playing = False
        self.place.seek(self.place.cursor_s + seconds)

    def jump_to_mistake(self, way: int) -> None:
        """Go to the next (1) or the previous (-1) stretch that differs from its cue."""
        self.place.jump([one.begin_s for one in self.mistakes], way)

    def jump_to_event(self, way: int) -> None:
        """Go to the next or the previous event."""
        self.place.jump([one.t_s for one in self.happenings], way)

    def judge_other(self) -> None:
        """Hold the replayed decisions against the cues instead of the recorded ones, or the other way round."""
        other = self.recorded if self.judges_replay else self.reader.replayed
        if other is not None:
            self.judges_replay = not self.judges_replay
            self.judge()

    def acts(self) -> dict[str, Callable[[], object]]:
        """Return what each key does, by its name as Qt's key sequences write it."""
        place, hop_s = self.place, self.hop_s
        return {
            "Space": place.play_or_pause,
            "Left": partial(self.step, -hop_s),
            "Right": partial(self.step, hop_s),
            "Shift+Left": partial(self.step, -SECOND_S),
            "Shift+Right": partial(self.step, SECOND_S),
            "Home": partial(self.step, -place.seconds),
            "End": partial(self.step, place.seconds),
            "P": partial(self.jump_to_mistake, -1),
            "N": partial(self.jump_to_mistake, 1),
            "E": partial(self.jump_to_event, 1),
            "Shift+E": partial(self.jump_to_event, -1),
            "+": partial(place.zoom, 1 / ZOOM),
            "-": partial(place.zoom, ZOOM),
            "0": place.show_all,
            "R": self.judge_other,
        }
