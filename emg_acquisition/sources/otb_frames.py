"""Bytes of an OT Bioelettronica amplifier to blocks of microvolts, with losses and misaligned bytes found."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources.otb_codec import ByteOrder, CountArray, counts_from_bytes, scaled
from emg_acquisition.sources.otb_ramp import RampClock, losses
from emg_acquisition.sources.tcp_link import TcpLink
from emg_acquisition.stream_info import AuxChannel

_log = logging.getLogger(__name__)

# Samples whose ramp must run on before the first of them is believed.
PROOF_SAMPLES = 32
MAX_CHANNELS_TRIED = 512
REPORT_S = 1.0


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


class RampReport:
    """Says, once a second, which of several probes at a station lost data on its way to the station."""

    def __init__(self, n_ramps: int, now_s: Callable[[], float]) -> None:
        self._n_ramps = n_ramps
        self._now_s = now_s
        self._last: IntArray | None = None
        self._jumps = np.zeros(n_ramps, dtype=np.int64)
        self._told_s = now_s()

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
        if self._jumps.any() and now_s - self._told_s >= REPORT_S:
            _log.warning(
                "probes lost data on the way to the station, samples by probe: %s", self._jumps.tolist()
            )
            self._jumps[:] = 0
            self._told_s = now_s


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
