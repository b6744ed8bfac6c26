"""What a calibration needs from the world: EMG, a recording, a trainer. Tests put others in their place."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from calibration.signal_options import DEFAULT_SIGNAL, SignalOptions
from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.decision import Decision
from emg_acquisition.stream_info import EmgStreamInfo


@dataclass(frozen=True)
class FeedSnapshot:
    """What is known of the EMG now.

    Parameters
    ----------
    connected : bool
        Whether the stream is there and samples come.
    silent_s : float
        How long no sample has come.
    gaps : int
        How often samples were missing, so far.
    newest_lsl_s : float
        Time of the newest sample; 0 before the first.
    states : tuple of str
        By channel, as `SignalView.states`; empty before the first window of quality is full.
    rms_uv : tuple of float
        By channel, in the band of muscle; empty likewise.
    amplitude_uv : float
        Of the last tenth of a second: mean over the channels.
    decision : Decision or None
        The newest one, while a decoder is tried out.
    decode_error : str
        Why the decoder cannot be tried out.
    """

    connected: bool
    silent_s: float
    gaps: int
    newest_lsl_s: float
    states: tuple[str, ...] = ()
    rms_uv: tuple[float, ...] = ()
    amplitude_uv: float = 0.0
    decision: Decision | None = None
    decode_error: str = ""

    @property
    def share_good(self) -> float:
        """Share of the channels that are good; 0 before that is known."""
        return self.states.count("good") / len(self.states) if self.states else 0.0


@dataclass(frozen=True)
class Traces:
    """The newest EMG for a plot: ``emg_uv`` has the shape (n_samples, n_channels), oldest first."""

    emg_uv: Float32Array
    fs_hz: float


class Feed(Protocol):
    """EMG as it comes, kept for some seconds."""

    @property
    def info(self) -> EmgStreamInfo:
        """The stream."""
        ...

    def snapshot(self) -> FeedSnapshot:
        """Return the newest; never waits."""
        ...

    def between(self, begin_lsl_s: float, end_lsl_s: float) -> tuple[Float32Array, Float64Array, bool]:
        """Return samples, shape (n, n_channels), their times, shape (n,), and whether none is missing."""
        ...

    def traces(self, seconds: float) -> Traces:
        """Return the newest samples."""
        ...

    def decode_with(self, decoder: Path | None) -> None:
        """Decode from now on, or no longer."""
        ...

    def close(self) -> None:
        """Stop reading."""
        ...


class Recording(Protocol):
    """A part of the session on its way to the disk."""

    @property
    def folder(self) -> Path:
        """The session folder."""
        ...

    @property
    def ready(self) -> bool:
        """Whether events that are sent from now on are recorded."""
        ...

    @property
    def closed(self) -> bool:
        """Whether it has ended and its hash is written."""
        ...

    @property
    def failure(self) -> str:
        """Why it has ended before its time; empty where it has not."""
        ...

    def event(self, t_lsl_s: float, kind: str, fields: Mapping[str, Any]) -> None:
        """Record an event."""
        ...

    def finish(self) -> None:
        """Ask it to end properly; `closed` says when it has."""
        ...

    def close(self) -> None:
        """End it properly and wait for that."""
        ...


@dataclass(frozen=True)
class TrainJob:
    """What to train on and where to put it; with ``base``, an older decoder is made to fit."""

    sessions: tuple[Path, ...]
    out: Path
    drop: tuple[str, ...] = ()
    merge: tuple[tuple[str, str], ...] = ()
    base: Path | None = None
    signal: SignalOptions = DEFAULT_SIGNAL

    @property
    def command(self) -> str:
        """The command that makes the same decoder of the same sessions."""
        folders = " ".join(str(path) for path in self.sessions)
        if self.base is not None:
            return f"hdemg recalibrate {self.base} {folders} -o decoder.onnx"
        drop = "".join(f" --drop {gesture}" for gesture in self.drop)
        merge = "".join(f" --merge {first}={second}" for first, second in self.merge)
        return f"hdemg train {folders} -o decoder.onnx{self.signal.arguments}{drop}{merge}"


@dataclass(frozen=True)
class TrainOutcome:
    """What came of it: ``error``, or the rest; ``sessions`` are those of the job in which a trial was good."""

    error: str = ""
    gestures: tuple[str, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    window_accuracy: float | None = None
    trial_accuracy: float | None = None
    model: str = ""
    seconds: float = 0.0
    sessions: tuple[Path, ...] = ()


@dataclass(frozen=True)
class TrainProgress:
    """How far it is."""

    stage: str
    share: float


class Trainer(Protocol):
    """Trains somewhere else, one job at a time."""

    def warm_up(self) -> None:
        """Load what training needs, ahead of the first job."""
        ...

    def start(self, job: TrainJob) -> None:
        """Begin a job."""
        ...

    def poll(self) -> TrainProgress | TrainOutcome | None:
        """Return the newest progress or the outcome; never waits."""
        ...

    def cancel(self) -> None:
        """End the job; nothing is written."""
        ...

    def close(self) -> None:
        """End everything."""
        ...


class Later(Protocol):
    """A computation's result, later."""

    def done(self) -> bool:
        """Whether it is there."""
        ...

    def result(self) -> Any:  # noqa: ANN401 - as concurrent.futures has it
        """Return it."""
        ...
