"""Sessantaquattro and Sessantaquattro+ of OT Bioelettronica: the amplifier connects to this computer."""

from dataclasses import dataclass
from typing import Literal

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.sources.otb_device import (
    AwaitDevice,
    OtbDescription,
    OtbDevice,
    check_choice,
    check_lsb,
    check_name,
    checked_grid,
    otb_stream,
)
from emg_acquisition.sources.otb_frames import AuxColumn, FrameLayout
from emg_acquisition.stream_info import AuxChannel

SessantaquattroMode = Literal["monopolar", "bipolar", "differential", "ramps"]

PORT = 45454
FSAMP = {500: 0, 1000: 1, 2000: 2, 4000: 3}
NCH = {8: 0, 16: 1, 32: 2, 64: 3}
MODES = {"monopolar": 0, "bipolar": 1, "differential": 2, "ramps": 7}
FASTEST_ALL_CHANNELS_HZ = 2000
# Gain -> code and nanovolts of one count, by resolution.
GAINS = {
    16: {8: (0, 286.1), 4: (1, 572.2), 6: (2, 381.5)},
    24: {2: (0, 286.1), 4: (1, 143.0), 6: (2, 95.4), 8: (3, 71.5)},
}
AUX_UV = {16: 146.48, 24: 0.5722}
EXTRA_CHANNELS = (4, 8)


@dataclass(frozen=True)
class SessantaquattroSettings:
    """How a Sessantaquattro is set up.

    Parameters
    ----------
    plus : bool
        Sessantaquattro+, rather than the older one without the plus.
    grid : ElectrodeGrid, optional
        Where the electrodes lie; by default four rows in channel order.
    channels : {8, 16, 32, 64}
        Inputs that are read; half as many channels in bipolar mode.
    fs_hz : {500, 1000, 2000, 4000}
        Sampling rate; 4000 Hz with 32 inputs at most.
    mode : {"monopolar", "bipolar", "differential", "ramps"}
        Detection; "ramps" is the amplifier's own test.
    resolution_bits : {16, 24}
        Bits of a count.
    gain : int
        8, 4 or 6 at 16 bit; 2, 4, 6 or 8 at 24 bit.
    high_pass : bool
        The amplifier's own high-pass, FSAMP/190 (10.5 Hz at 2000 Hz).
    lsb_nv : float, optional
        Nanovolts of one count, where the amplifier's own differ from the documented ones.
    extra_channels : {4, 8}, optional
        Channels behind the electrodes; by default 8 for the plus and 4 for the other. Documents disagree.
    serial : str
        Number of the amplifier, which it does not send.
    listen_host : str
        This computer's address in the amplifier's network; the default is for the emulator.
    port : int
        Port on which the amplifier expects this computer.
    device_host : str
        The one address that may connect; empty for any.

    Raises
    ------
    InputError
        If the amplifier cannot do it.
    """

    plus: bool = True
    grid: ElectrodeGrid | None = None
    channels: int = 64
    fs_hz: int = 2000
    mode: SessantaquattroMode = "monopolar"
    resolution_bits: int = 16
    gain: int = 8
    high_pass: bool = True
    lsb_nv: float | None = None
    extra_channels: int | None = None
    serial: str = "1"
    listen_host: str = "127.0.0.1"
    port: int = PORT
    device_host: str = ""

    def __post_init__(self) -> None:
        check_name("serial", self.serial)
        check_lsb(self.lsb_nv)
        check_choice("channels", self.channels, NCH)
        check_choice("fs_hz", self.fs_hz, FSAMP)
        check_choice("mode", self.mode, MODES)
        check_choice("resolution_bits", self.resolution_bits, GAINS)
        check_choice(f"gain at {self.resolution_bits} bit", self.gain, GAINS[self.resolution_bits])
        check_choice("extra_channels", self.extra_channels, (None, *EXTRA_CHANNELS))
        if self.fs_hz > FASTEST_ALL_CHANNELS_HZ and self.channels == max(NCH):
            msg = f"fs_hz {self.fs_hz} is for 32 channels at most: set channels to 32, or fs_hz to 2000"
            raise InputError(msg)
        checked_grid(self.grid, self.n_emg, self.device)

    @property
    def device(self) -> str:
        """Name in ``source_id``."""
        return "sessantaquattro-plus" if self.plus else "sessantaquattro"

    @property
    def n_emg(self) -> int:
        """Number of EMG channels."""
        return self.channels // 2 if self.mode == "bipolar" else self.channels

    @property
    def n_extra(self) -> int:
        """Number of channels behind them."""
        return self.extra_channels or (8 if self.plus else 4)


def sessantaquattro_device(settings: SessantaquattroSettings) -> OtbDevice:
    """Return the driver of a Sessantaquattro or Sessantaquattro+."""
    model = "Sessantaquattro+" if settings.plus else "Sessantaquattro"
    info = otb_stream(
        name=f"{model} {settings.serial}",
        source_id=f"{settings.device}-{settings.serial}",
        fs_hz=float(settings.fs_hz),
        grid=checked_grid(settings.grid, settings.n_emg, settings.device),
        model=model,
        serial=settings.serial,
        reference=settings.mode,
        filters=f"high-pass {settings.fs_hz / 190:.1f} Hz" if settings.high_pass else "none",
    )
    start, stop = command_of(settings, go=True), command_of(settings, go=False)
    description = OtbDescription(info.name, info.source_id, (info,), layout_of(settings), start, stop)
    return OtbDevice(description, AwaitDevice(settings.listen_host, settings.port, settings.device_host))


def command_of(settings: SessantaquattroSettings, *, go: bool) -> bytes:
    """Return the two bytes, big-endian, that set the amplifier up and start (``go``) or stop it."""
    bits, (gain_code, _) = settings.resolution_bits, GAINS[settings.resolution_bits][settings.gain]
    first = FSAMP[settings.fs_hz] << 5 | NCH[settings.channels] << 3 | MODES[settings.mode]
    second = (bits == max(GAINS)) << 7 | settings.high_pass << 6 | gain_code << 4 | int(go)
    return bytes((first, second))


def layout_of(settings: SessantaquattroSettings) -> FrameLayout:
    """Return how the amplifier's samples lie: electrodes, two analogue inputs, quaternion, trigger, ramp."""
    n_emg, n_extra = settings.n_emg, settings.n_extra
    aux_uv = AUX_UV[settings.resolution_bits]
    extra = [
        AuxColumn(n_emg + i, AuxChannel(f"AUX {i + 1}", "voltage", "microvolts"), aux_uv) for i in (0, 1)
    ]
    if n_extra == max(EXTRA_CHANNELS):
        extra += [
            AuxColumn(n_emg + 2 + i, AuxChannel(f"Q{axis}", "quaternion")) for i, axis in enumerate("WXYZ")
        ]
    n_channels = n_emg + n_extra
    extra.append(AuxColumn(n_channels - 2, AuxChannel("buffer and trigger", "trigger")))
    extra.append(AuxColumn(n_channels - 1, AuxChannel("ramp", "counter")))
    lsb_nv = settings.lsb_nv or GAINS[settings.resolution_bits][settings.gain][1]
    return FrameLayout(
        n_channels=n_channels,
        sample_bytes=settings.resolution_bits // 8,
        byte_order="big",
        fs_hz=float(settings.fs_hz),
        emg_columns=(tuple(range(n_emg)),),
        emg_lsb_uv=(lsb_nv / 1000.0,),
        aux=tuple(extra),
        ramp_columns=(n_channels - 1,),
        remedy=(
            f"extra_channels is {n_extra} ({' or '.join(map(str, EXTRA_CHANNELS))} are known); "
            "set it, plus, or channels to what the amplifier sends"
        ),
    )
