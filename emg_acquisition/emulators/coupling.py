"""What lies between a wearer's electrodes and the converter of an amplifier: a high-pass against their offsets."""

import numpy as np
from scipy import signal

from emg_acquisition.arrays import Float32Array
from emg_acquisition.sources.source import EmgSource, SampleEvent
from emg_acquisition.stream_info import EmgStreamInfo

# Of Muovi and Quattrocento; that of a Sessantaquattro is 10.5 Hz at 2000 Hz, that of RHX may be set lower.
CUTOFF_HZ = 10.0


class CoupledSource:
    """A source behind a first-order high-pass of 10 Hz, as an `EmgSource`.

    Electrodes on skin stand at offsets of some millivolts, which would leave no room in a 16-bit converter. The filter
    begins as if the first sample had been there for ever.
    """

    def __init__(self, source: EmgSource) -> None:
        self._source = source
        self._filter = signal.butter(1, CUTOFF_HZ, "highpass", fs=source.info.fs_hz)
        self._state: Float32Array | None = None

    @property
    def info(self) -> EmgStreamInfo:
        """What the source behind it declares."""
        return self._source.info

    def read(self, n_samples: int) -> Float32Array:
        """Return the next samples: ndarray, shape (n, n_channels), µV; fewer at the end, then none."""
        emg_uv = self._source.read(n_samples)
        if not len(emg_uv):
            return emg_uv
        if self._state is None:
            self._state = signal.lfilter_zi(*self._filter)[:, np.newaxis] * emg_uv[:1]
        filtered, self._state = signal.lfilter(*self._filter, emg_uv, axis=0, zi=self._state)
        return np.asarray(filtered, dtype=np.float32)

    def events_until(self, sample_index: int) -> list[SampleEvent]:
        """Return the events of the source behind it."""
        return self._source.events_until(sample_index)

    def close(self) -> None:
        """Let go of the source behind it."""
        self._source.close()
