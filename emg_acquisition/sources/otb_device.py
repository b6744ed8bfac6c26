"""What every OT Bioelettronica amplifier has in common: an `OtbDevice` is one amplifier by its description.

An amplifier's own file holds its settings, its command bytes and the layout of its samples.
"""

import contextlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources.otb_frames import BITS_IN_BYTE, FrameLayout, FrameReader
from emg_acquisition.sources.tcp_link import Listener, TcpLink, connect_to
from emg_acquisition.stream_info import AuxStreamInfo, EmgStreamInfo, aux_source_id

DEFAULT_PITCH_MM = 10.0
CRC8_MAXIM_REFLECTED = 0x8C
# How long a device that was told to stop has to hang up.
FAREWELL_S = 0.2
MAX_ROWS = 4
_NAME = re.compile(r"[A-Za-z0-9._+-]+")


class Reach(Protocol):
    """How a device is reached: by calling it, or by waiting for it."""

    def reach(self, timeout_s: float) -> TcpLink:
        """Return a link to the device; `StreamLostError` where it is not there within the time."""
        ...

    def close(self) -> None:
        """Stop trying."""
        ...


class CallDevice:
    """For a device that listens."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port

    def reach(self, timeout_s: float) -> TcpLink:
        """Connect to it."""
        return connect_to(self._host, self._port, timeout_s)

    def close(self) -> None:
        """Nothing is held."""


class AwaitDevice:
    """For a device that connects to the computer; nobody else can, while it is connected or nobody waits."""

    def __init__(self, host: str, port: int, only_from: str) -> None:
        self._host, self._port, self._only_from = host, port, only_from
        self._listener: Listener | None = None

    def reach(self, timeout_s: float) -> TcpLink:
        """Wait for it; after a time-out the port stays open for the next call."""
        if self._listener is None:
            self._listener = Listener(self._host, self._port, self._only_from)
        link = self._listener.accept(timeout_s)
        self._listener = None
        return link

    def close(self) -> None:
        """Close the port."""
        if self._listener is not None:
            self._listener.close()
        self._listener = None


@dataclass(frozen=True)
class OtbDescription:
    """What distinguishes one amplifier from another.

    Parameters
    ----------
    name, source_id : str
        Of the amplifier as a whole.
    infos : tuple of EmgStreamInfo
        Its EMG streams.
    layout : FrameLayout
        How its samples lie.
    start, stop : bytes
        Its commands.
    """

    name: str
    source_id: str
    infos: tuple[EmgStreamInfo, ...]
    layout: FrameLayout
    start: bytes
    stop: bytes


class OtbDevice:
    """An amplifier as a `DeviceSource`.

    Parameters
    ----------
    description : OtbDescription
        What it is.
    reach : Reach
        How it is reached.
    """

    def __init__(self, description: OtbDescription, reach: Reach) -> None:
        self._description = description
        self._reach = reach
        self._link: TcpLink | None = None
        self._reader: FrameReader | None = None

    @property
    def infos(self) -> tuple[EmgStreamInfo, ...]:
        """The EMG streams, in the order of the settings."""
        return self._description.infos

    @property
    def aux_info(self) -> AuxStreamInfo:
        """Every other channel: analogue inputs, quaternions, triggers, counters."""
        about = self._description
        channels = tuple(aux.channel for aux in about.layout.aux)
        return AuxStreamInfo(
            f"{about.name} aux", aux_source_id(about.source_id), about.layout.fs_hz, channels
        )

    def connect(self, timeout_s: float) -> None:
        """Reach the amplifier and start it; see `DeviceSource.connect`."""
        self._hang_up()
        link = self._reach.reach(timeout_s)
        try:
            link.send(self._description.start)
        except StreamLostError:
            link.close()
            raise
        self._link, self._reader = link, FrameReader(link, self._description.layout)

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived; see `DeviceSource.read`."""
        if self._reader is None:
            raise StreamLostError("the device is not connected: connect first")
        try:
            return self._reader.read(timeout_s)
        except (StreamLostError, InputError):
            self._hang_up()
            raise

    def close(self) -> None:
        """Stop the amplifier and let go of it; see `DeviceSource.close`."""
        self._hang_up()
        self._reach.close()

    def _hang_up(self) -> None:
        link, self._link, self._reader = self._link, None, None
        if link is not None:
            with contextlib.suppress(StreamLostError):
                link.send(self._description.stop)
            link.finish(FAREWELL_S)


def otb_stream(
    *,
    name: str,
    source_id: str,
    fs_hz: float,
    grid: ElectrodeGrid,
    model: str,
    serial: str,
    reference: str,
    filters: str,
) -> EmgStreamInfo:
    """Return what an EMG stream of an amplifier declares."""
    return EmgStreamInfo(
        name=name,
        source_id=source_id,
        fs_hz=fs_hz,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(grid.n_channels)),
        manufacturer="OT Bioelettronica",
        model=model,
        serial_number=serial,
        reference=reference,
        filters=filters,
    )


def crc8_maxim(data: bytes) -> int:
    """Return the CRC-8/MAXIM of ``data``: polynomial x^8+x^5+x^4+1, reflected, starting from zero."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(BITS_IN_BYTE):
            crc = (crc >> 1) ^ (CRC8_MAXIM_REFLECTED if crc & 1 else 0)
    return crc


def default_grid(n_channels: int) -> ElectrodeGrid:
    """Return a grid for electrodes that nobody has described: in channel order, four rows at most."""
    rows = MAX_ROWS
    while n_channels % rows or n_channels // rows < rows:
        rows -= 1
    return rectangular_grid(rows, n_channels // rows, DEFAULT_PITCH_MM)


def checked_grid(grid: ElectrodeGrid | None, n_channels: int, where: str) -> ElectrodeGrid:
    """Return the grid, or the default one where there is none.

    Raises
    ------
    InputError
        If the grid has another number of electrodes than the device has channels for it.
    """
    if grid is None:
        return default_grid(n_channels)
    if grid.n_channels != n_channels:
        msg = f"{where}: grid {grid.name!r} has {grid.n_channels} electrodes, the amplifier gives {n_channels} channels"
        raise InputError(f"{msg}: choose a grid or inputs of the same number")
    return grid


def check_choice(name: str, got: object, allowed: Collection[object]) -> None:
    """Refuse a setting that the device does not have, by name.

    Raises
    ------
    InputError
        If ``got`` is none of ``allowed``.
    """
    if got not in allowed:
        raise InputError(f"{name} must be one of {', '.join(map(str, allowed))}, got {got}")


def check_name(name: str, got: str) -> None:
    """Refuse a name or number that cannot stand in a ``source_id``.

    Raises
    ------
    InputError
        If there is more in it than letters, digits and ``. _ + -``.
    """
    if not _NAME.fullmatch(got):
        raise InputError(f"{name} must be letters, digits and any of . _ + -, got {got!r}")


def check_lsb(lsb_nv: float | None) -> None:
    """Refuse nanovolts of one count that are no positive number.

    Raises
    ------
    InputError
        If ``lsb_nv`` is zero, negative or not finite.
    """
    if lsb_nv is not None and not 0 < lsb_nv < float("inf"):
        raise InputError(f"lsb_nv must be above zero, got {lsb_nv:g}")


def check_each_once(what: str, **chosen: Sequence[str]) -> None:
    """Refuse streams that share an input or a name, or that are none at all.

    Raises
    ------
    InputError
        If one of the lists is empty or holds something twice.
    """
    for each, values in chosen.items():
        if not values or len(set(values)) < len(values):
            raise InputError(f"{what}: at least one, and each {each} once; got {list(values)}")
