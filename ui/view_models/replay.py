"""A recorded session as a replay window shows it, without Qt: where one is, what is read, what is judged."""

from collections.abc import Callable, Iterable
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
from ui.view_models.replay_reader import ReplayReader

SECOND_S = 1.0
ZOOM = 2.0
FIRST_SPAN_S = 20.0
MIN_SPAN_S = 0.2
# A cursor that has left what is shown comes back in at this part of it.
LEAD_IN = 0.25
# A jump from where one stands must not find the same place again.
SAME_PLACE_S = 1e-6


class ReplayPlace:
    """A cursor and a view, in seconds from the session's first sample.

    Parameters
    ----------
    seconds : float
        How long the session is.
    speed : float
        Times real time when it plays.
    """

    def __init__(self, seconds: float, speed: float = 1.0) -> None:
        self.seconds, self.speed = seconds, speed
        self.cursor_s, self.playing = 0.0, False
        self.begin_s, self.end_s = 0.0, min(seconds, FIRST_SPAN_S)

    def seek(self, t_s: float) -> None:
        """Go to a time; the view comes along where it must."""
        self.cursor_s = min(max(0.0, t_s), self.seconds)
        if not self.begin_s <= self.cursor_s <= self.end_s:
            span_s = self.end_s - self.begin_s
            self.show(self.cursor_s - LEAD_IN * span_s, self.cursor_s + (1 - LEAD_IN) * span_s)

    def show(self, begin_s: float, end_s: float) -> None:
        """Show a stretch, moved and cut to what there is; the cursor stays."""
        span_s = min(max(MIN_SPAN_S, end_s - begin_s), self.seconds)
        self.begin_s = min(max(0.0, begin_s), self.seconds - span_s)
        self.end_s = self.begin_s + span_s

    def zoom(self, factor: float, about_s: float | None = None) -> None:
        """Show `factor` times as much, and keep a time (the cursor, if it is shown) where it is on the screen."""
        if about_s is None:
            shown = self.begin_s <= self.cursor_s <= self.end_s
            about_s = self.cursor_s if shown else (self.begin_s + self.end_s) / 2
        self.show(about_s - factor * (about_s - self.begin_s), about_s + factor * (self.end_s - about_s))

    def show_all(self) -> None:
        """Show the whole session."""
        self.show(0.0, self.seconds)

    def play_or_pause(self) -> None:
        """Play on from the cursor, or from the beginning where it stands at the end; or pause."""
        if not self.playing and self.cursor_s >= self.seconds:
            self.seek(0.0)
        self.playing = not self.playing

    def advance(self, seconds: float) -> None:
        """Let time go on while it plays; it pauses at the end."""
        if not self.playing:
            return
        self.seek(self.cursor_s + self.speed * seconds)
        self.playing = self.cursor_s < self.seconds

    def jump(self, times_s: Iterable[float], way: int) -> bool:
        """Pause and go to the next (1) or previous (-1) of some times; whether there is one."""
        beyond = [t_s for t_s in times_s if (t_s - self.cursor_s) * way > SAME_PLACE_S]
        if not beyond:
            return False
        self.playing = False
        self.seek(min(beyond) if way > 0 else max(beyond))
        return True


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
        """Find again what differs from its cue."""
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
