"""What an emulated amplifier measures: an EMG source, quantised as the converter does, or a pattern of counts."""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import signal as dsp

from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.source import EmgSource

_log = logging.getLogger(__name__)

# Odd, so that a count tells its sample, and far from a channel's step.
PATTERN_SAMPLE_STEP = 7919
PATTERN_CHANNEL_STEP = 10007


@dataclass(frozen=True)
class Converter:
    """An analogue-to-digital converter and the filter before it.

    Parameters
    ----------
    lsb_uv : float
        Microvolts of one count.
    bits : int
        Bits of a count.
    fs_hz : float
        The rate at which it samples.
    high_pass_hz : float
        Corner of a first-order high-pass; 0 where there is none.
    """

    lsb_uv: float
    bits: int
    fs_hz: float
    high_pass_hz: float = 0.0


class CountSignal(Protocol):
    """Counts of an amplifier's electrodes."""

    def counts(self, first_sample: int, n_samples: int, n_channels: int, converter: Converter) -> IntArray:
        """Return the counts of the next samples: ndarray, shape (n_samples, n_channels).

        Parameters
        ----------
        first_sample : int
            Which sample the first of them is, since the device was started.
        n_samples, n_channels : int
            How many are asked for.
        converter : Converter
            What they are measured with.
        """
        ...


class PatternSignal:
    """Count ``(7919 sample + 10007 channel) mod 2^bits``, moved down by half of that: each value tells its place."""

    def counts(self, first_sample: int, n_samples: int, n_channels: int, converter: Converter) -> IntArray:
        """Return the counts; see `CountSignal.counts`."""
        samples = np.arange(first_sample, first_sample + n_samples, dtype=np.int64)[:, np.newaxis]
        channels = np.arange(n_channels, dtype=np.int64)
        span = 1 << converter.bits
        return (PATTERN_SAMPLE_STEP * samples + PATTERN_CHANNEL_STEP * channels) % span - span // 2


class SourceSignal:
    """EMG sources side by side: high-passed as the amplifier does, rounded to counts, held at the converter's ends.

    Sample for sample, whatever the rates. Electrodes that no source has, and samples after a source's end,
    are zero, as with inputs tied together.

    Parameters
    ----------
    sources : sequence of EmgSource
        One a sleeve; their channels fill the amplifier's electrodes in order.
    """

    def __init__(self, sources: Sequence[EmgSource]) -> None:
        self._sources = tuple(sources)
        self._told = False
        self._filter_state: Float64Array | None = None

    def counts(self, first_sample: int, n_samples: int, n_channels: int, converter: Converter) -> IntArray:
        """Return the counts; see `CountSignal.counts`."""
        if first_sample == 0:
            self._filter_state = None
        self._tell_once(converter)
        uv = np.zeros((n_samples, n_channels), dtype=np.float32)
        column = 0
        for source in self._sources:
            piece = _read(source, n_samples)[:, : max(0, n_channels - column)]
            uv[: len(piece), column : column + piece.shape[1]] = piece
            column += piece.shape[1]
        half = 1 << (converter.bits - 1)
        filtered = self._high_passed(uv, converter)
        held: IntArray = np.clip(np.rint(filtered / converter.lsb_uv), -half, half - 1).astype(np.int64)
        return held

    def _high_passed(self, uv: Float32Array, converter: Converter) -> Float64Array:
        """Return the signal less its exponential moving average, which starts at the first sample."""
        if converter.high_pass_hz == 0 or len(uv) == 0:
            return uv.astype(np.float64)
        keep = math.exp(-2 * math.pi * converter.high_pass_hz / converter.fs_hz)
        if self._filter_state is None:
            self._filter_state = -keep * uv[:1].astype(np.float64)
        filtered: Float64Array
        filtered, self._filter_state = dsp.lfilter(
            [keep, -keep], [1.0, -keep], uv.astype(np.float64), axis=0, zi=self._filter_state
        )
        return filtered

    def _tell_once(self, converter: Converter) -> None:
        other = {s.info.fs_hz for s in self._sources if s.info.fs_hz != converter.fs_hz}
        if other and not self._told:
            _log.warning("emulator: a signal of %s Hz is sent at %g Hz", sorted(other), converter.fs_hz)
        self._told = True


def _read(source: EmgSource, n_samples: int) -> Float32Array:
    """Return the source's next samples; fewer at its end."""
    pieces = [np.zeros((0, source.info.n_channels), dtype=np.float32)]
    missing = n_samples
    while missing:
        piece = source.read(missing)
        if len(piece) == 0:
            break
        pieces.append(piece)
        missing -= len(piece)
    return np.concatenate(pieces)
