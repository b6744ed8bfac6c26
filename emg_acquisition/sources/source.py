"""The Protocol that every source of EMG keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from emg_acquisition.arrays import Float32Array
from emg_acquisition.stream_info import EmgStreamInfo


@dataclass(frozen=True)
class SampleEvent:
    """An event that belongs to a sample of the source, counted from its first."""

    sample_index: int
    kind: str
    fields: Mapping[str, Any]


class EmgSource(Protocol):
    """Samples in order, as fast as they are asked for, and the events that belong to them."""

    @property
    def info(self) -> EmgStreamInfo:
        """What the source declares."""
        ...

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples: ndarray, shape (n, n_channels), µV; fewer at the end, then none."""
        ...

    def events_until(self, sample_index: int) -> list[SampleEvent]:
        """Return the events of samples before ``sample_index`` that were not returned before, in order."""
        ...

    def close(self) -> None:
        """Let go of what the source holds."""
        ...
