"""SyncStation of OT Bioelettronica: several probes through one station, each an EMG stream of its own."""

from dataclasses import dataclass
from typing import Literal

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources.otb_codec import syncstation_start, syncstation_stop
from emg_acquisition.sources.otb_frames import AuxColumn, FrameLayout
from emg_acquisition.sources.otb_probes import (
    GAIN_MODES,
    N_PROBE_AUX,
    PROBES,
    TEST_RAMPS_MODE,
    check_probe,
    probe_aux,
)
from emg_acquisition.sources.otb_session import (
    MANUFACTURER,
    CallDevice,
    OtbSession,
    check_choice,
    check_lsb,
    check_name,
    checked_grid,
    labels,
)
from emg_acquisition.stream_info import AuxChannel, AuxStreamInfo, EmgStreamInfo

StationProbeName = Literal["muovi", "muovi-plus", "due-plus"]

HOST, PORT = "192.168.76.1", 54320
FS_HZ = 2000.0
# Probe -> index of its number 1 at the station, and how many numbers there are.
STATION_PLACES = {"muovi": (0, 4), "muovi-plus": (4, 2), "due-plus": (6, 10)}
N_STATION_AUX = 6


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
        check_probe(self.probe, self.gain)
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
        Number of the station, which does not tell it.
    host, port : str, int
        Where the station listens.

    Raises
    ------
    InputError
        If the station cannot do it.
    """

    probes: tuple[StationProbe, ...] = (StationProbe(),)
    mode: Literal["monopolar", "ramps"] = "monopolar"
    lsb_nv: float | None = None
    serial: str = "1"
    host: str = HOST
    port: int = PORT

    def __post_init__(self) -> None:
        check_name("serial", self.serial)
        check_lsb(self.lsb_nv)
        check_choice("mode", self.mode, ("monopolar", "ramps"))
        for what, values in (
            ("probe", [f"{probe.probe} {probe.number}" for probe in self.probes]),
            ("name", [probe.label for probe in self.probes]),
        ):
            if not values or len(set(values)) < len(values):
                raise InputError(f"probes: at least one, and each {what} once; got {values}")


class SyncStationDevice:
    """A SyncStation and its probes as a `DeviceSource`: one EMG stream a probe."""

    def __init__(self, settings: SyncStationSettings) -> None:
        source_id = f"syncstation-{settings.serial}"
        layout = layout_of(settings)
        self._infos = tuple(_info(settings, probe, source_id) for probe in settings.probes)
        self._aux_info = AuxStreamInfo(
            f"SyncStation {settings.serial} aux",
            f"{source_id}-aux",
            FS_HZ,
            tuple(aux.channel for aux in layout.aux),
        )
        self._session = OtbSession(
            CallDevice(settings.host, settings.port), layout, start_of(settings), syncstation_stop()
        )

    @property
    def infos(self) -> tuple[EmgStreamInfo, ...]:
        """One EMG stream a probe, in the order of the settings."""
        return self._infos

    @property
    def aux_info(self) -> AuxStreamInfo:
        """The probes' quaternions, triggers and ramps, and the station's own inputs as counts."""
        return self._aux_info

    def connect(self, timeout_s: float) -> None:
        """Connect to the station and start it; see `DeviceSource.connect`."""
        self._session.connect(timeout_s)

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived; see `DeviceSource.read`."""
        return self._session.read(timeout_s)

    def close(self) -> None:
        """Stop the station and let go of it."""
        self._session.close()


def _info(settings: SyncStationSettings, probe: StationProbe, source_id: str) -> EmgStreamInfo:
    kind = PROBES[probe.probe]
    alone = len(settings.probes) == 1 and not probe.name
    return EmgStreamInfo(
        name=f"{kind.model} {probe.label} at SyncStation {settings.serial}",
        source_id=source_id if alone else f"{source_id}-{probe.label}",
        fs_hz=FS_HZ,
        grid=checked_grid(probe.grid, kind.n_emg, probe.label),
        channel_labels=labels(kind.n_emg),
        manufacturer=MANUFACTURER,
        model=f"SyncStation with {kind.model}",
        serial_number=settings.serial,
        reference=settings.mode,
        filters="high-pass 10 Hz",
    )


def start_of(settings: SyncStationSettings) -> bytes:
    """Return the command that starts the probes, in the order of their places at the station."""
    ramps = settings.mode == "ramps"
    probes = sorted(settings.probes, key=lambda probe: probe.index)
    return syncstation_start([(p.index, TEST_RAMPS_MODE if ramps else GAIN_MODES[p.gain]) for p in probes])


def layout_of(settings: SyncStationSettings) -> FrameLayout:
    """Return how a sample lies: probe after probe by place, each with its six, then the station's six."""
    first: dict[int, int] = {}
    aux: list[AuxColumn] = []
    ramps: list[int] = []
    n_channels = 0
    for probe in sorted(settings.probes, key=lambda probe: probe.index):
        first[probe.index] = n_channels
        n_channels += PROBES[probe.probe].n_emg + N_PROBE_AUX
        aux += probe_aux(n_channels - N_PROBE_AUX, f"{probe.label} ")
        ramps.append(n_channels - 1)
    aux += [
        AuxColumn(n_channels + i, AuxChannel(f"station {i + 1}", "auxiliary")) for i in range(N_STATION_AUX)
    ]
    kinds = [PROBES[probe.probe] for probe in settings.probes]
    return FrameLayout(
        n_channels=n_channels + N_STATION_AUX,
        sample_bytes=2,
        byte_order="big",
        fs_hz=FS_HZ,
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
