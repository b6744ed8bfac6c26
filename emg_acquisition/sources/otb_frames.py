"""Bytes of an OT Bioelettronica amplifier to blocks of microvolts; its ramp channel shows losses and misaligned bytes.

Sources: the maker's TCP protocol documents and example scripts, as far as they are public. Golden bytes of those
are in the tests.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources.tcp_link import TcpLink
from emg_acquisition.stream_info import AuxChannel

_log = logging.getLogger(__name__)

CountArray = npt.NDArray[np.int32]
ByteOrder = Literal["big", "little"]

BITS_IN_BYTE = 8
SHORT_BYTES = 2
# Samples whose ramp must run on before they are trusted.
PROOF_SAMPLES = 32
MAX_CHANNELS_TRIED = 512
REPORT_S = 1.0
# Only the low 16 bits are used: they step alike whether a 24-bit device counts to 2^16 or to 2^24.
WRAP = 1 << 16
CONFIRMING_SAMPLES = 8
# How far the samples may run ahead of this computer's clock: the device's and the network's buffers.
AHEAD_S = 1.0
STEADY_S = 5.0
STEADY_TOLERANCE_S = 0.5


@dataclass(frozen=True)
class AuxColumn:
    """An auxiliary channel: its place in a sample, what it declares, and its unit per count."""

    column: int
    channel: AuxChannel
    unit_per_count: float = 1.0


@dataclass(frozen=True)
class FrameLayout:
    """How one sample of all channels lies in the byte stream.

    Parameters
    ----------
    n_channels : int
        All channels that the device sends.
    sample_bytes : int
        Bytes of one count.
    byte_order : {"big", "little"}
        Which byte of a count comes first.
    fs_hz : float
        Sampling rate.
    emg_columns : tuple of tuple of int
        For each EMG stream its columns, in channel order.
    emg_lsb_uv : tuple of float
        For each EMG stream the microvolts of one count.
    aux : tuple of AuxColumn
        Auxiliary channels.
    ramp_columns : tuple of int
        Columns that count samples.
    remedy : str
        What a person can do where the device sends another number of channels.
    """

    n_channels: int
    sample_bytes: int
    byte_order: ByteOrder
    fs_hz: float
    emg_columns: tuple[tuple[int, ...], ...]
    emg_lsb_uv: tuple[float, ...]
    aux: tuple[AuxColumn, ...]
    ramp_columns: tuple[int, ...]
    remedy: str

    @property
    def frame_bytes(self) -> int:
        """Bytes of one sample of all channels."""
        return self.n_channels * self.sample_bytes


def counts_from_bytes(data: bytes, n_channels: int, sample_bytes: int, byte_order: ByteOrder) -> CountArray:
    """Return the counts in whole samples: ndarray, shape (n_samples, n_channels), int32.

    Parameters
    ----------
    data : bytes
        A whole number of samples, channel after channel, two's complement.
    n_channels : int
        Channels in one sample.
    sample_bytes : int
        2 or 3 bytes a count.
    byte_order : {"big", "little"}
        Which byte of a count comes first.
    """
    if sample_bytes == SHORT_BYTES:
        short = np.frombuffer(data, ">i2" if byte_order == "big" else "<i2")
        return short.reshape(-1, n_channels).astype(np.int32)
    raw = np.frombuffer(data, np.uint8).reshape(-1, n_channels, sample_bytes)
    if byte_order == "little":
        raw = raw[..., ::-1]
    # The count goes to the upper bytes of an int32; shifting it down again repeats its sign.
    wide = np.zeros((*raw.shape[:2], 4), np.uint8)
    wide[..., :sample_bytes] = raw
    counts: CountArray = wide.view(">i4")[..., 0].astype(np.int32) >> (BITS_IN_BYTE * (4 - sample_bytes))
    return counts


def scaled(counts: CountArray, unit_per_count: Float64Array) -> Float32Array:
    """Return counts times the unit of each channel, worked out in float64 and rounded once to float32.

    Parameters
    ----------
    counts : ndarray, shape (n_samples, n_channels), int32
        What the converter gave.
    unit_per_count : ndarray, shape (n_channels,), float64
        Microvolts, or another unit, of one count of each channel.
    """
    return (counts * unit_per_count).astype(np.float32)


@dataclass(frozen=True)
class Stretch:
    """Samples ``start`` to ``stop`` (exclusive) follow each other; ``lost_before`` are missing before them.

    The first sample behind a loss counts as lost too: where bytes were lost in the middle of samples, its first
    channels are those of another sample, and its ramp, the last, does not show it.
    """

    start: int
    stop: int
    lost_before: int


def losses(ramps: IntArray, last: IntArray | None) -> IntArray:
    """Return how many samples are missing before each sample, modulo 65536.

    Where several ramps run side by side (probes at one station), a sample follows the one before as soon as
    one of them says so: the others lost data on their way to the station, not in the stream.

    Parameters
    ----------
    ramps : ndarray, shape (n_samples, n_ramps)
        Values of the ramp channels.
    last : ndarray of shape (n_ramps,) or None
        The sample before; None at the start, which has nothing missing before it.
    """
    before = ramps[:1] - 1 if last is None else last[np.newaxis]
    steps = np.diff(ramps, axis=0, prepend=before)
    missing: IntArray = ((steps - 1) % WRAP).min(axis=1)
    return missing


class RampClock:
    """Splits samples where the ramp jumps, and distinguishes a loss from bytes that are not aligned to samples.

    A jump counts as a loss when the ramp then runs on for `CONFIRMING_SAMPLES` samples and the missing samples
    fit the time that has passed, which also says how often the ramp went round (where what came before the
    loss was read before it). Anything else means that what is read as the ramp is something else. A loss of
    exactly 65536 samples, or a multiple, cannot be seen.

    Parameters
    ----------
    fs_hz : float
        Nominal sampling rate.
    started_s : float
        When the device was told to start, on the monotonic clock.
    """

    def __init__(self, fs_hz: float, started_s: float) -> None:
        self._fs_hz = fs_hz
        self._last: IntArray | None = None
        # A moment, and how many samples the device has taken since: how far its count may run.
        self._anchor_s = started_s
        self._since_anchor = 0
        # The steady stretch under way.
        self._mark_s = started_s
        self._since_mark = 0

    def split(self, ramps: IntArray, t_mono_s: float) -> tuple[list[Stretch], int]:
        """Return the stretches among new samples, and how many samples those are.

        The rest, at the end, waits for more samples behind a jump: give them again together with what follows.

        Parameters
        ----------
        ramps : ndarray, shape (n_samples, n_ramps)
            Values of the ramp channels.
        t_mono_s : float
            When the newest of them arrived, on the monotonic clock.

        Raises
        ------
        StreamLostError
            If the ramp does not run as the ramp of this device does.
        """
        if len(ramps) == 0:
            return [], 0
        missing = losses(ramps, self._last)
        jumps = np.flatnonzero(missing)
        self._refuse_close_jumps(jumps)
        settled = len(ramps)
        if len(jumps) and jumps[-1] + CONFIRMING_SAMPLES >= len(ramps):
            settled = int(jumps[-1])
        stretches = []
        starts = [0, *(int(j) for j in jumps if 0 < j < settled)]
        for start, stop in zip(starts, [*starts[1:], settled], strict=True):
            if start < stop:
                lost = self._lost(int(missing[start]), len(ramps) - start, t_mono_s)
                self._advance(stop - start, lost, t_mono_s)
                spoilt = 1 if lost else 0
                stretches.append(Stretch(start + spoilt, stop, lost + spoilt))
        if settled:
            self._last = ramps[settled - 1]
        return stretches, settled

    def _refuse_close_jumps(self, jumps: IntArray) -> None:
        if (np.diff(jumps) <= CONFIRMING_SAMPLES).any():
            msg = (
                "the device's ramp channel jumps again within "
                f"{CONFIRMING_SAMPLES} samples: the samples are no longer aligned, connect again"
            )
            raise StreamLostError(msg)

    def _lost(self, missing: int, n_behind: int, t_mono_s: float) -> int:
        """Return the samples lost: ``missing`` and as many rounds of the ramp as fit the time."""
        if missing == 0:
            return 0
        room = (t_mono_s - self._anchor_s) * self._fs_hz - self._since_anchor - n_behind
        lost = missing + WRAP * max(0, round((room - missing) / WRAP))
        if lost > room + AHEAD_S * self._fs_hz:
            msg = (
                f"the device's ramp channel jumps by {lost} samples, for which no time has passed: "
                "the samples are no longer aligned, connect again"
            )
            raise StreamLostError(msg)
        return lost

    def _advance(self, n_samples: int, lost: int, t_mono_s: float) -> None:
        self._since_anchor += n_samples + lost
        self._since_mark = n_samples if lost else self._since_mark + n_samples
        if lost:
            self._mark_s = t_mono_s
        if self._since_mark < STEADY_S * self._fs_hz:
            return
        # The two clocks drift apart, and a device may have paused: begin again once they run alike for a while.
        passed = (t_mono_s - self._mark_s) * self._fs_hz
        if abs(passed - self._since_mark) < STEADY_TOLERANCE_S * self._fs_hz:
            self._anchor_s, self._since_anchor = t_mono_s, 0
        self._mark_s, self._since_mark = t_mono_s, 0


class RampReport:
    """Says, once a second, which of several probes at a station lost data on its way to the station."""

    def __init__(self, n_ramps: int, now_s: Callable[[], float]) -> None:
        self._n_ramps = n_ramps
        self._now_s = now_s
        self._last: IntArray | None = None
        self._jumps = np.zeros(n_ramps, dtype=np.int64)
        self._reported_s = now_s()

    def note(self, ramps: IntArray) -> None:
        """Count the samples, (n_samples, n_ramps), at which a probe's ramp left the others behind."""
        if self._n_ramps == 1 or len(ramps) == 0:
            return
        steady = losses(ramps, self._last) == 0
        for probe in range(self._n_ramps):
            last = None if self._last is None else self._last[probe : probe + 1]
            self._jumps[probe] += np.count_nonzero(losses(ramps[:, probe : probe + 1], last)[steady])
        self._last = ramps[-1]
        now_s = self._now_s()
        if self._jumps.any() and now_s - self._reported_s >= REPORT_S:
            _log.warning(
                "probes lost data on the way to the station, samples by probe: %s", self._jumps.tolist()
            )
            self._jumps[:] = 0
            self._reported_s = now_s


class FrameReader:
    """Reads blocks from a link to a device that has just been started.

    Nothing is returned before the ramp has proved that the bytes are aligned to samples.

    Parameters
    ----------
    link : TcpLink
        Where the bytes come from, the first of them the first of a sample.
    layout : FrameLayout
        How they lie.
    now_s : callable
        The monotonic clock.
    """

    def __init__(
        self, link: TcpLink, layout: FrameLayout, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._link = link
        self._layout = layout
        self._now_s = now_s
        self._ramp = RampClock(layout.fs_hz, now_s())
        self._proved = False
        # Bytes of whole samples that wait for more: for the proof, or behind a jump of the ramp.
        self._waiting = b""
        self._emg = [
            (np.array(columns), np.full(len(columns), lsb_uv))
            for columns, lsb_uv in zip(layout.emg_columns, layout.emg_lsb_uv, strict=True)
        ]
        self._aux_columns = np.array([aux.column for aux in layout.aux], dtype=np.int64)
        self._aux_units = np.array([aux.unit_per_count for aux in layout.aux], dtype=np.float64)
        self._behind: RampReport = RampReport(len(layout.ramp_columns), now_s)

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived, as `DeviceSource.read` does, with the same errors."""
        layout = self._layout
        data = self._link.read_frames(layout.frame_bytes, timeout_s)
        if not data:
            return []
        self._waiting += data
        if not self._proved:
            if len(self._waiting) < PROOF_SAMPLES * layout.frame_bytes:
                return []
            prove_layout(self._waiting, layout)
            self._proved = True
        counts = counts_from_bytes(self._waiting, layout.n_channels, layout.sample_bytes, layout.byte_order)
        ramps = counts[:, layout.ramp_columns].astype(np.int64)
        stretches, settled = self._ramp.split(ramps, self._now_s())
        self._behind.note(ramps[:settled])
        self._waiting = self._waiting[settled * layout.frame_bytes :]
        return [self._block(counts[s.start : s.stop], s.lost_before) for s in stretches]

    def _block(self, counts: CountArray, lost_before: int) -> DeviceBlock:
        emg_uv = tuple(scaled(counts[:, columns], lsb_uv) for columns, lsb_uv in self._emg)
        return DeviceBlock(emg_uv, scaled(counts[:, self._aux_columns], self._aux_units), lost_before)


def prove_layout(data: bytes, layout: FrameLayout) -> None:
    """Check that the first samples of a device are laid out as they should be.

    Raises
    ------
    InputError
        If the ramp does not step by one; names the number of channels that would fit.
    """
    first = data[: PROOF_SAMPLES * layout.frame_bytes]
    if _ramp_runs(first, layout, layout.n_channels, layout.sample_bytes):
        return
    set_up = f"{layout.n_channels} channels of {8 * layout.sample_bytes} bit were expected"
    fits = [
        f"{n_channels} channels of {8 * sample_bytes} bit"
        for sample_bytes in (2, 3)
        for n_channels in range(2, MAX_CHANNELS_TRIED)
        if _ramp_runs(data, layout, n_channels, sample_bytes)
    ]
    if fits:
        raise InputError(f"the device sends {' or '.join(fits)}, {set_up}: {layout.remedy}")
    msg = f"what the device sends has no ramp channel where it should lie ({set_up}): {layout.remedy}"
    raise InputError(msg)


def _ramp_runs(data: bytes, layout: FrameLayout, n_channels: int, sample_bytes: int) -> bool:
    """Tell whether ramps at their places, counted from the end of a sample, step by one all the time."""
    columns = [n_channels - layout.n_channels + column for column in layout.ramp_columns]
    n_samples = len(data) // (n_channels * sample_bytes)
    if n_samples < 4 or columns[0] < 0:  # noqa: PLR2004 - three steps by one of 16 bits are no accident
        return False
    whole = data[: n_samples * n_channels * sample_bytes]
    counts = counts_from_bytes(whole, n_channels, sample_bytes, layout.byte_order)
    return not losses(counts[:, columns].astype(np.int64), None).any()
