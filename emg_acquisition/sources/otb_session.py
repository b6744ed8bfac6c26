"""A connection to an OT Bioelettronica amplifier from its start command to its stop command."""

import contextlib
import re
from collections.abc import Collection
from typing import Protocol

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources.otb_frames import FrameLayout, FrameReader
from emg_acquisition.sources.tcp_link import Listener, TcpLink, connect_to

MANUFACTURER = "OT Bioelettronica"
DEFAULT_PITCH_MM = 10.0
# What a device that was told to stop gets, to hang up.
FAREWELL_S = 0.2
MOST_ROWS = 4
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


class OtbSession:
    """Connects, starts, reads and stops a device; the part of every driver that is alike.

    Parameters
    ----------
    reach : Reach
        How the device is reached.
    layout : FrameLayout
        How its samples lie.
    start, stop : bytes
        Its commands.
    """

    def __init__(self, reach: Reach, layout: FrameLayout, start: bytes, stop: bytes) -> None:
        self._reach = reach
        self._layout = layout
        self._start, self._stop = start, stop
        self._link: TcpLink | None = None
        self._reader: FrameReader | None = None

    def connect(self, timeout_s: float) -> None:
        """Reach the device and start it, as `DeviceSource.connect` does, with the same errors."""
        self._hang_up()
        link = self._reach.reach(timeout_s)
        try:
            link.send(self._start)
        except StreamLostError:
            link.close()
            raise
        self._link, self._reader = link, FrameReader(link, self._layout)

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived, as `DeviceSource.read` does, with the same errors."""
        if self._reader is None:
            raise StreamLostError("the device is not connected: connect first")
        try:
            return self._reader.read(timeout_s)
        except (StreamLostError, InputError):
            self._hang_up()
            raise

    def close(self) -> None:
        """Stop the device and let go of it."""
        self._hang_up()
        self._reach.close()

    def _hang_up(self) -> None:
        link, self._link, self._reader = self._link, None, None
        if link is not None:
            with contextlib.suppress(StreamLostError):
                link.send(self._stop)
            link.finish(FAREWELL_S)


def default_grid(n_channels: int) -> ElectrodeGrid:
    """Return a grid for a device whose electrodes nobody has described: in channel order, four rows at most."""
    rows = MOST_ROWS
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


def labels(n_channels: int) -> tuple[str, ...]:
    """Return the labels of electrodes, in channel order."""
    return tuple(f"E{channel + 1}" for channel in range(n_channels))
