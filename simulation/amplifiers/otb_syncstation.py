"""An emulated SyncStation with its probes, to which the computer connects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import IntArray
from simulation.amplifiers.emulator import Address, EmulatorThread
from simulation.amplifiers.otb_checksum import table_crc8
from simulation.amplifiers.otb_muovi import HIGH_PASS_HZ, IMPEDANCE, probe_counts, probe_lsb_uv
from simulation.amplifiers.otb_streaming import EmulatedDevice, Faults, Sampling, Serve
from simulation.amplifiers.signals import Converter, CountSignal

FS_HZ = 2000.0
# Which probe sits at each index of the station.
PLACES = ("muovi",) * 4 + ("muovi-plus",) * 2 + ("due-plus",) * 10
N_STATION_AUX = 6


@dataclass(frozen=True)
class SyncStationEmulatorSettings:
    """Where an emulated station listens; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 54320


class SyncStationEmulator:
    """A SyncStation as an `Emulator`.

    Parameters
    ----------
    settings : SyncStationEmulatorSettings
        Where it listens.
    signals : sequence of CountSignal
        One for each probe that the computer will ask for, by place at the station; the last one serves the
        probes that are left.
    """

    def __init__(self, settings: SyncStationEmulatorSettings, signals: Sequence[CountSignal]) -> None:
        self.faults = Faults()
        self._signals = tuple(signals)
        self._meeting = Serve(settings.host, settings.port)
        self.device = EmulatedDevice(
            self._meeting, _command_bytes, self._understand, hangs_up=False, faults=self.faults
        )
        self._thread = EmulatorThread("syncstation", self.device.run)

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
        if not command[0] & 1:
            return None
        asked = [byte for byte in command[1:-1] if byte & 1]
        if not asked or not all(byte & 8 for byte in asked):
            raise ValueError("it starts no probe, or one that is not to send EMG")
        probes = sorted((byte >> 4, (byte >> 1) & 3) for byte in asked)
        if any(mode == IMPEDANCE for _, mode in probes):
            raise ValueError("the impedance check is not emulated")
        signals = [self._signals[min(i, len(self._signals) - 1)] for i in range(len(probes))]

        def counts(first: int, n_samples: int) -> IntArray:
            pieces = []
            for (place, mode), signal in zip(probes, signals, strict=True):
                probe = PLACES[place]
                converter = Converter(probe_lsb_uv(probe, mode), 16, FS_HZ, HIGH_PASS_HZ)
                pieces.append(probe_counts(probe, mode, signal, converter, first=first, n_samples=n_samples))
            return np.hstack([*pieces, np.zeros((n_samples, N_STATION_AUX), dtype=np.int64)])

        return Sampling(FS_HZ, 2, big_endian=True, counts=counts)


def _command_bytes(received: bytes) -> int:
    """One byte that says how many probes follow, those, and the checksum."""
    return 2 + (received[0] >> 1)
