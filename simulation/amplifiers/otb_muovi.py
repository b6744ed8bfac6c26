"""An emulated Muovi, Muovi+, Due+ or Quattro+, which connects to the computer."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from emg_acquisition.arrays import IntArray
from simulation.amplifiers.emulator import Address, EmulatorThread
from simulation.amplifiers.otb_aux import all_ramps, ramp, still_hand
from simulation.amplifiers.otb_streaming import EmulatedDevice, Faults, Sampling, Visit
from simulation.amplifiers.signals import Converter, CountSignal

EmulatedProbe = Literal["muovi", "muovi-plus", "due-plus", "quattro-plus"]

N_EMG = {"muovi": 32, "muovi-plus": 64, "due-plus": 2, "quattro-plus": 4}
N_BEHIND = 6
IMPEDANCE, TEST = 2, 3
HIGH_PASS_HZ = 10.0


def probe_lsb_uv(probe: str, mode: int) -> float:
    """Return microvolts of one count: 286.1 nV at gain 8, twice that at gain 4; 249 nV for the small probes."""
    if N_EMG[probe] < N_EMG["muovi"]:
        return 0.249
    return 0.5722 if mode == 1 else 0.2861


def probe_counts(
    probe: str, mode: int, signal: CountSignal, converter: Converter, *, first: int, n_samples: int
) -> IntArray:
    """Return all channels of one probe: electrodes, quaternion, buffer and trigger, ramp."""
    n_emg = N_EMG[probe]
    if mode == TEST:
        return all_ramps(first, n_samples, n_emg + N_BEHIND, converter.bits)
    behind = [
        still_hand(n_samples),
        np.zeros((n_samples, 1), dtype=np.int64),
        ramp(first, n_samples, converter.bits)[:, np.newaxis],
    ]
    return np.hstack([signal.counts(first, n_samples, n_emg, converter), *behind])


@dataclass(frozen=True)
class MuoviEmulatorSettings:
    """Where an emulated probe finds the computer, and which probe it is."""

    host: str = "127.0.0.1"
    port: int = 54321
    probe: EmulatedProbe = "muovi-plus"


class MuoviEmulator:
    """A Muovi, Muovi+, Due+ or Quattro+ as an `Emulator`."""

    def __init__(self, settings: MuoviEmulatorSettings, signal: CountSignal) -> None:
        self.faults = Faults()
        self.device = EmulatedDevice(
            Visit(settings.host, settings.port),
            lambda _: 1,
            _Wiring(settings.probe, signal).understand,
            hangs_up=True,
            faults=self.faults,
        )
        self._address = (settings.host, settings.port)
        self._thread = EmulatorThread(settings.probe, self.device.run)

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
    probe: str
    signal: CountSignal = field(repr=False)

    def understand(self, command: bytes) -> Sampling | None:
        byte = command[0]
        if byte >> 4:
            raise ValueError(f"the upper bits of {byte:#04x} are for a station")
        if not byte & 1:
            return None
        fast, mode = bool(byte & 8), (byte >> 1) & 3
        if mode == IMPEDANCE:
            raise ValueError("the impedance check is not emulated")
        lsb_uv = probe_lsb_uv(self.probe, mode if fast else 0)
        converter = Converter(lsb_uv, 16, 2000, HIGH_PASS_HZ) if fast else Converter(lsb_uv, 24, 500)

        def counts(first: int, n_samples: int) -> IntArray:
            return probe_counts(self.probe, mode, self.signal, converter, first=first, n_samples=n_samples)

        return Sampling(converter.fs_hz, converter.bits // 8, big_endian=True, counts=counts)
