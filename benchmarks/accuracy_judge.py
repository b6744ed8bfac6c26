"""How a decoder does on a session: single windows, and trials as decided live."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from calibration.held_out import judge_logits
from calibration.train import train_model
from calibration.train_settings import TrainSettings
from calibration.training_set import TrainingSet, trial_spans
from decoding.decoder_file import DecoderFile
from decoding.pipeline import DecoderPipeline
from decoding.signal_settings import SignalSettings
from decoding.windows import window_spec
from emg_acquisition.recording.session import Session, trials


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


class Judge:
    """Judges decoders on one session; features are computed once for each kind."""

    def __init__(self, session: Session) -> None:
        self.cued = trials(session)
        self._windows = TrainingSet([session], TrainSettings())

    def score(self, decoder: DecoderFile, repetitions: Iterable[int] | None) -> Score:
        """Judge a decoder on some repetitions, by the probabilities that its file gives window by window."""
        about = decoder.metadata
        wanted = None if repetitions is None else set(repetitions)
        tested = [
            one
            for one in self._windows.windows(about.signal)
            if wanted is None or one.trial.repetition in wanted
        ]
        classifier = decoder.classifier()
        logits = [
            np.log(
                np.maximum([classifier.probabilities(window) for window in one.block.features], 1e-30)
            ).astype(np.float64)
            for one in tested
        ]
        # The file's probabilities are calibrated already: a temperature of 1 leaves them as they are.
        found = judge_logits(logits, tested, about.gestures, about.decision, temperature=1.0)
        return Score(found.window_accuracy or 0.0, found.trial_accuracy or 0.0)


def as_decided(decoder: DecoderFile, session: Session) -> float:
    """Share of single windows right as the pipeline meets them, one after the other, with what it learns in use."""
    about = decoder.metadata
    pipeline = DecoderPipeline(decoder, session.emg.info)
    step = int(session.emg.info.fs_hz)
    decisions = [
        (one.sample_index, int(np.argmax(one.probabilities)))
        for start in range(0, len(session.emg.emg_uv), step)
        for one in pipeline.process(session.emg.emg_uv[start : start + step])
    ]
    sample, best = np.array(decisions).T
    window_samples = window_spec(about.signal, about.fs_hz).window_samples
    right = [
        best[span.steady(sample, window_samples)] == about.gestures.index(span.trial.gesture)
        for span in trial_spans(session, TrainSettings().margins)
    ]
    return float(np.concatenate(right).mean())


def threshold_free(
    session: Session, known: Iterable[int], tested: Iterable[int], signal: SignalSettings | None
) -> ChosenScore:
    """Choose, fit and judge without a decoder file: for recordings without rest, which make no decoder."""
    every = TrainingSet([session], TrainSettings(signal=signal))
    to_train, to_judge = (
        every.without((0, one.repetition) for one in trials(session) if one.repetition not in wanted)
        for wanted in (set(known), set(tested))
    )
    model = train_model(to_train, lambda _share: None)
    candidate, held_out = model.selection.candidate, model.selection.held_out
    windows = to_judge.windows(candidate.signal)
    found = judge_logits(
        [model.classifier.logits(one.block.features) for one in windows],
        windows,
        every.gestures,
        every.settings.decision,
        temperature=held_out.temperature,
    )
    return ChosenScore(
        found.window_accuracy or 0.0,
        found.trial_accuracy or 0.0,
        candidate.name,
        held_out.window_accuracy or 0.0,
    )
