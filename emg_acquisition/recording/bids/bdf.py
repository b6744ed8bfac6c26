"""Samples of one run as a BDF+ file: 24 bits, through edfio.

Format: https://www.edfplus.info and https://www.biosemi.com/faq/file_format.htm .
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
from edfio import Bdf, BdfSignal, EdfAnnotation, Patient

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.errors import InputError

MAX_LABEL = 16
# The EDF specification's limit to a data record.
_MAX_RECORD_BYTES = 61_440
_BYTES_PER_SAMPLE = 3
# A record's duration has eight characters in the header.
_MAX_FIELD = 8
# A rate that differs by less from the one declared is that rate: it is what a float's digits amount to.
_SAME_RATE = 1e-9
# Four milliseconds an hour: less than two crystals differ by.
_SAME_ENOUGH = 1e-6
# Half of a range that must not be empty, where a channel never changes.
_FLAT_UV = 1.0


@dataclass(frozen=True)
class RecordLayout:
    """How a run is cut into data records.

    Parameters
    ----------
    samples : int
        Samples of a channel in one record.
    seconds : float
        Duration of a record as the header holds it; the rate that readers see is ``samples / seconds``.
    padding : int
        Samples to add at the end, so that the last record is whole.
    """

    samples: int
    seconds: float
    padding: int

    @property
    def fs_hz(self) -> float:
        """The rate that readers see."""
        return self.samples / self.seconds


def record_layout(n_samples: int, fs_hz: float, n_channels: int) -> RecordLayout:
    """Choose a record such that the rate is right, little need be added and it is long, in this order.

    A header holds a record's samples and, in eight characters, its duration: 2048 Hz can be said by records of
    32 samples (0.015625 s), not by those of one. Any length of run at 1000, 2000 or 4000 Hz needs no padding;
    others need less than a record's. Records longer than the 61440 bytes that the specification recommends
    are taken only for rates that no shorter one can say.

    Raises
    ------
    InputError
        If no record says the rate to within a millionth.
    """
    for longest in (_MAX_RECORD_BYTES, 64 * _MAX_RECORD_BYTES):
        error, padding, negative, seconds = min(
            _layouts(n_samples, fs_hz, longest // (_BYTES_PER_SAMPLE * n_channels))
        )
        if error < _SAME_ENOUGH:
            return RecordLayout(-negative, seconds, padding)
    msg = f"a rate of {fs_hz!r} Hz cannot be said in the header of a BDF file"
    raise InputError(msg)


def _layouts(n_samples: int, fs_hz: float, longest: int) -> Iterator[tuple[float, int, int, float]]:
    """Yield error of the rate, padding, negative samples and seconds of each record that could be chosen."""
    for samples in range(1, max(1, longest) + 1):
        seconds = _rounded(samples / fs_hz)
        error = abs(samples / seconds / fs_hz - 1.0) if seconds > 0 else math.inf
        yield (0.0 if error < _SAME_RATE else error), -n_samples % samples, -samples, seconds


def _rounded(seconds: float) -> float:
    decimals = _MAX_FIELD - 1 - len(str(int(seconds)))
    return round(seconds, decimals) if decimals > 0 else 0.0


def write_bdf(
    path: Path,
    emg_uv: Float32Array,
    *,
    labels: Sequence[str],
    layout: RecordLayout,
    participant: str,
    annotations: Sequence[tuple[float, float | None, str]],
) -> None:
    """Write a run.

    Each channel's range spans just what it holds, so that a step is its span / (2^24 - 1), at least 256 times
    less than the step of an amplifier with 16 bits.

    Parameters
    ----------
    path : Path
        File to write.
    emg_uv : ndarray, shape (n_samples, n_channels), µV
        All finite.
    labels : sequence of str
        A label a channel, ASCII, at most 16 characters.
    layout : RecordLayout
        From `record_layout`; the padding repeats the last sample.
    participant : str
        Code, for the header.
    annotations : sequence of (onset in s, duration in s or None, text)
        Also written into the file, for programs that read no sidecar.
    """
    n_records = (len(emg_uv) + layout.padding) // layout.samples
    rate = _dividing_rate(n_records * layout.samples, n_records, layout.seconds)
    signals = [
        _signal(np.pad(emg_uv[:, k].astype(np.float64), (0, layout.padding), mode="edge"), label, rate)
        for k, label in enumerate(labels)
    ]
    Bdf(
        signals,
        patient=Patient(code=participant),
        data_record_duration=layout.seconds,
        annotations=[EdfAnnotation(onset, duration, text) for onset, duration, text in annotations],
    ).write(path)


def _signal(values_uv: Float64Array, label: str, rate: float) -> BdfSignal:
    lowest, highest = float(values_uv.min()), float(values_uv.max())
    if lowest == highest:
        lowest, highest = lowest - _FLAT_UV, highest + _FLAT_UV
    return BdfSignal(values_uv, rate, label=label, physical_dimension="uV", physical_range=(lowest, highest))


def _dividing_rate(n_samples: int, n_records: int, seconds: float) -> float:
    """Return the rate at which edfio, whose durations are floats, counts just these records.

    It only counts with it: the header holds samples and seconds of a record.
    """
    duration_s = float(n_records * Decimal(str(seconds)))
    rate = n_samples / duration_s
    for steps in range(-8, 9):
        near = rate + steps * math.ulp(rate)
        declared_s = round(n_samples / near, 12)
        if declared_s == duration_s or declared_s / seconds == n_records:
            return near
    msg = f"{n_samples} samples in {n_records} records of {seconds} s cannot be written"
    raise InputError(msg)
