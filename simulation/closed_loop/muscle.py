"""What a virtual user moves with: EMG that follows an intention, made by a simulated wearer as it goes."""

from typing import Protocol

from emg_acquisition.arrays import Float32Array
from emg_acquisition.stream_info import EmgStreamInfo
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer


class Muscle(Protocol):
    """EMG of an arm that does as it is told; the person's reaction time belongs to who tells it."""

    @property
    def info(self) -> EmgStreamInfo:
        """What the EMG stream would declare."""
        ...

    @property
    def gestures(self) -> tuple[str, ...]:
        """The gestures that the arm can make."""
        ...

    def intend(self, gesture: str) -> None:
        """Make a gesture from now on."""
        ...

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples: ndarray, shape (n_samples, n_channels), float32, µV."""
        ...


class WearerMuscle:
    """A simulated wearer, steered live.

    Parameters
    ----------
    settings : WearerSettings
        Who wears what; the same settings and intentions give the same EMG.
    """

    def __init__(self, settings: WearerSettings) -> None:
        self._wearer = SimulatedWearer(settings)

    @property
    def info(self) -> EmgStreamInfo:
        """What the wearer's stream declares."""
        return self._wearer.info

    @property
    def gestures(self) -> tuple[str, ...]:
        """The gestures that the wearer knows."""
        return self._wearer.gestures

    def intend(self, gesture: str) -> None:
        """Make a gesture from the next 10 ms on, with the wearer's own ramp."""
        self._wearer.set_intention(gesture)

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples: ndarray, shape (n_samples, n_channels), float32, µV."""
        emg_uv = self._wearer.read(n_samples)
        # Nobody asks for the events here; they would pile up.
        self._wearer.events_until(2**62)
        return emg_uv
