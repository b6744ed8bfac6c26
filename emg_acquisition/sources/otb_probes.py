"""The wireless probes of OT Bioelettronica (Muovi, Muovi+, Due+, Quattro+), alone or at a SyncStation.

A probe alone connects to this computer; this computer connects to a station, whose probes each become an EMG stream.
"""

from dataclasses import dataclass
from typing import Literal

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.sources.otb_device import (
    AwaitDevice,
    CallDevice,
    OtbDescription,
    OtbDevice,
    check_choice,
    check_each_once,
    check_lsb,
    check_name,
    checked_grid,
    crc8_maxim,
    otb_stream,
)
from emg_acquisition.sources.otb_frames import AuxColumn, FrameLayout
from emg_acquisition.stream_info import AuxChannel, EmgStreamInfo

ProbeName = Literal["muovi", "muovi-plus", "due-plus", "quattro-plus"]
StationProbeName = Literal["muovi", "muovi-plus", "due-plus"]
ProbeMode = Literal["monopolar", "ramps"]

PROBE_PORT = 54321
STATION_HOST, STATION_PORT = "192.168.76.1", 54320
# Rate -> bits of a count: the probe's EMG and EEG modes.
RESOLUTION_BITS = {2000: 16, 500: 24}
EMG_FS_HZ = 2000
# Probe -> index of its number 1 at the station, and how many numbers there are.
STATION_PLACES = {"muovi": (0, 4), "muovi-plus": (4, 2), "due-plus": (6, 10)}
N_STATION_AUX = 6
N_PROBE_AUX = 6
TEST_RAMPS_MODE = 3


@dataclass(frozen=True)
class ProbeKind:
    """A kind of probe.

    Parameters
    ----------
    model : str
        As its maker calls it.
    n_emg : int
        Electrodes.
    lsb_nv : dict of int to float
        Nanovolts of one count, by gain.
    """

    model: str
    n_emg: int
    lsb_nv: dict[int, float]


MUOVI_LSB_NV = {8: 286.1, 4: 572.2}
PROBES = {
    "muovi": ProbeKind("Muovi", 32, MUOVI_LSB_NV),
    "muovi-plus": ProbeKind("Muovi+", 64, MUOVI_LSB_NV),
    "due-plus": ProbeKind("Due+", 2, {8: 249.0}),
    "quattro-plus": ProbeKind("Quattro+", 4, {8: 249.0}),
}
# Mode bits of a gain; 3 makes test ramps.
GAIN_MODES = {8: 0, 4: 1}
STATION_STOP = bytes((0, crc8_maxim(b"\x00")))


def _check_probe(probe: str, gain: int) -> None:
    """Refuse a probe or a gain that there is not.

    Raises
    ------
    InputError
        If ``probe`` is no probe, or has no such gain.
    """
    check_choice("probe", probe, PROBES)
    if gain not in PROBES[probe].lsb_nv:
        gains = " or ".join(map(str, PROBES[probe].lsb_nv))
        raise InputError(f"gain of a {PROBES[probe].model} must be {gains}, got {gain}")


@dataclass(frozen=True)
class MuoviSettings:
    """How a probe is set up.

    Parameters
    ----------
    probe : {"muovi", "muovi-plus", "due-plus", "quattro-plus"}
        Which it is: 32, 64, 2 or 4 electrodes.
    grid : ElectrodeGrid, optional
        Where the electrodes lie; by default four rows in channel order.
    fs_hz : {2000, 500}
        2000 Hz at 16 bit with a 10 Hz high-pass, or 500 Hz at 24 bit and DC-coupled.
    mode : {"monopolar", "ramps"}
        "ramps" is the probe's own test.
    gain : {8, 4}
        4 has twice the range; only at 2000 Hz, with firmware 3.2.0 or newer.
    lsb_nv : float, optional
        Nanovolts of one count, where the probe's own differ from the documented ones.
    serial : str
        Number of the probe, which it does not send.
    listen_host : str
        This computer's address in the probe's network; the default is for the emulator.
    port : int
        Port on which the probe expects this computer.
    device_host : str
        The one address that may connect; empty for any.

    Raises
    ------
    InputError
        If the probe cannot do it.
    """

    probe: ProbeName = "muovi-plus"
    grid: ElectrodeGrid | None = None
    fs_hz: int = EMG_FS_HZ
    mode: ProbeMode = "monopolar"
    gain: int = 8
    lsb_nv: float | None = None
    serial: str = "1"
    listen_host: str = "127.0.0.1"
    port: int = PROBE_PORT
    device_host: str = ""

    def __post_init__(self) -> None:
        check_name("serial", self.serial)
        check_lsb(self.lsb_nv)
        _check_probe(self.probe, self.gain)
        check_choice("fs_hz", self.fs_hz, RESOLUTION_BITS)
        check_choice("mode", self.mode, ("monopolar", "ramps"))
        if self.gain != max(GAIN_MODES) and self.fs_hz != EMG_FS_HZ:
            raise InputError(f"gain {self.gain} is for fs_hz {EMG_FS_HZ} only: set gain to 8, or fs_hz")
        checked_grid(self.grid, self.kind.n_emg, self.probe)

    @property
    def kind(self) -> ProbeKind:
        """What the probe has."""
        return PROBES[self.probe]


@dataclass(frozen=True)
class StationProbe:
    """A probe at the station.

    Parameters
    ----------
    probe : {"muovi", "muovi-plus", "due-plus"}
        Which it is.
    number : int
        Its number at the station, from 1: 4 Muovi, 2 Muovi+, 10 Due+.
    name : str
        What its stream is called where there are several, such as ``left``; by default probe and number.
    grid : ElectrodeGrid, optional
        Where its electrodes lie; by default four rows in channel order.
    gain : {8, 4}
        4 has twice the range (Muovi and Muovi+ only).
    """

    probe: StationProbeName = "muovi-plus"
    number: int = 1
    name: str = ""
    grid: ElectrodeGrid | None = None
    gain: int = 8

    def __post_init__(self) -> None:
        check_choice("probe", self.probe, STATION_PLACES)
        _check_probe(self.probe, self.gain)
        check_choice(f"number of a {self.probe}", self.number, range(1, STATION_PLACES[self.probe][1] + 1))
        check_name("name", self.label)
        checked_grid(self.grid, PROBES[self.probe].n_emg, self.label)

    @property
    def index(self) -> int:
        """Index at the station, which is also the order in which probes are sent."""
        return STATION_PLACES[self.probe][0] + self.number - 1

    @property
    def label(self) -> str:
        """Name, or probe and number."""
        return self.name or f"{self.probe}-{self.number}"


@dataclass(frozen=True)
class SyncStationSettings:
    """How a station is set up; its probes all send EMG at 2000 Hz and 16 bit.

    Parameters
    ----------
    probes : tuple of StationProbe
        At least one; streams come in this order.
    mode : {"monopolar", "ramps"}
        "ramps" is the probes' own test.
    lsb_nv : float, optional
        Nanovolts of one count, where the probes' own differ from the documented ones.
    serial : str
        Number of the station, which it does not send.
    host, port : str, int
        Where the station listens.

    Raises
    ------
    InputError
        If the station cannot do it.
    """

    probes: tuple[StationProbe, ...] = (StationProbe(),)
    mode: ProbeMode = "monopolar"
    lsb_nv: float | None = None
    serial: str = "1"
    host: str = STATION_HOST
    port: int = STATION_PORT

    def __post_init__(self) -> None:
        check_name("serial", self.serial)
        check_lsb(self.lsb_nv)
        check_choice("mode", self.mode, ("monopolar", "ramps"))
        check_each_once(
            "probes",
            probe=[f"{probe.probe} {probe.number}" for probe in self.probes],
            name=[probe.label for probe in self.probes],
        )


def muovi_device(settings: MuoviSettings) -> OtbDevice:
    """Return the driver of a probe without a station."""
    kind = settings.kind
    info = otb_stream(
        name=f"{kind.model} {settings.serial}",
        source_id=f"{settings.probe}-{settings.serial}",
        fs_hz=float(settings.fs_hz),
        grid=checked_grid(settings.grid, kind.n_emg, settings.probe),
        model=kind.model,
        serial=settings.serial,
        reference=settings.mode,
        filters="high-pass 10 Hz" if settings.fs_hz == EMG_FS_HZ else "none",
    )
    start, stop = muovi_command(settings, go=True), muovi_command(settings, go=False)
    description = OtbDescription(info.name, info.source_id, (info,), muovi_layout(settings), start, stop)
    return OtbDevice(description, AwaitDevice(settings.listen_host, settings.port, settings.device_host))


def muovi_command(settings: MuoviSettings, *, go: bool) -> bytes:
    """Return the byte that sets the probe up and starts or stops it."""
    mode = TEST_RAMPS_MODE if settings.mode == "ramps" else GAIN_MODES[settings.gain]
    return bytes(((settings.fs_hz == EMG_FS_HZ) << 3 | mode << 1 | int(go),))


def muovi_layout(settings: MuoviSettings) -> FrameLayout:
    """Return how the probe's samples lie: electrodes, quaternion, buffer and trigger, ramp."""
    n_emg = settings.kind.n_emg
    lsb_nv = settings.lsb_nv or settings.kind.lsb_nv[settings.gain]
    return FrameLayout(
        n_channels=n_emg + N_PROBE_AUX,
        sample_bytes=RESOLUTION_BITS[settings.fs_hz] // 8,
        byte_order="big",
        fs_hz=float(settings.fs_hz),
        emg_columns=(tuple(range(n_emg)),),
        emg_lsb_uv=(lsb_nv / 1000.0,),
        aux=_probe_aux(n_emg),
        ramp_columns=(n_emg + N_PROBE_AUX - 1,),
        remedy=f"probe is {settings.probe!r}; set it to the probe that is there ({', '.join(PROBES)})",
    )


def syncstation_device(settings: SyncStationSettings) -> OtbDevice:
    """Return the driver of a station and its probes: one EMG stream a probe, in the order of the settings."""
    source_id = f"syncstation-{settings.serial}"
    description = OtbDescription(
        f"SyncStation {settings.serial}",
        source_id,
        tuple(_station_info(settings, probe, source_id) for probe in settings.probes),
        station_layout(settings),
        station_start(settings),
        STATION_STOP,
    )
    return OtbDevice(description, CallDevice(settings.host, settings.port))


def _station_info(settings: SyncStationSettings, probe: StationProbe, source_id: str) -> EmgStreamInfo:
    kind = PROBES[probe.probe]
    alone = len(settings.probes) == 1 and not probe.name
    return otb_stream(
        name=f"{kind.model} {probe.label} at SyncStation {settings.serial}",
        source_id=source_id if alone else f"{source_id}-{probe.label}",
        fs_hz=float(EMG_FS_HZ),
        grid=checked_grid(probe.grid, kind.n_emg, probe.label),
        model=f"SyncStation with {kind.model}",
        serial=settings.serial,
        reference=settings.mode,
        filters="high-pass 10 Hz",
    )


def station_start(settings: SyncStationSettings) -> bytes:
    """Return the command that starts the probes, in the order of their places at the station."""
    probes = sorted(settings.probes, key=lambda probe: probe.index)
    modes = [TEST_RAMPS_MODE if settings.mode == "ramps" else GAIN_MODES[probe.gain] for probe in probes]
    each = (probe.index << 4 | 1 << 3 | mode << 1 | 1 for probe, mode in zip(probes, modes, strict=True))
    body = bytes((len(probes) << 1 | 1, *each))
    return body + bytes((crc8_maxim(body),))


def station_layout(settings: SyncStationSettings) -> FrameLayout:
    """Return how a sample lies: probe after probe by place, each with its six, then the station's six."""
    first: dict[int, int] = {}
    aux: list[AuxColumn] = []
    ramps: list[int] = []
    n_channels = 0
    for probe in sorted(settings.probes, key=lambda probe: probe.index):
        first[probe.index] = n_channels
        n_channels += PROBES[probe.probe].n_emg + N_PROBE_AUX
        aux += _probe_aux(n_channels - N_PROBE_AUX, f"{probe.label} ")
        ramps.append(n_channels - 1)
    aux += [
        AuxColumn(n_channels + i, AuxChannel(f"station {i + 1}", "auxiliary")) for i in range(N_STATION_AUX)
    ]
    kinds = [PROBES[probe.probe] for probe in settings.probes]
    return FrameLayout(
        n_channels=n_channels + N_STATION_AUX,
        sample_bytes=2,
        byte_order="big",
        fs_hz=float(EMG_FS_HZ),
        emg_columns=tuple(
            tuple(range(first[probe.index], first[probe.index] + kind.n_emg))
            for probe, kind in zip(settings.probes, kinds, strict=True)
        ),
        emg_lsb_uv=tuple(
            (settings.lsb_nv or kind.lsb_nv[probe.gain]) / 1000.0
            for probe, kind in zip(settings.probes, kinds, strict=True)
        ),
        aux=tuple(aux),
        ramp_columns=tuple(ramps),
        remedy="set probes to those that are switched on and known to the station",
    )


def _probe_aux(first_column: int, prefix: str = "") -> tuple[AuxColumn, ...]:
    """Return the six channels behind a probe's electrodes: quaternion, buffer and trigger, ramp."""
    channels = [AuxChannel(f"{prefix}Q{axis}", "quaternion") for axis in "WXYZ"]
    channels.append(AuxChannel(f"{prefix}buffer and trigger", "trigger"))
    channels.append(AuxChannel(f"{prefix}ramp", "counter"))
    return tuple(AuxColumn(first_column + i, channel) for i, channel in enumerate(channels))
