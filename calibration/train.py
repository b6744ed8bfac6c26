"""Sessions to a decoder: check, window, judge on held-out repetitions, fit, calibrate effort, export."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.model_selection import Selection, load_network, select_model
from calibration.protocol import STRONG
from calibration.train_settings import TrainSettings
from calibration.training_set import FeatureCache, LabelledWindows, Progress, TrainingSet, stack_steady
from calibration.unknown import fit_rejection
from decoding.decision import DecisionSettings, EffortCalibration
from decoding.decoder_file import DecoderMetadata, HeldOut, TrainingSession
from decoding.filters import design_filter
from decoding.models.classifier import Classifier
from decoding.models.export import export_decoder, software_versions
from emg_acquisition.events import REST
from emg_acquisition.grid import GridSettings
from emg_acquisition.recording.session import Session

# A gesture hardly above rest still needs a span over which effort can rise: a tenth in log units is 10 %.
MIN_EFFORT_SPAN = 0.1


@dataclass(frozen=True)
class TrainReport:
    """What came of a training; accuracies are held out, None with a single repetition."""

    decoder: Path
    model: str
    made_of: str
    window_accuracy: float | None
    trial_accuracy: float | None
    seconds: float
    gestures: tuple[str, ...]
    n_trials: int
    n_windows: int
    temperature: float
    confusion: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True)
class TrainedModel:
    """What was selected, fitted on everything, its probabilities calibrated by held-out repetitions."""

    selection: Selection
    classifier: Classifier


def train_model(training: TrainingSet, progress: Callable[[float], None]) -> TrainedModel:
    """Select a model by held-out repetitions and fit it on the whole training set.

    Parameters
    ----------
    training : TrainingSet
        What to train on.
    progress : callable
        Called with the share of the selection done.
    """
    selection = select_model(training, progress)
    known = training.stacked(selection.candidate.signal)
    classifier = selection.candidate.fit(known, len(training.gestures), training.stream.grid)
    return TrainedModel(selection, classifier.with_temperature(selection.held_out.temperature))


def train_decoder(
    sessions: Sequence[Session],
    out: Path,
    settings: TrainSettings,
    progress: Progress,
    cache: FeatureCache | None = None,
) -> TrainReport:
    """Train on every trial of the sessions and write a decoder file.

    Parameters
    ----------
    sessions : sequence of Session
        Of the same grid, rate and channels.
    out : Path
        Decoder file to write; written whole or not at all.
    settings : TrainSettings
        Signal, decision and margins.
    progress : callable
        Called with a stage's name and the share done, 0 to 1.
    cache : FeatureCache, optional
        Of an earlier training on the same sessions.

    Raises
    ------
    InputError
        If the sessions differ in kind, have no cues or no ``rest``, or a gesture has too few trials.
    ModuleNotFoundError
        If the network is asked for and torch is not installed.
    """
    began_s = time.monotonic()
    if settings.model == "cnn":
        load_network()
    training = TrainingSet(sessions, settings, progress, cache)
    training.require_trainable()
    gestures = training.gestures
    model = train_model(training, lambda done: progress("held out", done))
    candidate, held_out = model.selection.candidate, model.selection.held_out
    progress("fit", 0.0)
    windows, known = training.windows(candidate.signal), training.stacked(candidate.signal)
    decision, distance = settings.decision, None
    if settings.reject_unknown:
        distance, limit = fit_rejection(windows, gestures)
        decision = decision.model_copy(update={"max_distance": limit})
    comfortable = stack_steady([one for one in windows if one.level != STRONG], gestures)
    metadata = _metadata(training, model.selection, decision, effort_of(comfortable, gestures))
    export_decoder(
        model.classifier, metadata, out, candidate.statistics(known, len(gestures)), distance=distance
    )
    progress("fit", 1.0)
    return TrainReport(
        decoder=out,
        model=model.classifier.name,
        made_of=candidate.name,
        window_accuracy=held_out.window_accuracy,
        trial_accuracy=held_out.trial_accuracy,
        seconds=time.monotonic() - began_s,
        gestures=gestures,
        n_trials=len(windows),
        n_windows=len(known.labels),
        temperature=held_out.temperature,
        confusion=held_out.confusion,
    )


def effort_of(known: LabelledWindows, gestures: Sequence[str]) -> EffortCalibration:
    """Levels between which effort rises: the medians at rest and in each gesture."""
    levels = [float(np.median(known.log_amplitude[known.labels == k])) for k in range(len(gestures))]
    rest = gestures.index(REST)
    least = levels[rest] + MIN_EFFORT_SPAN
    active = [max(least, level) for k, level in enumerate(levels) if k != rest]
    contraction = [max(least, level) for level in levels]
    contraction[rest] = float(np.median(active))
    return EffortCalibration(rest_log_uv=levels[rest], contraction_log_uv=tuple(contraction))


def _metadata(
    training: TrainingSet, selection: Selection, decision: DecisionSettings, effort: EffortCalibration
) -> DecoderMetadata:
    candidate, held_out, info = selection.candidate, selection.held_out, training.stream
    return DecoderMetadata(
        fs_hz=info.fs_hz,
        grid=GridSettings.model_validate(info.grid.to_settings()),
        channel_labels=info.channel_labels,
        signal=candidate.signal,
        filter_design=design_filter(candidate.signal, info.fs_hz),
        gestures=training.gestures,
        decision=decision,
        effort=effort,
        model=candidate.model,
        training_sessions=tuple(provenance(session) for session in training.sessions),
        held_out=HeldOut(window_accuracy=held_out.window_accuracy, trial_accuracy=held_out.trial_accuracy),
        software=software_versions(candidate.model),
        made_of=candidate.name,
        considered=selection.considered,
        temperature=held_out.temperature,
        temporal=training.settings.temporal,
    )


def provenance(session: Session) -> TrainingSession:
    """Identify a session by the hash of its recording; none where the recording was never closed."""
    info = session.info
    sha256 = info.recording.sha256 if info.recording is not None else ""
    return TrainingSession(participant=info.participant, session=info.session, sha256=sha256)
