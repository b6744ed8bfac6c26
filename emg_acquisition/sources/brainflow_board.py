"""OpenBCI and other boards through BrainFlow, which speaks to them; needs the optional extra ``brainflow``."""

import difflib
import importlib.resources
import logging
import sys
import time
from dataclasses import dataclass
from typing import Any

import brainflow.board_shim
import numpy as np
from brainflow.board_shim import BoardIds, BoardShim, BrainFlowError, BrainFlowInputParams
from brainflow.exit_codes import BrainFlowExitCodes

from emg_acquisition.arrays import Float64Array
from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.stream_info import AuxChannel, AuxStreamInfo, EmgStreamInfo

_log = logging.getLogger(__name__)

if sys.version_info < (3, 12):
    # BrainFlow looks its library up by a module's name, which older Pythons refuse, and falls back on a package
    # that setuptools no longer has.
    brainflow.board_shim.files = lambda _module: importlib.resources.files("brainflow")

DEFAULT_PITCH_MM = 10.0
POLL_S = 0.005
RING_BUFFER_SAMPLES = 45_000
# BrainFlow hands on the board's own package number, which most boards keep in one byte.
COUNTER_RANGE = 256
# So many samples show whether it counts samples at all.
COUNTER_TRIAL = 64
COUNTS_SAMPLES = 0.9
# What BrainFlow may call a set-up that no second try can help.
HOPELESS = {
    BrainFlowExitCodes.INVALID_ARGUMENTS_ERROR,
    BrainFlowExitCodes.UNSUPPORTED_BOARD_ERROR,
    BrainFlowExitCodes.JSON_NOT_FOUND_ERROR,
}
AUX_KINDS = {
    "package_num_channel": "counter",
    "accel_channels": "accelerometer",
    "gyro_channels": "gyroscope",
    "magnetometer_channels": "magnetometer",
    "rotation_channels": "quaternion",
    "analog_channels": "analog",
    "resistance_channels": "resistance",
    "eda_channels": "eda",
    "ppg_channels": "ppg",
    "temperature_channels": "temperature",
    "battery_channel": "battery",
    "other_channels": "other",
}


@dataclass(frozen=True)
class BrainFlowSettings:
    """Which board, and where it is; what a board needs of this stands in BrainFlow's documentation.

    Parameters
    ----------
    board : str
        BrainFlow's name of it, such as ``CYTON_BOARD``; ``_BOARD`` may be left out. ``synthetic`` needs no hardware.
    grid : ElectrodeGrid, optional
        Where the electrodes lie; by default in one row.
    fs_hz : float, optional
        The rate that is expected; it is the board's own and only checked.
    serial_port, mac_address, ip_address : str
        Where it is.
    ip_port : int
        Likewise.
    serial : str
        Tells boards apart; BrainFlow looks for it where a board has one.
    """

    board: str
    grid: ElectrodeGrid | None = None
    fs_hz: float | None = None
    serial_port: str = ""
    mac_address: str = ""
    ip_address: str = ""
    ip_port: int = 0
    serial: str = ""


class BrainFlowBoard:
    """A board as a `DeviceSource`.

    Raises
    ------
    InputError
        If there is no such board, or grid and rate are not the board's.
    """

    def __init__(self, settings: BrainFlowSettings) -> None:
        BoardShim.disable_board_logger()
        self._board_id = _board_id(settings.board)
        self._params = _params(settings)
        description = BoardShim.get_board_descr(self._board_id)
        self._emg_rows = _emg_rows(description, settings.board)
        self._aux = _aux_channels(description)
        self._counter_row = description.get("package_num_channel")
        self._info = _declare(settings, description, len(self._emg_rows))
        self._board: BoardShim | None = None
        self._begin()

    @property
    def infos(self) -> tuple[EmgStreamInfo, ...]:
        """One EMG stream."""
        return (self._info,)

    @property
    def aux_info(self) -> AuxStreamInfo | None:
        """Whatever else the board measures, as BrainFlow gives it; its clock and markers are left out."""
        if not self._aux:
            return None
        channels = tuple(channel for _, channel in self._aux)
        return AuxStreamInfo(
            f"{self._info.name} aux", f"{self._info.source_id}-aux", self._info.fs_hz, channels
        )

    def connect(self, timeout_s: float) -> None:  # noqa: ARG002 - BrainFlow takes the time that it takes
        """Open the board and start it; BrainFlow's own time-outs hold."""
        self._release()
        board = BoardShim(self._board_id, self._params)
        try:
            board.prepare_session()
            board.start_stream(RING_BUFFER_SAMPLES)
        except BrainFlowError as error:
            _release(board)
            if error.exit_code in {code.value for code in HOPELESS}:
                raise InputError(
                    f"BrainFlow cannot set up {self._info.model}: {error}; check its options"
                ) from error
            raise StreamLostError(
                f"BrainFlow does not reach {self._info.model} ({error}): check that it is on, and its port"
            ) from error
        self._board = board
        self._begin()

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived; see `DeviceSource.read`."""
        if self._board is None:
            raise StreamLostError("the board is not connected: connect first")
        deadline_s = time.monotonic() + timeout_s
        try:
            while not self._board.get_board_data_count() and time.monotonic() < deadline_s:
                time.sleep(POLL_S)
            rows = self._board.get_board_data()
        except BrainFlowError as error:
            self._release()
            raise StreamLostError(f"{self._info.model} is gone ({error}): connect again") from error
        return self._blocks(np.asarray(rows, dtype=np.float64).T)

    def close(self) -> None:
        """Stop the board and let go of it."""
        self._release()

    def _begin(self) -> None:
        self._trial: Float64Array | None = None
        self._counts_samples: bool | None = None if self._counter_row is not None else False
        self._last_count: float | None = None

    def _release(self) -> None:
        board, self._board = self._board, None
        if board is not None:
            _release(board)

    def _blocks(self, samples: Float64Array) -> list[DeviceBlock]:
        """Make blocks of samples, shape (n_samples, n_rows), once it is known what the board's counter counts."""
        if self._trial is not None:
            samples = np.concatenate((self._trial, samples))
        if self._counts_samples is None:
            if len(samples) < COUNTER_TRIAL:
                self._trial = samples
                return []
            self._counts_samples = self._judge_counter(samples[:, self._counter_row])
        self._trial = None
        if not len(samples):
            return []
        lost = (
            self._lost(samples[:, self._counter_row]) if self._counts_samples else np.zeros(len(samples), int)
        )
        starts = [0, *(k for k in np.flatnonzero(lost).tolist() if k)]
        parts = zip(starts, [*starts[1:], len(samples)], strict=True)
        return [self._block(samples[first:end], int(lost[first])) for first, end in parts]

    def _block(self, samples: Float64Array, lost_before: int) -> DeviceBlock:
        emg_uv = samples[:, self._emg_rows].astype(np.float32)
        aux = samples[:, [row for row, _ in self._aux]].astype(np.float32)
        return DeviceBlock((emg_uv,), aux, lost_before)

    def _judge_counter(self, counts: Float64Array) -> bool:
        by_one = float(np.mean(np.diff(counts) % COUNTER_RANGE == 1))
        if by_one < COUNTS_SAMPLES:
            _log.warning("%s does not count its samples: losses cannot be detected", self._info.model)
        return by_one >= COUNTS_SAMPLES

    def _lost(self, counts: Float64Array) -> Float64Array:
        first = counts[0] - 1 if self._last_count is None else self._last_count
        self._last_count = float(counts[-1])
        return (np.diff(counts, prepend=first) - 1) % COUNTER_RANGE


def _board_id(name: str) -> int:
    names = {board.name: board.value for board in BoardIds if board.value >= BoardIds.SYNTHETIC_BOARD.value}
    wanted = name.upper().removesuffix("_BOARD") + "_BOARD"
    if wanted not in names:
        near = difflib.get_close_matches(wanted, names, n=3) or sorted(names)[:3]
        raise InputError(f"BrainFlow knows no board {name!r}; similar: {', '.join(near)}, and synthetic")
    return int(names[wanted])


def _params(settings: BrainFlowSettings) -> BrainFlowInputParams:
    params = BrainFlowInputParams()
    params.serial_port = settings.serial_port
    params.mac_address = settings.mac_address
    params.ip_address = settings.ip_address
    params.ip_port = settings.ip_port
    params.serial_number = settings.serial
    return params


def _emg_rows(description: dict[str, Any], board: str) -> list[int]:
    rows = (
        description.get("emg_channels") or description.get("eeg_channels") or description.get("ecg_channels")
    )
    if not rows:
        raise InputError(f"BrainFlow's board {board} has no channel for electrodes: choose another")
    return [int(row) for row in rows]


def _aux_channels(description: dict[str, Any]) -> list[tuple[int, AuxChannel]]:
    found = []
    for key, kind in AUX_KINDS.items():
        rows = description.get(key, [])
        for number, row in enumerate(rows if isinstance(rows, list) else [rows], start=1):
            label = f"{kind}{number}" if isinstance(rows, list) else kind
            found.append((int(row), AuxChannel(label, kind)))
    return found


def _declare(settings: BrainFlowSettings, description: dict[str, Any], n_channels: int) -> EmgStreamInfo:
    model = str(description["name"])
    fs_hz = float(description["sampling_rate"])
    if settings.fs_hz not in {None, fs_hz}:
        raise InputError(
            f"{model} runs at {fs_hz:g} Hz, {settings.fs_hz:g} Hz was asked for: leave the rate out"
        )
    grid = settings.grid or rectangular_grid(1, n_channels, DEFAULT_PITCH_MM)
    if grid.n_channels != n_channels:
        msg = f"grid {grid.name!r} has {grid.n_channels} electrodes, {model} has {n_channels} channels: choose another"
        raise InputError(msg)
    serial = settings.serial or "1"
    return EmgStreamInfo(
        name=f"{model} {serial}",
        source_id=f"brainflow-{model.lower().replace(' ', '-')}-{serial}",
        fs_hz=fs_hz,
        grid=grid,
        channel_labels=tuple(f"E{channel + 1}" for channel in range(n_channels)),
        manufacturer="BrainFlow",
        model=model,
        serial_number=settings.serial,
    )


def _release(board: BoardShim) -> None:
    try:
        if board.is_prepared():
            board.release_session()
    except BrainFlowError as error:
        _log.debug("BrainFlow let go of the board with %s", error)
