"""Sessions to labelled windows: what a decoder is trained on and judged by.

Where a session holds labels of the muscle (`calibration.trial_verdict`), a trial counts if it was found good, and its
steady part is what its label says. Elsewhere every cued trial counts, and its steady part lies beyond the margins
around the cues. A window is trained on if it lies wholly within the steady part and enough channels are usable.

`hdemg train`, `calibrate`, `recalibrate` and `evaluate` and the benchmarks all cut their windows here.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from calibration.protocol import Level
from calibration.train_settings import Margins, TrainSettings
from calibration.trial_verdict import TrialLabel, Verdict, labels_of
from decoding.feature_chain import FeatureBlock, FeatureChain
from decoding.repair import BoolArray
from decoding.signal_settings import SignalSettings
from decoding.windows import window_spec
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray, samples_from_ms
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.recording.session import RecordedSession, Session, Trial, trials
from emg_acquisition.stream_info import EmgStreamInfo
from emg_acquisition.streams.chunks import split_at_gaps

logger = logging.getLogger(__name__)

MIN_TRIALS = 2
Progress = Callable[[str, float], None]


def quiet(_stage: str, _share: float) -> None:
    """Report no progress."""


@dataclass(frozen=True)
class TrialSpan:
    """Where a trial lies in a recording, in samples; each end is not included.

    Parameters
    ----------
    trial : Trial
        What was asked for.
    begin, end : int
        A window belongs to the trial if it ends in here.
    steady_begin, steady_end : int
        A window counts if it lies wholly in here.
    level : {"", "comfortable", "strong"}
        Of an effort calibration; otherwise empty.
    """

    trial: Trial
    begin: int
    end: int
    steady_begin: int
    steady_end: int
    level: Level = ""

    def holds(self, window_samples: int) -> bool:
        """Whether the steady part is as long as a window."""
        return self.steady_end - self.steady_begin >= window_samples

    def steady(self, last_sample: IntArray, window_samples: int) -> BoolArray:
        """Return which windows, by their newest samples, lie wholly in the steady part: shape (n_windows,)."""
        first_sample = last_sample - (window_samples - 1)
        return np.asarray((first_sample >= self.steady_begin) & (last_sample < self.steady_end))


def trial_spans(session: RecordedSession, margins: Margins) -> tuple[TrialSpan, ...]:
    """Return the trials of a session that count, by labels of the muscle where there are any, else by margins."""
    labels = labels_of(session.events)
    if labels:
        return tuple(
            _labelled_span(trial, labels[trial.trial], session.emg.t_lsl_s)
            for trial in trials(session)
            if trial.trial in labels and labels[trial.trial].verdict is Verdict.GOOD
        )
    after, before = (
        samples_from_ms(1000.0 * margin_s, session.emg.info.fs_hz) if margin_s > 0 else 0
        for margin_s in (margins.after_cue_s, margins.before_next_s)
    )
    return tuple(
        TrialSpan(trial, trial.start, trial.stop, trial.start + after, trial.stop - before)
        for trial in trials(session)
    )


def _labelled_span(trial: Trial, label: TrialLabel, t_lsl_s: Float64Array) -> TrialSpan:
    begin, end = np.searchsorted(t_lsl_s, (label.from_lsl_s, label.until_lsl_s)).tolist()
    # The muscle may begin ahead of its cue and let go after the next.
    return TrialSpan(trial, min(trial.start, begin), max(trial.stop, end), begin, end, label.level)


@dataclass(frozen=True)
class TrialWindows:
    """The windows of one trial, all of them in order of time.

    Parameters
    ----------
    trial : Trial
        What was asked for, when.
    session : int
        Which of the sessions given.
    block : FeatureBlock
        Windows that end within the trial; `last_sample` counts from the session's beginning.
    steady : ndarray of bool, shape (n_windows,)
        Windows to train on and to be judged by.
    level : {"", "comfortable", "strong"}
        Of an effort calibration; otherwise empty.
    """

    trial: Trial
    session: int
    block: FeatureBlock
    steady: BoolArray
    level: Level = ""


def cut_windows(
    block: FeatureBlock,
    window_samples: int,
    spans: Iterable[TrialSpan],
    *,
    session: int,
    min_quality: float,
) -> list[TrialWindows]:
    """Give each trial its windows and mark those that count.

    Parameters
    ----------
    block : FeatureBlock
        Of the whole session.
    window_samples : int
        Length of a window.
    spans : iterable of TrialSpan
        Of the trials.
    session : int
        Which of the sessions this is.
    min_quality : float
        Windows with a smaller share of usable channels do not count.
    """
    found = []
    for span in spans:
        inside = (block.last_sample >= span.begin) & (block.last_sample < span.end)
        steady = span.steady(block.last_sample, window_samples) & (block.quality >= min_quality)
        found.append(TrialWindows(span.trial, session, select(block, inside), steady[inside], span.level))
    return found


def session_features(session: Session, signal: SignalSettings) -> FeatureBlock:
    """Return the features of a whole session; filter state never crosses a gap."""
    emg = session.emg
    chain = FeatureChain(signal, emg.info.fs_hz, emg.info.grid)
    blocks: list[FeatureBlock] = []
    taken = 0
    for chunk in split_at_gaps(emg.emg_uv, emg.t_lsl_s, emg.info, None):
        chain.reset()
        block = chain.process(chunk.emg_uv)
        blocks.append(replace(block, last_sample=block.last_sample + taken))
        taken += chunk.n_samples
    return join(blocks)


def select(block: FeatureBlock, chosen: BoolArray) -> FeatureBlock:
    """Return some of a block's windows."""
    return FeatureBlock(
        block.features[chosen], block.log_amplitude[chosen], block.quality[chosen], block.last_sample[chosen]
    )


def join(blocks: Sequence[FeatureBlock]) -> FeatureBlock:
    """Return the windows of several blocks, one after the other."""
    return FeatureBlock(
        np.concatenate([block.features for block in blocks]),
        np.concatenate([block.log_amplitude for block in blocks]),
        np.concatenate([block.quality for block in blocks]),
        np.concatenate([block.last_sample for block in blocks]),
    )


@dataclass(frozen=True)
class LabelledWindows:
    """Steady windows of many trials, stacked for a classifier.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_channels, n_features)
    labels : ndarray of int64, shape (n_windows,)
        Index into the gestures.
    trials : ndarray of int64, shape (n_windows,)
        Which windows are of one trial, and so not independent of each other.
    log_amplitude : ndarray, shape (n_windows,)
        For effort.
    """

    features: Float32Array
    labels: IntArray
    trials: IntArray
    log_amplitude: Float32Array


def stack_steady(windows: Sequence[TrialWindows], gestures: Sequence[str]) -> LabelledWindows:
    """Stack the steady windows, each labelled by its trial's gesture."""
    return LabelledWindows(
        np.concatenate([one.block.features[one.steady] for one in windows]),
        np.concatenate([np.full(one.steady.sum(), gestures.index(one.trial.gesture)) for one in windows]),
        np.concatenate([np.full(one.steady.sum(), index) for index, one in enumerate(windows)]),
        np.concatenate([one.block.log_amplitude[one.steady] for one in windows]),
    )


class FeatureCache:
    """Features of whole sessions, kept: training again with other gestures then takes seconds."""

    def __init__(self) -> None:
        # The session is kept along, so that its id stays its own.
        self._made: dict[tuple[int, SignalSettings], tuple[Session, FeatureBlock]] = {}

    def features(self, session: Session, signal: SignalSettings) -> FeatureBlock:
        """Return `session_features`, computed once."""
        key = (id(session), signal)
        if key not in self._made:
            self._made[key] = (session, session_features(session, signal))
        return self._made[key][1]


class TrainingSet:
    """The labelled windows of sessions, for any features; each kind is computed once.

    Parameters
    ----------
    sessions : sequence of Session
        Of the same grid, rate and channels.
    settings : TrainSettings
        Margins, least quality, and gestures to drop or merge.
    progress : callable
        Called with a stage's name and the share done, 0 to 1.
    cache : FeatureCache, optional
        Of an earlier training on the same sessions.
    part : tuple of spans and gestures, optional
        What `without` leaves of another set.

    Raises
    ------
    InputError
        If there is no session, the sessions differ in kind, one has no cues, or a gesture to drop or merge is
        not there.
    """

    def __init__(
        self,
        sessions: Sequence[Session],
        settings: TrainSettings,
        progress: Progress = quiet,
        cache: FeatureCache | None = None,
        *,
        part: tuple[list[list[TrialSpan]], tuple[str, ...]] | None = None,
    ) -> None:
        _check_same_kind(sessions)
        self.sessions = tuple(sessions)
        self.settings = settings
        self._progress = progress
        self._cache = cache or FeatureCache()
        self._windows: dict[SignalSettings, list[TrialWindows]] = {}
        self._spans, self._gestures = part or (
            _chosen([_spans_of(session, settings.margins) for session in sessions], settings),
            (),
        )

    @property
    def stream(self) -> EmgStreamInfo:
        """What the sessions' EMG is like."""
        return self.sessions[0].emg.info

    @property
    def any_windows(self) -> list[TrialWindows]:
        """The trials with a usable window, whatever the features: all candidates share window and hop."""
        return self.windows(self.settings.signal or self.settings.base_signal)

    @property
    def gestures(self) -> tuple[str, ...]:
        """Rest first, where there is one, the others by name: an order that no drawn cue order can change."""
        if not self._gestures:
            names = {one.trial.gesture for one in self.any_windows}
            self._gestures = (*([REST] if REST in names else []), *sorted(names - {REST}))
        return self._gestures

    def features(self, session: int, signal: SignalSettings) -> FeatureBlock:
        """Return all windows of a session."""
        return self._cache.features(self.sessions[session], signal)

    def windows(self, signal: SignalSettings) -> list[TrialWindows]:
        """Return every trial with at least one usable window.

        Raises
        ------
        InputError
            If there is none.
        """
        if signal not in self._windows:
            self._windows[signal] = [one for one in self._cut(signal) if one.steady.any()]
        if not self._windows[signal]:
            settings = self.settings
            msg = (
                f"no trial has a usable window: {settings.after_cue_s:g} s after its cue and "
                f"{settings.before_next_s:g} s before the next do not leave {signal.window_ms:g} ms (--after-cue and "
                "--before-next say how much to leave out), or the signal is too poor"
            )
            raise InputError(msg)
        return self._windows[signal]

    def stacked(self, signal: SignalSettings) -> LabelledWindows:
        """Return the usable windows of all trials for a classifier, labelled by index into `gestures`."""
        return stack_steady(self.windows(signal), self.gestures)

    def without(
        self, repetitions: Iterable[tuple[int, int]] = (), gestures: Iterable[str] = ()
    ) -> "TrainingSet":
        """Return the same set without some repetitions, each (session, repetition), or without some gestures."""
        repetitions, dropped = set(repetitions), set(gestures)
        kept = [
            [
                span
                for span in spans
                if (session, span.trial.repetition) not in repetitions and span.trial.gesture not in dropped
            ]
            for session, spans in enumerate(self._spans)
        ]
        names = tuple(gesture for gesture in self.gestures if gesture not in dropped)
        return TrainingSet(self.sessions, self.settings, cache=self._cache, part=(kept, names))

    def require_trainable(self) -> None:
        """Refuse a set that makes no decoder.

        Raises
        ------
        InputError
            If there is no rest, no gesture besides, or too few usable trials of one.
        """
        usable = self.any_windows
        asked = {span.trial.gesture for spans in self._spans for span in spans}
        counts = Counter(one.trial.gesture for one in usable)
        if REST not in counts or len(asked) == 1:
            have = ", ".join(sorted(counts))
            msg = f"training needs {REST!r} and a gesture, got {have}; rest is what stops the robot"
            raise InputError(msg)
        repetitions = {(one.session, one.trial.repetition) for one in usable}
        needed = MIN_TRIALS if len(repetitions) > 1 else 1
        scarce = [f"{gesture} ({counts[gesture]})" for gesture in sorted(asked) if counts[gesture] < needed]
        if scarce:
            msg = f"too few usable trials of {', '.join(scarce)}: {needed} at least are needed; record more"
            raise InputError(msg)
        if len(repetitions) == 1:
            logger.warning("a single repetition: accuracy cannot be measured on held-out trials")

    def _cut(self, signal: SignalSettings) -> list[TrialWindows]:
        window_samples = window_spec(signal, self.stream.fs_hz).window_samples
        min_quality = self.settings.decision.min_quality
        found: list[TrialWindows] = []
        for session, spans in enumerate(self._spans):
            block = self.features(session, signal)
            found += cut_windows(block, window_samples, spans, session=session, min_quality=min_quality)
            self._progress("features", (session + 1) / len(self.sessions))
        return found


def _check_same_kind(sessions: Sequence[Session]) -> None:
    if not sessions:
        msg = "no session to train on; name at least one session folder"
        raise InputError(msg)
    first = sessions[0].emg.info
    for session in sessions[1:]:
        info = session.emg.info
        pairs = {
            "sampling rate": (info.fs_hz, first.fs_hz),
            "grid": (_layout(info.grid), _layout(first.grid)),
            "channel labels": (info.channel_labels, first.channel_labels),
        }
        differing = [name for name, (got, wanted) in pairs.items() if got != wanted]
        if differing:
            msg = (
                f"{session.folder}: {', '.join(differing)} not the same as in {sessions[0].folder}; "
                f"train on sessions of one sleeve"
            )
            raise InputError(msg)


def _layout(grid: object) -> tuple[object, ...]:
    return tuple(getattr(grid, name) for name in ("channel_at", "pitch_mm", "wraps"))


def _spans_of(session: Session, margins: Margins) -> tuple[TrialSpan, ...]:
    if not trials(session):
        msg = f"{session.folder}: holds no cue, so nothing says what was asked for; record it with cues"
        raise InputError(msg)
    return trial_spans(session, margins)


def _chosen(found: Sequence[Sequence[TrialSpan]], settings: TrainSettings) -> list[list[TrialSpan]]:
    """Leave out the gestures to drop, and call those to merge by one name."""
    there = {span.trial.gesture for spans in found for span in spans}
    name_of = {second: first for first, second in settings.merge}
    named = {*settings.drop, *(name for pair in settings.merge for name in pair)}
    if REST in named or named - there:
        msg = (
            f"gestures to drop or merge: {', '.join(sorted(named - there or {REST}))} cannot be chosen; "
            f"there are {', '.join(sorted(there - {REST}))}"
        )
        raise InputError(msg)
    return [
        [
            replace(
                span, trial=replace(span.trial, gesture=name_of.get(span.trial.gesture, span.trial.gesture))
            )
            for span in spans
            if span.trial.gesture not in settings.drop
        ]
        for spans in found
    ]
