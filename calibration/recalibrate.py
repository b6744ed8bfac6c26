"""An older decoder made to fit a new donning: by a few labelled repetitions, by activity without labels, or in use.

Labelled, three ways compete: *afresh* (the new repetitions alone), *pooled* (class statistics of then, laid to how
the sleeve lies now, counted as one repetition more, with a covariance from both), and *carried* (those of then
alone). Two repetitions or more choose by cross-validation over them; then nothing but a better score on repetitions
not trained on beats afresh. A single one cannot be held out, but the old decoder has not seen it: only if it is
right about enough of its windows are the two pooled, otherwise it is afresh.

Without labels, the decoder is carried over to the rotation and shift that `calibration.grid_shift` finds, or refused.

Reference
---------
Gelman et al., *Bayesian Data Analysis*, section 2.5: a prior mean weighted as a number of earlier observations.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.grid_shift import (
    GridShift,
    amplitude_maps,
    match_labelled,
    match_unlabelled,
    sources,
)
from calibration.held_out import HeldOutResult, assess_held_out
from calibration.model_selection import best_of
from calibration.train import effort_of, provenance
from calibration.train_settings import TrainSettings
from calibration.training_set import (
    LabelledWindows,
    Progress,
    TrainingSet,
    TrialWindows,
    join,
    select,
    session_features,
    stack_steady,
)
from decoding.class_statistics import ClassStatistics
from decoding.decoder_file import Considered, DecoderFile, DecoderMetadata, HeldOut, Recalibration
from decoding.drift import DriftSettings
from decoding.models.classifier import Classifier
from decoding.models.export import export_carried, export_decoder
from decoding.models.lda import class_statistics, lda_of_statistics
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import Session

# The old decoder is of use for this donning if it is right in nine windows of ten of a repetition it has not seen.
MIN_AGREEMENT = 0.9
OLD_COUNTS_AS_REPETITIONS = 1.0


@dataclass(frozen=True)
class RecalibrationReport:
    """What came of a recalibration; accuracies are held out, None where nothing could be held out."""

    decoder: Path
    model: str
    way: str
    shift: GridShift
    window_accuracy: float | None
    trial_accuracy: float | None
    seconds: float
    considered: tuple[Considered, ...]


def carry_over(
    decoder: DecoderFile,
    sessions: Sequence[Session],
    out: Path,
    progress: Progress,
    *,
    follow_drift: bool = False,
) -> RecalibrationReport:
    """Carry a decoder over to a new donning by activity without labels; cues in the sessions are not looked at.

    Parameters
    ----------
    decoder : DecoderFile
        The older decoder.
    sessions : sequence of Session
        Of the new donning: some seconds of rest and of two gestures at least.
    out : Path
        Decoder file to write.
    progress : callable
        Called with a stage's name and the share done.
    follow_drift : bool
        Whether the new decoder follows slow drift in use.

    Raises
    ------
    RecalibrationError
        If the evidence does not support it.
    InputError
        If a session does not fit the decoder.
    """
    began_s = time.monotonic()
    metadata = decoder.metadata
    statistics = _statistics_of(decoder)
    blocks = []
    for k, session in enumerate(sessions):
        metadata.verify_stream(session.emg.info)
        block = session_features(session, metadata.signal)
        blocks.append(select(block, block.quality >= metadata.decision.min_quality))
        progress("features", (k + 1) / len(sessions))
    progress("match", 0.0)
    shift = match_unlabelled(
        _gesture_maps(statistics, metadata),
        join(blocks),
        metadata.signal.features,
        metadata.electrode_grid,
        metadata.hop_rate_hz,
    )
    there = sources(metadata.electrode_grid, shift.rows, shift.columns)[0]
    about = _about(metadata, "carried", sessions, shift, follow_drift=follow_drift)
    export_carried(decoder, there, about, out, _laid(statistics, metadata, shift))
    progress("match", 1.0)
    return RecalibrationReport(
        out, metadata.model, "carried", shift, None, None, time.monotonic() - began_s, ()
    )


def recalibrate(
    decoder: DecoderFile,
    sessions: Sequence[Session],
    out: Path,
    progress: Progress,
    *,
    follow_drift: bool = False,
    margins: TrainSettings | None = None,
) -> RecalibrationReport:
    """Recalibrate a decoder by labelled repetitions of a new donning; never on less evidence than afresh.

    Parameters and errors are those of `carry_over`; the sessions need every gesture of the decoder, and `margins`
    says which part of a trial counts.
    """
    began_s = time.monotonic()
    metadata = decoder.metadata
    statistics = _statistics_of(decoder)
    settings = (margins or TrainSettings()).model_copy(update={"decision": metadata.decision})
    for session in sessions:
        metadata.verify_stream(session.emg.info)
    training = TrainingSet(sessions, settings.model_copy(update={"signal": metadata.signal}), progress)
    training.require_trainable()
    trials = training.windows(metadata.signal)
    _check_gestures(trials, metadata)
    known = stack_steady(trials, metadata.gestures)
    shift = _labelled_shift(statistics, known, metadata)
    laid = _laid(statistics, metadata, shift)
    chosen = _compete(trials, laid, metadata, lambda done: progress("held out", done))
    classifier = lda_of_statistics(chosen.made(known)).with_temperature(chosen.held_out.temperature)
    about = _about(metadata, chosen.way, sessions, shift, follow_drift=follow_drift).model_copy(
        update={
            "model": "lda",
            # A limit for unknown patterns belongs to the distance of the older array.
            "decision": metadata.decision.model_copy(update={"max_distance": None}),
            "effort": effort_of(known, metadata.gestures),
            "temperature": chosen.held_out.temperature,
            "held_out": HeldOut(
                window_accuracy=chosen.held_out.window_accuracy, trial_accuracy=chosen.held_out.trial_accuracy
            ),
            "considered": chosen.considered,
        }
    )
    export_decoder(classifier, about, out, chosen.made(known))
    progress("fit", 1.0)
    return RecalibrationReport(
        out,
        "lda",
        chosen.way,
        shift,
        chosen.held_out.window_accuracy,
        chosen.held_out.trial_accuracy,
        time.monotonic() - began_s,
        chosen.considered,
    )


def pooled(then: ClassStatistics, now: ClassStatistics) -> ClassStatistics:
    """Weigh statistics of then as `OLD_COUNTS_AS_REPETITIONS` more, and covariances by their trials."""
    repetitions = now.n_trials / len(now.means)
    weight = np.float32(OLD_COUNTS_AS_REPETITIONS / (OLD_COUNTS_AS_REPETITIONS + repetitions))
    share = np.float32(then.n_trials / (then.n_trials + now.n_trials))
    return ClassStatistics(
        weight * then.means + (1 - weight) * now.means,
        share * then.covariance + (1 - share) * now.covariance,
        then.n_trials + now.n_trials,
    )


Made = Callable[[LabelledWindows], ClassStatistics]


@dataclass(frozen=True)
class _Chosen:
    way: str
    made: Made
    held_out: HeldOutResult
    considered: tuple[Considered, ...]


def _compete(
    trials: Sequence[TrialWindows],
    then: ClassStatistics,
    metadata: DecoderMetadata,
    progress: Callable[[float], None],
) -> _Chosen:
    n_gestures = len(metadata.gestures)

    def afresh(known: LabelledWindows) -> ClassStatistics:
        return class_statistics(known.features, known.labels, n_gestures, known.trials)

    ways: dict[str, Made] = {
        "afresh": afresh,
        "pooled": lambda known: pooled(then, afresh(known)),
        "carried": lambda _known: then,
    }
    if len({(one.session, one.trial.repetition) for one in trials}) == 1:
        return _of_one_repetition(trials, then, metadata, ways)
    tried = []
    for k, (name, made) in enumerate(ways.items()):

        def fit(known: LabelledWindows, made: Made = made) -> Classifier:
            return lda_of_statistics(made(known))

        def report(done: float, k: int = k) -> None:
            progress((k + done) / len(ways))

        tried.append((name, assess_held_out(trials, metadata.gestures, metadata.decision, fit, report)))
    way, held_out = best_of(tried)
    considered = tuple(
        Considered(name=name, window_accuracy=result.window_accuracy, log_loss=result.log_loss)
        for name, result in tried
    )
    return _Chosen(way, ways[way], held_out, considered)


def _of_one_repetition(
    trials: Sequence[TrialWindows],
    then: ClassStatistics,
    metadata: DecoderMetadata,
    ways: dict[str, Made],
) -> _Chosen:
    known = stack_steady(trials, metadata.gestures)
    right = lda_of_statistics(then).logits(known.features).argmax(axis=1) == known.labels
    accuracy = float(right.mean())
    way = "pooled" if accuracy >= MIN_AGREEMENT else "afresh"
    considered = (Considered(name="carried", window_accuracy=accuracy, log_loss=None),)
    return _Chosen(way, ways[way], HeldOutResult(1.0, None, None), considered)


def _statistics_of(decoder: DecoderFile) -> ClassStatistics:
    if decoder.statistics is None:
        msg = f"{decoder.path}: holds no class statistics to recalibrate from; train it again with `hdemg train`"
        raise InputError(msg)
    return decoder.statistics


def _gesture_maps(statistics: ClassStatistics, metadata: DecoderMetadata) -> np.ndarray:
    maps = amplitude_maps(statistics.means, metadata.signal.features)
    return np.delete(maps, metadata.rest_index, axis=0)


def _labelled_shift(
    statistics: ClassStatistics, known: LabelledWindows, metadata: DecoderMetadata
) -> GridShift:
    maps = amplitude_maps(known.features, metadata.signal.features)
    now = np.stack([maps[known.labels == k].mean(axis=0) for k in range(len(metadata.gestures))])
    return match_labelled(
        _gesture_maps(statistics, metadata),
        np.delete(now, metadata.rest_index, axis=0),
        metadata.electrode_grid,
    )


def _laid(statistics: ClassStatistics, metadata: DecoderMetadata, shift: GridShift) -> ClassStatistics:
    """Lay statistics to how the sleeve lies now; electrodes beyond what was seen then hardly count."""
    back, seen = sources(metadata.electrode_grid, -shift.rows, -shift.columns)
    return statistics.seen_from(back).unsure_of(np.setdiff1d(np.arange(len(back)), seen))


def _check_gestures(trials: Sequence[TrialWindows], metadata: DecoderMetadata) -> None:
    have = {one.trial.gesture for one in trials}
    missing, other = sorted(set(metadata.gestures) - have), sorted(have - set(metadata.gestures))
    if missing or other:
        msg = (
            f"the decoder knows {', '.join(metadata.gestures)}; the sessions lack {', '.join(missing) or 'none'} and "
            f"hold {', '.join(other) or 'none'} besides: record the decoder's gestures, or train a new decoder"
        )
        raise InputError(msg)


def _about(
    metadata: DecoderMetadata, way: str, sessions: Sequence[Session], shift: GridShift, *, follow_drift: bool
) -> DecoderMetadata:
    """Describe the new decoder; what was held out for the old one says nothing about a new donning."""
    seen = tuple(provenance(session) for session in sessions)
    update: dict[str, object] = {
        "held_out": HeldOut(window_accuracy=None, trial_accuracy=None),
        "considered": (),
        "drift": DriftSettings() if follow_drift else metadata.drift,
    }
    if way == "afresh":
        return metadata.model_copy(
            update=update | {"training_sessions": seen, "recalibrations": (), "made_of": "lda afresh"}
        )
    done = tuple(
        Recalibration.model_validate(
            {
                "kind": way,
                "session": one.model_dump(),
                "rows": shift.rows,
                "columns": shift.columns,
                "similarity": shift.similarity,
            }
        )
        for one in seen
    )
    return metadata.model_copy(update=update | {"recalibrations": (*metadata.recalibrations, *done)})
