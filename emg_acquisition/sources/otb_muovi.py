"""Muovi, Muovi+, Due+ and Quattro+ of OT Bioelettronica, without a station: the probe connects to this computer."""

from dataclasses import dataclass
from typing import Literal

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.source import DeviceBlock
from emg_acquisition.sources.otb_codec import muovi_command
from emg_acquisition.sources.otb_frames import FrameLayout
from emg_acquisition.sources.otb_probes import (
    GAIN_MODES,
    N_PROBE_AUX,
    PROBES,
    TEST_RAMPS_MODE,
    ProbeKind,
    check_probe,
    probe_aux,
)
from emg_acquisition.sources.otb_session import (
    MANUFACTURER,
    AwaitDevice,
    OtbSession,
    check_choice,
    check_lsb,
    check_name,
    checked_grid,
    labels,
)
from emg_acquisition.stream_info import AuxStreamInfo, EmgStreamInfo

ProbeName = Literal["muovi", "muovi-plus", "due-plus", "quattro-plus"]
MuoviMode = Literal["monopolar", "ramps"]

PORT = 54321
# Rate -> bits of a count: the probe's EMG and EEG modes.
RESOLUTION_BITS = {2000: 16, 500: 24}
EMG_FS_HZ = 2000


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
        Number of the probe, which does not tell it.
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
    mode: MuoviMode = "monopolar"
    gain: int = 8
    lsb_nv: float | None = None
    serial: str = "1"
    listen_host: str = "127.0.0.1"
    port: int = PORT
    device_host: str = ""

    def __post_init__(self) -> None:
        check_name("serial", self.serial)
        check_lsb(self.lsb_nv)
        check_probe(self.probe, self.gain)
        check_choice("fs_hz", self.fs_hz, RESOLUTION_BITS)
        check_choice("mode", self.mode, ("monopolar", "ramps"))
        if self.gain != max(GAIN_MODES) and self.fs_hz != EMG_FS_HZ:
            raise InputError(f"gain {self.gain} is for fs_hz {EMG_FS_HZ} only: set gain to 8, or fs_hz")
        checked_grid(self.grid, self.kind.n_emg, self.probe)

    @property
    def kind(self) -> ProbeKind:
        """What the probe has."""
        return PROBES[self.probe]


class MuoviDevice:
    """A Muovi, Muovi+, Due+ or Quattro+ as a `DeviceSource`."""

    def __init__(self, settings: MuoviSettings) -> None:
        kind = settings.kind
        source_id = f"{settings.probe}-{settings.serial}"
        layout = layout_of(settings)
        info = EmgStreamInfo(
            name=f"{kind.model} {settings.serial}",
            source_id=source_id,
            fs_hz=float(settings.fs_hz),
            grid=checked_grid(settings.grid, kind.n_emg, settings.probe),
            channel_labels=labels(kind.n_emg),
            manufacturer=MANUFACTURER,
            model=kind.model,
            serial_number=settings.serial,
            reference=settings.mode,
            filters="high-pass 10 Hz" if settings.fs_hz == EMG_FS_HZ else "none",
        )
        self._infos = (info,)
        self._aux_info = AuxStreamInfo(
            f"{info.name} aux", f"{source_id}-aux", info.fs_hz, tuple(aux.channel for aux in layout.aux)
        )
        reach = AwaitDevice(settings.listen_host, settings.port, settings.device_host)
        self._session = OtbSession(
            reach, layout, command_of(settings, go=True), command_of(settings, go=False)
        )

    @property
    def infos(self) -> tuple[EmgStreamInfo, ...]:
        """One EMG stream."""
        return self._infos

    @property
    def aux_info(self) -> AuxStreamInfo:
        """Quaternion, buffer and trigger, ramp."""
        return self._aux_info

    def connect(self, timeout_s: float) -> None:
        """Wait for the probe and start it; see `DeviceSource.connect`."""
        self._session.connect(timeout_s)

    def read(self, timeout_s: float) -> list[DeviceBlock]:
        """Return what has arrived; see `DeviceSource.read`."""
        return self._session.read(timeout_s)

    def close(self) -> None:
        """Stop the probe and close the port."""
        self._session.close()


def command_of(settings: MuoviSettings, *, go: bool) -> bytes:
    """Return the command that sets the probe up and starts or stops it."""
    mode = TEST_RAMPS_MODE if settings.mode == "ramps" else GAIN_MODES[settings.gain]
    return muovi_command(emg=settings.fs_hz == EMG_FS_HZ, mode=mode, go=go)


def layout_of(settings: MuoviSettings) -> FrameLayout:
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
        aux=probe_aux(n_emg),
        ramp_columns=(n_emg + N_PROBE_AUX - 1,),
        remedy=f"probe is {settings.probe!r}; set it to the probe that is there ({', '.join(PROBES)})",
    )
