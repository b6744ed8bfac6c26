"""An amplifier by its name and the few things that people say about it: its driver."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TypeVar

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.grid_library import load_grid
from emg_acquisition.source import DeviceSource
from emg_acquisition.sources.amplifier_names import AMPLIFIERS
from emg_acquisition.sources.intan_rhx import CHANNELS_PER_PORT, IntanRhx, IntanSettings
from emg_acquisition.sources.otb_probes import (
    MuoviSettings,
    StationProbe,
    SyncStationSettings,
    muovi_device,
    syncstation_device,
)
from emg_acquisition.sources.otb_quattrocento import (
    QuattrocentoSettings,
    QuattrocentoStream,
    quattrocento_device,
)
from emg_acquisition.sources.otb_sessantaquattro import SessantaquattroSettings, sessantaquattro_device

Settings = TypeVar("Settings")

# Settings that have an option of their own.
_SAID_OTHERWISE = frozenset(
    {"plus", "probe", "probes", "streams", "grid", "grids", "ports", "channels", "fs_hz", "serial"}
    | {
        "listen_host",
        "host",
        "port",
        "command_port",
        "board",
        "serial_port",
        "mac_address",
        "ip_address",
        "ip_port",
    }
)
# They connect to the computer, which must say where.
THAT_CALL = ("sessantaquattro", "sessantaquattro+", "muovi", "muovi+")
# What is read where nothing else is said.
DEFAULT_INPUTS = {"syncstation": ("muovi-plus:1",), "quattrocento": ("MULTIPLE-IN1",), "intan": ("A",)}
INTAN_DEFAULT_GRID = "sleeve-4x16"


@dataclass(frozen=True)
class AmplifierChoice:
    """What somebody says of an amplifier; None and empty stand for its own default.

    Parameters
    ----------
    name : str
        One of `AMPLIFIERS`.
    grids : tuple of ElectrodeGrid
        One a stream.
    inputs : tuple of str
        One a stream: inputs of a Quattrocento (``MULTIPLE-IN1``, ``IN1+IN2``), probes of a SyncStation
        (``muovi-plus:1``), ports of Intan RHX (``A``, or ``A:0-31`` for some of its channels).
    host : str, optional
        Where it listens; for one that connects to the computer, this computer's address in its network.
    port : int, optional
        The port there.
    fs_hz : float, optional
        Sampling rate.
    serial : str, optional
        Tells amplifiers of one kind apart; part of ``source_id``.
    board, serial_port, mac_address : str, optional
        For BrainFlow: which board, and where it is.
    more : mapping
        Whatever else the driver's settings have, by name, such as ``extra_channels``.
    """

    name: str
    grids: tuple[ElectrodeGrid, ...] = ()
    inputs: tuple[str, ...] = ()
    host: str | None = None
    port: int | None = None
    fs_hz: float | None = None
    serial: str | None = None
    board: str | None = None
    serial_port: str | None = None
    mac_address: str | None = None
    more: Mapping[str, object] = field(default_factory=dict)


def open_amplifier(choice: AmplifierChoice) -> DeviceSource:
    """Return the driver of an amplifier, not yet connected.

    Raises
    ------
    InputError
        If there is no such amplifier, or it cannot be set up as asked.
    """
    if choice.name in THAT_CALL and choice.host is None:
        msg = f"{choice.name} connects to this computer: give --host, the address that this computer has in its network"
        raise InputError(msg)
    match choice.name:
        case "sessantaquattro" | "sessantaquattro+":
            return _sessantaquattro(choice)
        case "muovi" | "muovi+":
            return _muovi(choice)
        case "syncstation":
            return _syncstation(choice)
        case "quattrocento":
            return _quattrocento(choice)
        case "intan":
            return IntanRhx(intan_settings(choice))
        case "brainflow":
            return _brainflow(choice)
    raise InputError(f"there is no amplifier {choice.name!r}: choose one of {', '.join(AMPLIFIERS)}")


def _sessantaquattro(choice: AmplifierChoice) -> DeviceSource:
    plus, grid = choice.name.endswith("+"), _one_grid(choice)
    settings = SessantaquattroSettings(plus=plus)
    if grid is not None:
        # As many inputs are read as the grid has electrodes.
        settings = SessantaquattroSettings(plus=plus, grid=grid, channels=grid.n_channels)
    return sessantaquattro_device(_placed(settings, choice, "listen_host"))


def _muovi(choice: AmplifierChoice) -> DeviceSource:
    probe = "muovi-plus" if choice.name.endswith("+") else "muovi"
    settings = MuoviSettings(probe=probe, grid=_one_grid(choice))  # type: ignore[arg-type]
    return muovi_device(_placed(settings, choice, "listen_host"))


def _syncstation(choice: AmplifierChoice) -> DeviceSource:
    probes = tuple(station_probe(text, grid) for text, grid in input_streams(choice))
    return syncstation_device(_placed(SyncStationSettings(probes=probes), choice, "host"))


def _quattrocento(choice: AmplifierChoice) -> DeviceSource:
    streams = tuple(
        QuattrocentoStream(inputs=tuple(text.upper().split("+")), grid=grid)
        for text, grid in input_streams(choice)
    )
    return quattrocento_device(_placed(QuattrocentoSettings(streams=streams), choice, "host"))


def _brainflow(choice: AmplifierChoice) -> DeviceSource:
    if choice.board is None:
        raise InputError(
            "brainflow: name the board with --board, such as cyton, or synthetic for none at all"
        )
    # Its library is an optional extra.
    from emg_acquisition.sources.brainflow_board import BrainFlowBoard, BrainFlowSettings  # noqa: PLC0415

    settings = BrainFlowSettings(
        board=choice.board,
        grid=_one_grid(choice),
        fs_hz=choice.fs_hz,
        serial_port=choice.serial_port or "",
        mac_address=choice.mac_address or "",
        ip_address=choice.host or "",
        ip_port=choice.port or 0,
        serial=choice.serial or "",
    )
    return BrainFlowBoard(replace(settings, **_further(settings, choice)))  # type: ignore[arg-type]


def _placed(settings: Settings, choice: AmplifierChoice, host_name: str) -> Settings:
    """Put what was said into a driver's settings, which check it."""
    changes: dict[str, object] = {
        host_name: choice.host,
        "port": choice.port,
        "serial": choice.serial,
        **_further(settings, choice),
    }
    if choice.fs_hz is not None:
        if not hasattr(settings, "fs_hz"):
            raise InputError(f"{choice.name}: its rate is fixed; leave --rate out")
        changes["fs_hz"] = int(choice.fs_hz) if choice.fs_hz.is_integer() else choice.fs_hz
    return replace(settings, **{name: value for name, value in changes.items() if value is not None})  # type: ignore[type-var]


def _further(settings: object, choice: AmplifierChoice) -> Mapping[str, object]:
    """Return what was said by the name of a setting, each of the type that the setting has."""
    own = {f.name: getattr(settings, f.name) for f in fields(settings) if f.name not in _SAID_OTHERWISE}  # type: ignore[arg-type]
    for name, value in choice.more.items():
        if name not in own:
            raise InputError(
                f"{choice.name} has no setting {name!r} to set; it has {', '.join(own) or 'none'}"
            )
        # A setting without a default is a number; a bool is a number in Python, but not here.
        allowed = (int, float) if own[name] is None or type(own[name]) in {int, float} else type(own[name])
        if not isinstance(value, allowed) or isinstance(value, bool) is not isinstance(own[name], bool):
            kind = {bool: "yes or no", str: "text"}.get(type(own[name]), "a number")
            raise InputError(f"{choice.name}: {name} must be {kind}, got {value!r}")
    return choice.more


def _one_grid(choice: AmplifierChoice) -> ElectrodeGrid | None:
    if len(choice.grids) > 1:
        raise InputError(f"{choice.name} is one stream: give one --grid, got {len(choice.grids)}")
    return choice.grids[0] if choice.grids else None


def input_streams(choice: AmplifierChoice) -> list[tuple[str, ElectrodeGrid | None]]:
    """Return the inputs and the grid of each stream, of an amplifier that can give several.

    Raises
    ------
    InputError
        If there are grids, but not one a stream.
    """
    inputs = choice.inputs or DEFAULT_INPUTS[choice.name]
    if choice.grids and len(choice.grids) != len(inputs):
        msg = f"{choice.name}: {len(choice.grids)} grids for {len(inputs)} streams ({', '.join(inputs)}): "
        raise InputError(msg + "give --grid once for each --inputs, in the same order")
    grids: tuple[ElectrodeGrid | None, ...] = choice.grids or (None,) * len(inputs)
    return list(zip(inputs, grids, strict=True))


def station_probe(text: str, grid: ElectrodeGrid | None) -> StationProbe:
    """Return the probe that ``muovi-plus:1`` stands for.

    Raises
    ------
    InputError
        If there is no such probe, or it has another number of electrodes than its grid.
    """
    probe, _, number = text.lower().replace("+", "-plus").partition(":")
    if not (number or "1").isdecimal():
        raise InputError(f"--inputs {text!r}: a probe and its number are required, such as muovi-plus:1")
    return StationProbe(probe=probe, number=int(number or 1), grid=grid)  # type: ignore[arg-type]


def intan_settings(choice: AmplifierChoice) -> IntanSettings:
    """Return the settings of an Intan RHX."""
    streams = input_streams(choice)
    ports, _, numbers = zip(*(text.upper().partition(":") for text, _ in streams), strict=True)
    if len(set(numbers)) > 1:
        raise InputError("intan: the same channels are read of every port: give the same to each --inputs")
    said = {"host": choice.host, "command_port": choice.port, "fs_hz": choice.fs_hz, "serial": choice.serial}
    settings = IntanSettings(
        grids=tuple(grid or load_grid(INTAN_DEFAULT_GRID) for _, grid in streams),
        ports="".join(ports),
        channels=_channel_numbers(numbers[0]) if numbers[0] else (),
        **{name: value for name, value in said.items() if value is not None},  # type: ignore[arg-type]
    )
    return replace(settings, **_further(settings, choice))  # type: ignore[arg-type]


def _channel_numbers(text: str) -> tuple[int, ...]:
    first, dash, last = text.partition("-")
    last = last if dash else first
    if not first.isdecimal() or not last.isdecimal() or not int(first) <= int(last) < CHANNELS_PER_PORT:
        msg = f"intan: channels {text!r}: first and last of 0 to {CHANNELS_PER_PORT - 1} are required, such as 0-63"
        raise InputError(msg)
    return tuple(range(int(first), int(last) + 1))
