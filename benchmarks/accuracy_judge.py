"""How a decoder does on a session: single windows, and trials as decided live."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calibration.choice import Wish, choose
from calibration.held_out import judge
from calibration.labels import TrialWindows, session_windows, stack_steady, windows_for_trials
from decoding.decision import DecisionSettings
from decoding.decoder_file import DecoderFile
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from emg_acquisition.recording.session import Session, trials
from evaluation.metrics import CUE_MARGIN_S


@dataclass(frozen=True)
class Score:
    """Share of single windows right (best gesture, no rejection, no smoothing), and of trials (as decided live)."""

    windows: float
    trials: float


@dataclass(frozen=True)
class ChosenScore(Score):
    """The same, with what it was made of and what held-out repetitions had said."""

    made_of: str
    held_out: float


def quiet(_stage: str, _share: float) -> None:
    """Tell nobody how far it is."""


class Judge:
    """Judges decoders on one session; features are computed once for each kind."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.cued = trials(session)
        self._made: dict[SignalSettings, list[TrialWindows]] = {}

    def windows(self, signal: SignalSettings) -> list[TrialWindows]:
        """Every trial, its windows outside `CUE_MARGIN_S` of a cue change marked."""
        if signal not in self._made:
            block, window_samples = session_windows(self._session, signal)
            margin = round(CUE_MARGIN_S * self._session.emg.info.fs_hz)
            self._made[signal] = windows_for_trials(
                block,
                window_samples,
                self.cued,
                session=0,
                after_cue_samples=margin,
                before_next_samples=margin,
                min_quality=0.0,
            )
        return self._made[signal]

    def score(self, decoder: DecoderFile, repetitions: Iterable[int] | None) -> Score:
        """Judge a decoder on some repetitions, by the probabilities that its file gives window by window."""
        about = decoder.metadata
        wanted = None if repetitions is None else set(repetitions)
        tested = [
            one
            for one in self.windows(about.signal)
            if one.steady.any() and (wanted is None or one.trial.repetition in wanted)
        ]
        classifier = decoder.classifier()
        logits = [
            np.log(
                np.maximum([classifier.probabilities(window) for window in one.block.features], 1e-30)
            ).astype(np.float64)
            for one in tested
        ]
        # The file's probabilities are calibrated already: a temperature of 1 leaves them as they are.
        said = judge(logits, tested, about.gestures, about.decision, [range(len(tested))], temperature=1.0)
        return Score(said.window_accuracy or 0.0, said.trial_accuracy or 0.0)


def as_decided(decoder: DecoderFile, session: Session) -> float:
    """Share of single windows right as the pipeline meets them, one after the other, with what it learns in use."""
    pipeline = DecoderPipeline(decoder, session.emg.info)
    fs_hz = session.emg.info.fs_hz
    step = int(fs_hz)
    said = [
        (one.sample_index, int(np.argmax(one.probabilities)))
        for start in range(0, len(session.emg.emg_uv), step)
        for one in pipeline.process(session.emg.emg_uv[start : start + step])
    ]
    sample, best = np.array(said).T
    first = sample - round(decoder.metadata.signal.window_ms * fs_hz / 1000.0) + 1
    margin = round(CUE_MARGIN_S * fs_hz)
    right = [
        best[(first >= trial.start + margin) & (sample < trial.stop - margin)]
        == decoder.metadata.gestures.index(trial.gesture)
        for trial in trials(session)
    ]
    return float(np.concatenate(right).mean())


def threshold_free(
    session: Session, known: Iterable[int], tested: Iterable[int], signal: SignalSettings | None
) -> ChosenScore:
    """Choose, fit and judge without a decoder file: for recordings without rest, which make no decoder."""
    windows = Judge(session)
    gestures = tuple(sorted({trial.gesture for trial in windows.cued}))
    of_known, of_tested = set(known), set(tested)

    def part(settings: SignalSettings, wanted: set[int]) -> list[TrialWindows]:
        return [
            one for one in windows.windows(settings) if one.trial.repetition in wanted and one.steady.any()
        ]

    choice = choose(
        Wish("auto", signal, DecisionSettings()),
        lambda settings: part(settings, of_known),
        gestures,
        session.emg.info,
        lambda _share: None,
    )
    chosen = choice.candidate
    classifier = chosen.fit(
        stack_steady(part(chosen.signal, of_known), gestures), len(gestures), session.emg.info.grid
    )
    judged = part(chosen.signal, of_tested)
    logits = [classifier.logits(one.block.features) for one in judged]
    said = judge(
        logits,
        judged,
        gestures,
        DecisionSettings(),
        [range(len(judged))],
        temperature=choice.held_out.temperature,
    )
    return ChosenScore(
        said.window_accuracy or 0.0,
        said.trial_accuracy or 0.0,
        chosen.name,
        choice.held_out.window_accuracy or 0.0,
    )
