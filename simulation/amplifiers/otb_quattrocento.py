"""An emulated Quattrocento, to which the computer connects."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from emg_acquisition.arrays import IntArray
from simulation.amplifiers.emulator import Address, EmulatorThread
from simulation.amplifiers.otb_aux import moving_inputs, ramp
from simulation.amplifiers.otb_checksum import table_crc8
from simulation.amplifiers.otb_streaming import EmulatedDevice, Faults, Sampling, Serve
from simulation.amplifiers.signals import Converter, CountSignal

RATES_HZ = (512, 2048, 5120, 10240)
CHANNELS = (120, 216, 312, 408)
N_AUX, N_ACCESSORY = 16, 8
COMMAND_BYTES = 40
LSB_UV = 0.50863
FIRST_CONF2 = 5
HIGH_PASS_HZ = (0.7, 10.0, 100.0, 200.0)
PLUGS = ("IN", "MULTIPLE-IN")


@dataclass(frozen=True)
class QuattrocentoEmulatorSettings:
    """Where an emulated Quattrocento listens; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 23456


@dataclass(frozen=True)
class Plugged:
    """What is plugged into the amplifier.

    Parameters
    ----------
    inputs : tuple of str
        ``IN1`` to ``IN8`` and ``MULTIPLE-IN1`` to ``MULTIPLE-IN4``, in the order of the signal's channels.
    signal : CountSignal
        What comes in there.
    """

    inputs: tuple[str, ...]
    signal: CountSignal = field(repr=False)

    def columns(self, n_blocks: int) -> list[int]:
        """Return where its channels lie among the electrodes, when ``n_blocks`` MULTIPLE IN are sent."""
        found: list[int] = []
        for name in self.inputs:
            kind, number = name.rstrip("0123456789"), int(name.lstrip("MULTIPE-N"))
            width = 16 if kind == PLUGS[0] else 64
            first = (number - 1) * width + (0 if kind == PLUGS[0] else 32 * n_blocks)
            found.extend(range(first, first + width))
        return found


class QuattrocentoEmulator:
    """A Quattrocento as an `Emulator`.

    Parameters
    ----------
    settings : QuattrocentoEmulatorSettings
        Where it listens.
    plugged : sequence of Plugged
        What is plugged in; the other inputs are zero.
    """

    def __init__(self, settings: QuattrocentoEmulatorSettings, plugged: Sequence[Plugged]) -> None:
        self.faults = Faults()
        self._plugged = tuple(plugged)
        self._meeting = Serve(settings.host, settings.port)
        self.device = EmulatedDevice(
            self._meeting, lambda _: COMMAND_BYTES, self._understand, hangs_up=False, faults=self.faults
        )
        self._thread = EmulatorThread("quattrocento", self.device.run)

    @property
    def address(self) -> Address:
        """Where it listens."""
        return self._meeting.address

    def start(self) -> None:
        """Switch it on."""
        self._meeting.open()
        self._thread.start()

    def stop(self) -> None:
        """Switch it off."""
        self._thread.stop()
        self._meeting.close()

    def _understand(self, command: bytes) -> Sampling | None:
        if table_crc8(command):
            raise ValueError("its checksum is wrong")
        control = command[0]
        if not control & 0x80:
            raise ValueError("its first bit is not set")
        if not control & 1:
            return None
        # The filters of IN1; this emulator takes them for all inputs, and has no low-pass.
        high_pass_hz = HIGH_PASS_HZ[(command[FIRST_CONF2] >> 4) & 3]
        converter = Converter(LSB_UV, 16, RATES_HZ[(control >> 3) & 3], high_pass_hz)
        n_blocks = 1 + ((control >> 1) & 3)
        n_emg = CHANNELS[n_blocks - 1] - N_AUX - N_ACCESSORY
        wires = [(plug.columns(n_blocks), plug.signal) for plug in self._plugged]
        if any(max(columns) >= n_emg for columns, _ in wires):
            raise ValueError(f"something is plugged in where the computer does not read: {n_emg} electrodes")

        def counts(first: int, n_samples: int) -> IntArray:
            accessory = np.zeros((n_samples, N_ACCESSORY), dtype=np.int64)
            accessory[:, 0] = ramp(first, n_samples, converter.bits)
            electrodes = np.zeros((n_samples, n_emg), dtype=np.int64)
            for columns, signal in wires:
                electrodes[:, columns] = signal.counts(first, n_samples, len(columns), converter)
            return np.hstack([electrodes, moving_inputs(first, n_samples, N_AUX), accessory])

        return Sampling(converter.fs_hz, 2, big_endian=False, counts=counts)
