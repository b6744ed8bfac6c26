"""Quattrocento of OT Bioelettronica: any of its inputs, each or several joined to one electrode grid."""

from dataclasses import dataclass, field
from typing import Literal

from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid
from emg_acquisition.sources.otb_device import (
    CallDevice,
    OtbDescription,
    OtbDevice,
    check_choice,
    check_each_once,
    check_name,
    checked_grid,
    crc8_maxim,
    otb_stream,
)
from emg_acquisition.sources.otb_frames import AuxColumn, FrameLayout
from emg_acquisition.stream_info import AuxChannel, EmgStreamInfo

HOST, PORT = "169.254.1.10", 23456
FS_CODES = {512: 0, 2048: 1, 5120: 2, 10240: 3}
HIGH_PASS_CODES = {0.7: 0, 10.0: 1, 100.0: 2, 200.0: 3}
LOW_PASS_CODES = {130.0: 0, 500.0: 1, 900.0: 2, 4400.0: 3}
MODES = {"monopolar": 0, "differential": 1, "bipolar": 2}
EMG_LSB_UV = 0.50863
AUX_LSB_UV = 152.6
# What goes to the analogue output; the maker's default.
ANALOG_OUT = 9
N_IN, N_MULTIPLE = 8, 4
IN_CHANNELS, MULTIPLE_CHANNELS = 16, 64
N_AUX, N_ACCESSORY = 16, 8
ACCESSORY = {0: ("counter", "counter"), 1: ("trigger", "trigger"), 3: ("buffer", "buffer")}
# Name -> (whether it is a MULTIPLE IN, its index there).
INPUTS = {f"IN{k + 1}": (False, k) for k in range(N_IN)} | {
    f"MULTIPLE-IN{k + 1}": (True, k) for k in range(N_MULTIPLE)
}


@dataclass(frozen=True)
class QuattrocentoStream:
    """Inputs of the amplifier that make one stream.

    Parameters
    ----------
    inputs : tuple of str
        ``IN1`` to ``IN8`` (16 electrodes each), ``MULTIPLE-IN1`` to ``MULTIPLE-IN4`` (64 each); several are
        joined in this order.
    name : str
        What the stream is called where there are several, such as ``left``; by default its inputs.
    grid : ElectrodeGrid, optional
        Where the electrodes lie; by default four rows in channel order.
    """

    inputs: tuple[str, ...] = ("MULTIPLE-IN1",)
    name: str = ""
    grid: ElectrodeGrid | None = None

    def __post_init__(self) -> None:
        if not self.inputs:
            raise InputError(f"inputs must name at least one of {', '.join(INPUTS)}")
        for name in self.inputs:
            check_choice("inputs", name, INPUTS)
        check_name("name", self.label)
        checked_grid(self.grid, self.n_emg, self.label)

    @property
    def n_emg(self) -> int:
        """Number of electrodes."""
        return sum(MULTIPLE_CHANNELS if INPUTS[name][0] else IN_CHANNELS for name in self.inputs)

    @property
    def label(self) -> str:
        """Name, or the inputs."""
        return self.name or "+".join(self.inputs).lower()


@dataclass(frozen=True)
class QuattrocentoSettings:
    """How a Quattrocento is set up.

    Parameters
    ----------
    streams : tuple of QuattrocentoStream
        At least one; each input in one of them only. The amplifier is told to send no more inputs than needed.
    fs_hz : {512, 2048, 5120, 10240}
        Sampling rate.
    mode : {"monopolar", "differential", "bipolar"}
        Detection, the same for all inputs.
    high_pass_hz : {0.7, 10, 100, 200}
        Of the amplifier.
    low_pass_hz : {130, 500, 900, 4400}
        Of the amplifier; keep it under half of ``fs_hz``.
    decimate : bool
        Let it sample at its full rate and decimate.
    serial : str
        Number of the amplifier, which it does not send.
    host, port : str, int
        Where the amplifier listens.

    Raises
    ------
    InputError
        If the amplifier cannot do it.
    """

    streams: tuple[QuattrocentoStream, ...] = field(default=(QuattrocentoStream(),))
    fs_hz: int = 2048
    mode: Literal["monopolar", "differential", "bipolar"] = "monopolar"
    high_pass_hz: float = 10.0
    low_pass_hz: float = 500.0
    decimate: bool = True
    serial: str = "1"
    host: str = HOST
    port: int = PORT

    def __post_init__(self) -> None:
        check_name("serial", self.serial)
        check_choice("fs_hz", self.fs_hz, FS_CODES)
        check_choice("mode", self.mode, MODES)
        check_choice("high_pass_hz", self.high_pass_hz, HIGH_PASS_CODES)
        check_choice("low_pass_hz", self.low_pass_hz, LOW_PASS_CODES)
        check_each_once(
            "streams",
            input=[name for stream in self.streams for name in stream.inputs],
            name=[stream.label for stream in self.streams],
        )

    @property
    def nch_code(self) -> int:
        """The smallest number of channels that holds every input: 2 IN and 1 MULTIPLE IN, 4 and 2, 6 and 3, 8 and 4."""
        places = [INPUTS[name] for stream in self.streams for name in stream.inputs]
        return max(index if multiple else index // 2 for multiple, index in places)


def quattrocento_device(settings: QuattrocentoSettings) -> OtbDevice:
    """Return the driver of a Quattrocento: one EMG stream for each of its settings' streams."""
    source_id = f"quattrocento-{settings.serial}"
    description = OtbDescription(
        f"Quattrocento {settings.serial}",
        source_id,
        tuple(_info(settings, stream, source_id) for stream in settings.streams),
        layout_of(settings),
        command_of(settings, acquire=True),
        command_of(settings, acquire=False),
    )
    return OtbDevice(description, CallDevice(settings.host, settings.port))


def _info(settings: QuattrocentoSettings, stream: QuattrocentoStream, source_id: str) -> EmgStreamInfo:
    alone = len(settings.streams) == 1 and not stream.name
    return otb_stream(
        name=f"Quattrocento {settings.serial} {stream.label}",
        source_id=source_id if alone else f"{source_id}-{stream.label}",
        fs_hz=float(settings.fs_hz),
        grid=checked_grid(stream.grid, stream.n_emg, stream.label),
        model="Quattrocento",
        serial=settings.serial,
        reference=settings.mode,
        filters=f"high-pass {settings.high_pass_hz:g} Hz, low-pass {settings.low_pass_hz:g} Hz",
    )


def command_of(settings: QuattrocentoSettings, *, acquire: bool) -> bytes:
    """Return the 40 bytes that set the amplifier up and start (``acquire``) or stop it."""
    first = 1 << 7
    if acquire:  # rate and channels are otherwise zero, as the maker's own program sends them
        first |= settings.decimate << 6 | FS_CODES[settings.fs_hz] << 3 | settings.nch_code << 1 | 1
    high_pass, low_pass = HIGH_PASS_CODES[settings.high_pass_hz], LOW_PASS_CODES[settings.low_pass_hz]
    # Filters and detection, three bytes an input: muscle and sensor are only notes for the maker's program.
    one_input = bytes((0, 0, high_pass << 4 | low_pass << 2 | MODES[settings.mode]))
    body = bytes((first, ANALOG_OUT, 0)) + one_input * (N_IN + N_MULTIPLE)
    return body + bytes((crc8_maxim(body),))


def layout_of(settings: QuattrocentoSettings) -> FrameLayout:
    """Return how the amplifier's samples lie: IN, MULTIPLE IN, 16 analogue inputs, 8 accessory channels."""
    n_in, n_multiple = 2 * (settings.nch_code + 1), settings.nch_code + 1
    first_aux = n_in * IN_CHANNELS + n_multiple * MULTIPLE_CHANNELS
    first_accessory = first_aux + N_AUX
    aux = [
        AuxColumn(first_aux + i, AuxChannel(f"AUX {i + 1}", "voltage", "microvolts"), AUX_LSB_UV)
        for i in range(N_AUX)
    ]
    for i in range(N_ACCESSORY):
        label, kind = ACCESSORY.get(i, (f"accessory {i}", "accessory"))
        aux.append(AuxColumn(first_accessory + i, AuxChannel(label, kind)))
    return FrameLayout(
        n_channels=first_accessory + N_ACCESSORY,
        sample_bytes=2,
        byte_order="little",
        fs_hz=float(settings.fs_hz),
        emg_columns=tuple(
            tuple(column for name in stream.inputs for column in _columns(name, n_in))
            for stream in settings.streams
        ),
        emg_lsb_uv=(EMG_LSB_UV,) * len(settings.streams),
        aux=tuple(aux),
        ramp_columns=(first_accessory,),
        remedy="switch the amplifier off and on, so that it forgets the settings of another program",
    )


def _columns(name: str, n_in: int) -> range:
    multiple, index = INPUTS[name]
    if multiple:
        first = n_in * IN_CHANNELS + index * MULTIPLE_CHANNELS
        return range(first, first + MULTIPLE_CHANNELS)
    return range(index * IN_CHANNELS, (index + 1) * IN_CHANNELS)
