"""The Protocols that everything keeps from which EMG comes.

An `EmgSource` makes samples as fast as they are asked for; a `DeviceSource` is an amplifier, paced by its own clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from emg_acquisition.arrays import Float32Array
from emg_acquisition.stream_info import AuxStreamInfo, EmgStreamInfo


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


@dataclass(frozen=True)
class DeviceBlock:
    """Samples in the order in which the device took them, neighbours of each other.

    Parameters
    ----------
    emg_uv : tuple of ndarray, each of shape (n_samples, n_channels), float32
        Microvolts; one array for each stream that the device declares, in that order.
    aux : ndarray, shape (n_samples, n_aux), float32
        Auxiliary channels, each in its declared unit; no columns where the device has none.
    lost_before : int
        How many samples the device's counter or ramp says are missing between the block before and this one.
    """

    emg_uv: tuple[Float32Array, ...]
    aux: Float32Array
    lost_before: int = 0

    @property
    def n_samples(self) -> int:
        """Number of samples."""
        return len(self.aux)


class DeviceSource(Protocol):
    """An amplifier: its own clock paces it, and its own counter shows what was lost.

    A device that goes away raises `StreamLostError` from `read`; `connect` may then be called again on the
    same object, and what it declares stays the same.
    """

    @property
    def infos(self) -> tuple[EmgStreamInfo, ...]:
        """What each EMG stream of the device declares: one, or one a sleeve."""
        ...

    @property
    def aux_info(self) -> AuxStreamInfo | None:
        """What the auxiliary channels declare; None where there are none."""
        ...

    def connect(self, timeout_s: float) -> None:
        """Reach the device, set it up and start it.

        Raises
        ------
        StreamLostError
            If the device is not there within the time, or goes away meanwhile.
        InputError
            If it cannot be set up as asked; the message says what to change.
        """
        ...

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived, waiting at most ``timeout_s`` for the first sample; empty for silence.

        Raises
        ------
        StreamLostError
            If the connection has ended, or what arrives is no longer aligned to samples.
        InputError
            If what arrives is not what was set up, such as another number of channels.
        """
        ...

    def close(self) -> None:
        """Stop the device and let go of it; harmless where it is gone or was never reached."""
        ...
