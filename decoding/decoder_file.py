"""decoder.onnx: one file that holds a classifier and everything that its input depends on.

The metadata stands as one JSON object under `METADATA_KEY` in ONNX's ``metadata_props``. It is read through
onnxruntime, so that running a decoder needs neither onnx nor torch.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from decoding.class_statistics import STATISTICS_KEY, ClassStatistics, statistics_from_text
from decoding.decision import DecisionSettings, EffortCalibration
from decoding.drift import DriftSettings
from decoding.filters import FilterDesign, design_filter
from decoding.onnx_classifier import DISTANCE, OnnxClassifier
from decoding.signal_settings import SignalSettings
from decoding.temporal import TemporalSettings
from decoding.windows import window_spec
from emg_acquisition.errors import InputError
from emg_acquisition.events import REST
from emg_acquisition.grid import ElectrodeGrid, GridSettings
from emg_acquisition.stream_info import EmgStreamInfo

SCHEMA_VERSION: Literal[1] = 1
METADATA_KEY = "hdemg_decoder"
RATE_TOLERANCE_HZ = 1e-3
SUM_TOLERANCE = 1e-3
# A grid CNN of 256 electrodes takes a few MiB.
MAX_BYTES = 256 * 1024**2


class DecoderMismatchError(InputError):
    """A stream that a decoder was not trained for; the message names what differs."""


class TrainingSession(BaseModel):
    """A session that a decoder was trained on; the hash of its recording, empty if that was never closed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    participant: str
    session: str
    sha256: str


class HeldOut(BaseModel):
    """Accuracy on repetitions that the classifier had not seen; None where there was only one repetition."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_accuracy: float | None
    trial_accuracy: float | None


class Considered(BaseModel):
    """A candidate that a training tried on held-out repetitions; the decoder is made of the best one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    window_accuracy: float | None
    log_loss: float | None


class Recalibration(BaseModel):
    """What was done to a decoder after its training.

    Parameters
    ----------
    kind : {"carried", "pooled"}
        Carried over to how the sleeve lies, or pooled with new repetitions.
    session : TrainingSession
        The recording that it rests on.
    rows, columns : int
        By how many electrodes the pattern moved.
    similarity : float
        Mean cosine of the maps then and now.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["carried", "pooled"]
    session: TrainingSession
    rows: int
    columns: int
    similarity: float


class DecoderMetadata(BaseModel):
    """What a decoder file declares in addition to its graph.

    Parameters
    ----------
    fs_hz, grid, channel_labels
        The stream that it takes.
    signal, filter_design, decision, effort
        How that stream becomes features and probabilities become decisions; the filter as really designed.
    gestures : tuple of str
        Order of the probabilities; ``rest`` is one of them.
    model, training_sessions, held_out, software
        Where it comes from, and how good it was.
    made_of, considered
        The candidate that it is made of, and the held-out figures of every one that was tried.
    temperature : float
        What the logits of the classifier were divided by.
    recalibrations : tuple of Recalibration
        What was done since, in order.
    drift : DriftSettings or None
        Whether slow drift is followed during use, and how far.
    temporal : TemporalSettings or None
        The HMM that decisions are smoothed by, if any: how gestures follow each other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = SCHEMA_VERSION
    fs_hz: float = Field(gt=0)
    grid: GridSettings
    channel_labels: tuple[str, ...]
    signal: SignalSettings
    filter_design: FilterDesign
    gestures: tuple[str, ...] = Field(min_length=2)
    decision: DecisionSettings
    effort: EffortCalibration
    model: str
    training_sessions: tuple[TrainingSession, ...]
    held_out: HeldOut
    software: dict[str, str]
    made_of: str = ""
    considered: tuple[Considered, ...] = ()
    temperature: float = Field(default=1.0, gt=0)
    recalibrations: tuple[Recalibration, ...] = ()
    drift: DriftSettings | None = None
    temporal: TemporalSettings | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "DecoderMetadata":
        if REST not in self.gestures or len(set(self.gestures)) != len(self.gestures):
            msg = f"gestures must be distinct and hold {REST!r}, got {', '.join(self.gestures)}"
            raise ValueError(msg)
        if len(self.effort.contraction_log_uv) != len(self.gestures):
            msg = "effort needs one contraction level a gesture"
            raise ValueError(msg)
        if self.filter_design != design_filter(self.signal, self.fs_hz):
            msg = f"filter_design is not that of the signal settings at {self.fs_hz:g} Hz"
            raise ValueError(msg)
        if len(self.channel_labels) != self.electrode_grid.n_channels:
            msg = f"{len(self.channel_labels)} channel labels for {self.electrode_grid.n_channels} electrodes"
            raise ValueError(msg)
        if self.temporal is not None and self.temporal.mean_hold_s * self.hop_rate_hz < 1.0:
            hop_s = 1.0 / self.hop_rate_hz
            msg = f"temporal.mean_hold_s must be {hop_s:g} s (a hop) at least, got {self.temporal.mean_hold_s:g}"
            raise ValueError(msg)
        return self

    @property
    def electrode_grid(self) -> ElectrodeGrid:
        """The grid as an object."""
        return ElectrodeGrid(self.grid.name, self.grid.channel_at, self.grid.pitch_mm, self.grid.wraps)

    @property
    def rest_index(self) -> int:
        """Which gesture is rest."""
        return self.gestures.index(REST)

    @property
    def hop_rate_hz(self) -> float:
        """Decisions a second, with the hop as rounded to samples."""
        return self.fs_hz / window_spec(self.signal, self.fs_hz).hop_samples

    def verify_stream(self, stream: EmgStreamInfo) -> None:
        """Check that a stream is the kind that this decoder was trained on.

        Raises
        ------
        DecoderMismatchError
            Naming everything that differs: rate, grid, channel labels or their order.
        """
        differences = [
            *_rate_difference(self.fs_hz, stream.fs_hz),
            *_grid_differences(self.electrode_grid, stream.grid),
            *_label_differences(self.channel_labels, stream.channel_labels),
        ]
        if differences:
            found = "; ".join(differences)
            msg = f"stream {stream.name!r} does not fit the decoder: {found}; train on this stream"
            raise DecoderMismatchError(msg)


@dataclass(frozen=True)
class DecoderFile:
    """A decoder as loaded: `metadata`, the classifier's graph, and what identifies the file.

    ``statistics`` are None in a file that was made without them.
    """

    path: Path
    sha256: str
    metadata: DecoderMetadata
    content: bytes
    statistics: ClassStatistics | None = None

    def classifier(self) -> OnnxClassifier:
        """Start the graph in onnxruntime."""
        return OnnxClassifier(self.content, str(self.path))


def load_decoder(path: Path) -> DecoderFile:
    """Read and check a decoder file.

    Raises
    ------
    InputError
        If it cannot be read, is no ONNX file, is not one of this project's, or contradicts itself.
    """
    content = _content(path)
    classifier = OnnxClassifier(content, str(path))
    metadata = _metadata(classifier.metadata, path)
    expected_in = [len(metadata.channel_labels), len(metadata.signal.features)]
    if [*classifier.input_shape[1:]] != expected_in or classifier.output_shape[-1] != len(metadata.gestures):
        msg = (
            f"{path}: its graph takes {list(classifier.input_shape)} and gives {list(classifier.output_shape)}, "
            f"its metadata says [1, {expected_in[0]}, {expected_in[1]}] and [1, {len(metadata.gestures)}]"
        )
        raise InputError(msg)
    if metadata.decision.max_distance is not None and not classifier.has_distance:
        msg = (
            f"{path}: decision.max_distance is set, but its graph has no output {DISTANCE!r}; train it again"
        )
        raise InputError(msg)
    statistics = _statistics(classifier.metadata, metadata, path)
    _try_out(classifier, expected_in, path)
    return DecoderFile(path, hashlib.sha256(content).hexdigest(), metadata, content, statistics)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        msg = f"{path}: cannot read the decoder ({error.strerror}); `hdemg train` makes one"
        raise InputError(msg) from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: has more than {MAX_BYTES // 1024**2} MiB; it is no hdemg decoder")
    return content


def _try_out(classifier: OnnxClassifier, shape: list[int], path: Path) -> None:
    """Run the graph once: one that cannot run, or gives no probabilities, is refused now and not in use."""
    try:
        probabilities, distance = classifier.classify(np.zeros(shape, dtype=np.float32))
    except Exception as error:  # onnxruntime's errors share no public base class
        msg = f"{path}: its graph does not run; train it again"
        raise InputError(msg) from error
    if not (np.isfinite(distance) and abs(float(probabilities.sum()) - 1.0) < SUM_TOLERANCE):
        raise InputError(f"{path}: its graph gives no probabilities (they add up to {probabilities.sum():g})")


def _statistics(properties: dict[str, str], metadata: DecoderMetadata, path: Path) -> ClassStatistics | None:
    text = properties.get(STATISTICS_KEY)
    if text is None:
        if metadata.drift is not None:
            msg = f"{path}: follows drift but holds no class statistics to follow it by; train it again"
            raise InputError(msg)
        return None
    try:
        found = statistics_from_text(text)
    except ValueError as error:
        msg = f"{path}: its class statistics cannot be read ({error}); train it again"
        raise InputError(msg) from error
    expected = (len(metadata.gestures), len(metadata.channel_labels), len(metadata.signal.features))
    if found.means.shape != expected:
        msg = f"{path}: class statistics of shape {found.means.shape}, its metadata says {expected}; train it again"
        raise InputError(msg)
    return found


def _metadata(properties: dict[str, str], path: Path) -> DecoderMetadata:
    text = properties.get(METADATA_KEY)
    if text is None:
        msg = f"{path}: an ONNX file without {METADATA_KEY!r} metadata; it is no hdemg decoder"
        raise InputError(msg)
    try:
        fields = json.loads(text)
        version = fields.get("schema_version") if isinstance(fields, dict) else None
        if version != SCHEMA_VERSION:
            msg = f"{path}: decoder schema version {version}, {SCHEMA_VERSION} is required; train it again"
            raise InputError(msg)
        # Decoders trained before a change had a dwell of its own decide as they did then.
        if isinstance(fields.get("decision"), dict):
            fields["decision"].setdefault("change_dwell_hops", None)
        return DecoderMetadata.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "metadata"
        msg = f"{path}: {where}: {first['msg']}"
        raise InputError(msg) from error
    except (json.JSONDecodeError, RecursionError) as error:
        msg = f"{path}: its {METADATA_KEY!r} metadata is no JSON ({error}); train it again"
        raise InputError(msg) from error


def _rate_difference(trained_hz: float, got_hz: float) -> list[str]:
    if abs(trained_hz - got_hz) <= RATE_TOLERANCE_HZ:
        return []
    return [f"sampling rate {got_hz:g} Hz, trained at {trained_hz:g} Hz"]


def _grid_differences(trained: ElectrodeGrid, got: ElectrodeGrid) -> list[str]:
    if (trained.rows, trained.columns) != (got.rows, got.columns):
        return [f"grid of {got.rows} x {got.columns}, trained on {trained.rows} x {trained.columns}"]
    differences = []
    moved = np.argwhere(np.array(trained.channel_at) != np.array(got.channel_at))
    if len(moved):
        row, column = (int(place) for place in moved[0])
        differences.append(
            f"channel {got.channel_at[row][column]} at row {row}, column {column} of the grid, trained with "
            f"channel {trained.channel_at[row][column]} there ({len(moved)} places differ)"
        )
    if trained.wraps != got.wraps:
        differences.append(f"grid wraps {got.wraps!r}, trained with {trained.wraps!r}")
    if trained.pitch_mm != got.pitch_mm:
        differences.append(f"pitch {got.pitch_mm:g} mm, trained at {trained.pitch_mm:g} mm")
    return differences


def _label_differences(trained: tuple[str, ...], got: tuple[str, ...]) -> list[str]:
    if len(trained) != len(got):
        return [f"{len(got)} channels, trained on {len(trained)}"]
    moved = [k for k, (a, b) in enumerate(zip(trained, got, strict=True)) if a != b]
    if not moved:
        return []
    first = moved[0]
    kind = "channel order" if sorted(trained) == sorted(got) else "channel labels"
    return [f"{kind}: channel {first} is {got[first]!r}, trained as {trained[first]!r} ({len(moved)} differ)"]
