"""An emulated Sessantaquattro or Sessantaquattro+, which connects to the computer."""

from dataclasses import dataclass, field

import numpy as np

from emg_acquisition.arrays import IntArray
from simulation.amplifiers.emulator import Address, EmulatorThread
from simulation.amplifiers.otb_aux import all_ramps, moving_inputs, ramp, still_hand
from simulation.amplifiers.otb_streaming import EmulatedDevice, Faults, Sampling, Visit
from simulation.amplifiers.signals import Converter, CountSignal

RATES_HZ = (500, 1000, 2000, 4000)
INPUTS = (8, 16, 32, 64)
BIPOLAR, TEST = 1, 7
KNOWN_MODES = (0, BIPOLAR, 2, TEST)
PLUS_EXTRA = 8
HIGH_PASS_DIVISOR = 190
# Nanovolts of one count by gain code, at 16 bit and at 24 bit.
LSB_NV_16 = (286.1, 572.2, 381.5, 286.1)
LSB_NV_24 = (286.1, 143.0, 95.4, 71.5)


@dataclass(frozen=True)
class SessantaquattroEmulatorSettings:
    """Where an emulated amplifier finds the computer, and what it sends.

    Parameters
    ----------
    host, port : str, int
        Where the computer listens.
    extra_channels : {8, 4}
        Channels behind the electrodes: 8 for a Sessantaquattro+, 4 for the one without the plus.
    """

    host: str = "127.0.0.1"
    port: int = 45454
    extra_channels: int = PLUS_EXTRA


class SessantaquattroEmulator:
    """A Sessantaquattro or Sessantaquattro+ as an `Emulator`."""

    def __init__(self, settings: SessantaquattroEmulatorSettings, signal: CountSignal) -> None:
        self.faults = Faults()
        self.device = EmulatedDevice(
            Visit(settings.host, settings.port),
            lambda _: 2,
            _Wiring(settings.extra_channels, signal).understand,
            hangs_up=True,
            faults=self.faults,
        )
        self._address = (settings.host, settings.port)
        self._thread = EmulatorThread("sessantaquattro", self.device.run)

    @property
    def address(self) -> Address:
        """Where it connects to."""
        return self._address

    def start(self) -> None:
        """Switch it on."""
        self._thread.start()

    def stop(self) -> None:
        """Switch it off."""
        self._thread.stop()


@dataclass(frozen=True)
class _Wiring:
    extra_channels: int
    signal: CountSignal = field(repr=False)

    def understand(self, command: bytes) -> Sampling | None:
        setup, control = command
        if not control & 1:
            return None
        if setup & 0x80:
            raise ValueError("it asks for the settings, which this emulator does not tell")
        rate_code, input_code, mode = (setup >> 5) & 3, (setup >> 3) & 3, setup & 7
        if mode not in KNOWN_MODES:
            raise ValueError(f"mode {mode} is not emulated")
        if RATES_HZ[rate_code] == max(RATES_HZ) and INPUTS[input_code] == max(INPUTS):
            raise ValueError(f"{max(INPUTS)} inputs cannot be sampled at {max(RATES_HZ)} Hz")
        n_emg = INPUTS[input_code] // (2 if mode == BIPOLAR else 1)
        fine = bool(control & 0x80)
        lsb_nv = (LSB_NV_24 if fine else LSB_NV_16)[(control >> 4) & 3]
        rate_hz = RATES_HZ[rate_code]
        high_pass_hz = rate_hz / HIGH_PASS_DIVISOR if control & 0x40 else 0.0
        converter = Converter(lsb_nv / 1000.0, 24 if fine else 16, rate_hz, high_pass_hz)

        def counts(first: int, n_samples: int) -> IntArray:
            if mode == TEST:
                return all_ramps(first, n_samples, n_emg + self.extra_channels, converter.bits)
            emg = self.signal.counts(first, n_samples, n_emg, converter)
            return np.hstack([emg, self._extra(first, n_samples, converter.bits)])

        return Sampling(converter.fs_hz, 3 if fine else 2, big_endian=True, counts=counts)

    def _extra(self, first: int, n_samples: int, bits: int) -> IntArray:
        """Return the channels behind the electrodes: inputs, quaternion, trigger, ramp."""
        hand = [still_hand(n_samples)] if self.extra_channels == PLUS_EXTRA else []
        trigger = np.zeros((n_samples, 1), dtype=np.int64)
        inputs = moving_inputs(first, n_samples, 2)
        return np.hstack([inputs, *hand, trigger, ramp(first, n_samples, bits)[:, np.newaxis]])
