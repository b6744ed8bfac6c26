"""What an emulated amplifier measures: an EMG source, quantised as the converter does, or a pattern of counts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.sources.source import EmgSource

_log = logging.getLogger(__name__)

# Odd, so that a count tells its sample, and far from a channel's step.
PATTERN_SAMPLE_STEP = 7919
PATTERN_CHANNEL_STEP = 10007


@dataclass(frozen=True)
class Converter:
    """An analogue-to-digital converter: microvolts of one count, bits, and the rate at which it samples."""

    lsb_uv: float
    bits: int
    fs_hz: float


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
    """EMG sources side by side, rounded to counts and held at the converter's ends.

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

    def counts(self, first_sample: int, n_samples: int, n_channels: int, converter: Converter) -> IntArray:
        """Return the counts; see `CountSignal.counts`."""
        del first_sample
        self._tell_once(converter)
        uv = np.zeros((n_samples, n_channels), dtype=np.float32)
        column = 0
        for source in self._sources:
            piece = _read(source, n_samples)[:, : max(0, n_channels - column)]
            uv[: len(piece), column : column + piece.shape[1]] = piece
            column += piece.shape[1]
        half = 1 << (converter.bits - 1)
        held: IntArray = np.clip(np.rint(uv / converter.lsb_uv), -half, half - 1).astype(np.int64)
        return held

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
