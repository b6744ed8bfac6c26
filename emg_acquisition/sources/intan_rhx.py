"""Intan RHX: the recording program of Intan's RHD controllers, over its two TCP ports.

What is set up and in which order is that of Intan's "RHX TCP control" documentation. Samples come in blocks of 128,
32 ms at 4 kHz; RHX cannot send them any sooner.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources.intan_codec import (
    COUNTER_RANGE,
    FRAMES_PER_BLOCK,
    MAGIC,
    Blocks,
    block_bytes,
    channel_name,
    channels_of_block,
    decode_blocks,
)
from emg_acquisition.sources.intan_commands import IntanCommands
from emg_acquisition.sources.tcp_link import TcpLink, connect_to
from emg_acquisition.stream_info import EmgStreamInfo

COMMAND_PORT = 5000
WAVEFORM_PORT = 5001
PORTS = "ABCDEFGH"
CHANNELS_PER_PORT = 128
MAX_FS_HZ = 30_000.0
WAVEFORM_CONNECT_S = 1.0


@dataclass(frozen=True)
class IntanSettings:
    """Which channels of which RHX.

    Parameters
    ----------
    grids : tuple of ElectrodeGrid
        The electrodes on each port; two sleeves are two ports and two streams.
    ports : str
        Letters of the headstage ports, in the order of the alphabet, one a grid.
    channels : tuple of int
        Numbers of the channels on every port, ascending: channel n of a grid is the n-th of them. Empty takes as
        many as the grid has electrodes, from 0.
    fs_hz : float
        The rate at which RHX was started; it cannot be changed from here.
    host : str
        Where RHX runs.
    command_port, waveform_port : int
        Its ports.
    serial : str
        Tells controllers apart.

    Raises
    ------
    InputError
        If ports, channels and grids do not fit each other.
    """

    grids: tuple[ElectrodeGrid, ...]
    ports: str = "A"
    channels: tuple[int, ...] = ()
    fs_hz: float = 4000.0
    host: str = "127.0.0.1"
    command_port: int = COMMAND_PORT
    waveform_port: int = WAVEFORM_PORT
    serial: str = "rhx"

    def __post_init__(self) -> None:
        if not self.ports or not set(self.ports) <= set(PORTS) or sorted(set(self.ports)) != list(self.ports):
            msg = f"ports {self.ports!r}: letters of {PORTS[0]} to {PORTS[-1]} are required, each once, in order"
            raise InputError(msg)
        if not 0 < self.fs_hz <= MAX_FS_HZ:
            raise InputError(f"RHX runs at {MAX_FS_HZ:g} Hz at most, {self.fs_hz:g} Hz was asked for")
        if len(self.grids) != len(self.ports):
            msg = f"{len(self.grids)} grids for the {len(self.ports)} ports {self.ports}: give one a port"
            raise InputError(msg)
        numbers = self.channels
        if any(not 0 <= n < CHANNELS_PER_PORT for n in numbers) or sorted(set(numbers)) != list(numbers):
            msg = f"channels of a port are 0 to {CHANNELS_PER_PORT - 1}, each once and ascending, as RHX sends them"
            raise InputError(msg)
        for grid in self.grids:
            if grid.n_channels != len(self.channels_for(grid)) or grid.n_channels > CHANNELS_PER_PORT:
                msg = (
                    f"grid {grid.name!r} has {grid.n_channels} electrodes, {len(numbers) or CHANNELS_PER_PORT} "
                    "channels of the port are read: choose a grid and channels of the same number"
                )
                raise InputError(msg)

    def channels_for(self, grid: ElectrodeGrid) -> tuple[int, ...]:
        """Return the numbers of the channels that a grid's electrodes are on."""
        return self.channels or tuple(range(grid.n_channels))


class IntanRhx:
    """RHX as a `DeviceSource`: one EMG stream a port, no auxiliary channels."""

    def __init__(self, settings: IntanSettings) -> None:
        self._settings = settings
        self._names = [
            tuple(channel_name(port, n) for n in settings.channels_for(grid))
            for port, grid in zip(settings.ports, settings.grids, strict=True)
        ]
        self._infos = tuple(
            _declare(settings, port, grid, names)
            for port, grid, names in zip(settings.ports, settings.grids, self._names, strict=True)
        )
        self._ends = np.cumsum([len(names) for names in self._names]).tolist()
        self._n_channels = self._ends[-1]
        self._commands: IntanCommands | None = None
        self._waveforms: TcpLink | None = None
        self._next_count: int | None = None

    @property
    def infos(self) -> tuple[EmgStreamInfo, ...]:
        """One a port."""
        return self._infos

    @property
    def aux_info(self) -> None:
        """None: RHX's own time stamps are used and not sent on."""
        return

    def connect(self, timeout_s: float) -> None:
        """Reach RHX, choose the channels and run it; see `DeviceSource.connect`."""
        self._hang_up()
        settings = self._settings
        link = connect_to(settings.host, settings.command_port, timeout_s)
        self._commands = IntanCommands(link)
        try:
            self._commands.prepare([name for names in self._names for name in names], settings.fs_hz)
            self._waveforms = connect_to(settings.host, settings.waveform_port, WAVEFORM_CONNECT_S)
            self._commands.run()
        except (StreamLostError, InputError):
            self._hang_up()
            raise
        self._next_count = None

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived; see `DeviceSource.read`."""
        if self._waveforms is None:
            raise StreamLostError("RHX is not connected: connect first")
        data = self._waveforms.read_frames(block_bytes(self._n_channels), timeout_s)
        blocks = decode_blocks(data, self._n_channels)
        try:
            self._check_aligned(blocks, data)
            return self._split_at_losses(blocks)
        except (StreamLostError, InputError):
            self._hang_up()
            raise

    def close(self) -> None:
        """Stop RHX and let go of it; see `DeviceSource.close`."""
        self._hang_up()

    def _hang_up(self) -> None:
        commands, self._commands = self._commands, None
        waveforms, self._waveforms = self._waveforms, None
        if commands is not None:
            commands.stop_and_close()
        if waveforms is not None:
            waveforms.close()

    def _check_aligned(self, blocks: Blocks, data: bytes) -> None:
        """Refuse blocks that do not begin with the magic number or whose time stamps do not count."""
        counted = (blocks.counter - blocks.counter[:, :1]) % COUNTER_RANGE == np.arange(FRAMES_PER_BLOCK)
        wrong = (blocks.magic != MAGIC) | ~counted.all(axis=1)
        if not wrong.any():
            return
        if self._next_count is None and (sent := channels_of_block(data)) != self._n_channels:
            msg = (
                f"RHX sends {'another number of' if sent is None else sent} channels, {self._n_channels} were "
                "asked for: let no other program choose what RHX sends"
            )
            raise InputError(msg)
        raise StreamLostError("what RHX sends is no longer aligned to its blocks: connect again")

    def _split_at_losses(self, blocks: Blocks) -> list[DeviceBlock]:
        found = []
        starts = blocks.counter[:, 0]
        if not len(starts):
            return []
        first = starts[0] if self._next_count is None else self._next_count
        expected = np.concatenate(([first], starts[:-1] + FRAMES_PER_BLOCK))
        lost = (starts - expected) % COUNTER_RANGE
        if (lost >= COUNTER_RANGE // 2).any():
            raise StreamLostError(
                "RHX's time stamps ran back: it was stopped and started again; connect again"
            )
        self._next_count = int(starts[-1] + FRAMES_PER_BLOCK) % COUNTER_RANGE
        edges = [0, *(k for k in np.flatnonzero(lost).tolist() if k), len(starts)]
        for k, end in pairwise(edges):
            emg_uv = blocks.emg_uv[k * FRAMES_PER_BLOCK : end * FRAMES_PER_BLOCK]
            parts = np.split(emg_uv, self._ends[:-1], axis=1)
            streams = tuple(np.ascontiguousarray(part) for part in parts)
            found.append(DeviceBlock(streams, np.zeros((len(emg_uv), 0), np.float32), int(lost[k])))
        return found


def _declare(
    settings: IntanSettings, port: str, grid: ElectrodeGrid, names: tuple[str, ...]
) -> EmgStreamInfo:
    return EmgStreamInfo(
        name=f"Intan {settings.serial} port {port}",
        source_id=f"intan-{settings.serial}-{port.lower()}",
        fs_hz=settings.fs_hz,
        grid=grid,
        channel_labels=names,
        manufacturer="Intan Technologies",
        model="RHX",
        serial_number=settings.serial,
        filters="as set in RHX (wideband)",
    )
