"""What the emulators of OT Bioelettronica amplifiers share: meeting the computer, commands in, samples out, faults."""

import logging
import random
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from emg_acquisition.arrays import IntArray
from simulation.amplifiers.emulator import (
    Address,
    DeviceClock,
    accept_until,
    connect_until,
    hang_up,
    listen_on,
    receive_now,
    send_until,
)

_log = logging.getLogger(__name__)

CHUNK_S = 0.005
HALF_PACKET_S = 0.002


@dataclass(frozen=True)
class Sampling:
    """What a start command has asked for.

    Parameters
    ----------
    fs_hz : float
        Rate.
    sample_bytes : int
        Bytes of one count, two's complement.
    big_endian : bool
        Whether the upper byte comes first.
    counts : callable
        From the first sample's number and how many: all channels' counts, (n_samples, n_channels).
    """

    fs_hz: float
    sample_bytes: int
    big_endian: bool
    counts: Callable[[int, int], IntArray]


class Faults:
    """Ways in which a device can be told to misbehave, from another thread, while it runs.

    Attributes
    ----------
    silent : bool
        It samples and sends nothing.
    half_packets : bool
        It sends each packet in two parts, cut anywhere, with a pause between them.
    extra_channels : int
        So many channels more than it should send; fewer where negative.
    """

    def __init__(self) -> None:
        self.silent = False
        self.half_packets = False
        self.extra_channels = 0
        self._lock = threading.Lock()
        self._drop = 0
        self._away_s: float | None = None

    def drop(self, n_samples: int) -> None:
        """Lose the next samples; the ramp goes on."""
        with self._lock:
            self._drop += n_samples

    def cut(self, away_s: float) -> None:
        """Cut the connection in the middle of a sample and stay away for a time."""
        with self._lock:
            self._away_s = away_s

    def take_drop(self, n_most: int) -> int:
        """Return how many of the next ``n_most`` samples are to be lost."""
        with self._lock:
            taken = min(self._drop, n_most)
            self._drop -= taken
        return taken

    def take_cut(self) -> float | None:
        """Return how long to stay away, once; None where the connection is to stay."""
        with self._lock:
            away_s, self._away_s = self._away_s, None
        return away_s


class Meeting(Protocol):
    """How a device meets the computer."""

    @property
    def address(self) -> Address:
        """Where."""
        ...

    def open(self) -> None:
        """Be ready for the computer."""
        ...

    def meet(self, stop: threading.Event) -> socket.socket | None:
        """Return a connection; None where ``stop`` came first."""
        ...

    def close(self) -> None:
        """Be there no longer."""
        ...


class Serve:
    """The device listens, and refuses everybody else while the computer is connected."""

    def __init__(self, host: str, port: int) -> None:
        self.address: Address = (host, port)
        self._server: socket.socket | None = None

    def open(self) -> None:
        """Listen; port 0 becomes the port that was free."""
        if self._server is None:
            self._server = listen_on(*self.address)
            self.address = self._server.getsockname()[:2]

    def meet(self, stop: threading.Event) -> socket.socket | None:
        """Wait for the computer."""
        self.open()
        if self._server is None:
            return None
        connected = accept_until(self._server, stop)
        self.close()
        return connected

    def close(self) -> None:
        """Listen no longer."""
        if self._server is not None:
            self._server.close()
        self._server = None


class Visit:
    """The device connects to the computer, trying until it is there."""

    def __init__(self, host: str, port: int) -> None:
        self.address: Address = (host, port)

    def open(self) -> None:
        """Nothing is needed."""

    def meet(self, stop: threading.Event) -> socket.socket | None:
        """Connect."""
        return connect_until(self.address, stop)

    def close(self) -> None:
        """Nothing is held."""


class EmulatedDevice:
    """Meets the computer, follows its commands, and sends samples as time passes.

    Parameters
    ----------
    meeting : Meeting
        How it meets the computer.
    command_bytes : callable
        Length of the command that begins with these bytes; 0 where more are needed to tell.
    understand : callable
        A command to what it starts; None for stop. `ValueError` for one that the device does not know.
    hangs_up : bool
        Whether a stop ends the connection.
    faults : Faults
        How it misbehaves.

    Attributes
    ----------
    accepted, rejected : list of bytes
        The commands that came.
    """

    def __init__(
        self,
        meeting: Meeting,
        command_bytes: Callable[[bytes], int],
        understand: Callable[[bytes], Sampling | None],
        *,
        hangs_up: bool,
        faults: Faults,
    ) -> None:
        self._meeting = meeting
        self._command_bytes = command_bytes
        self._understand = understand
        self._hangs_up = hangs_up
        self._faults = faults
        self._random = random.Random(0)  # noqa: S311 - where a packet is cut
        self._received = b""
        self._sampling: Sampling | None = None
        self._clock = DeviceClock(1.0)
        self._next_sample = 0
        self.accepted: list[bytes] = []
        self.rejected: list[bytes] = []

    def run(self, stop: threading.Event) -> None:
        """Be switched on until ``stop`` is set."""
        while not stop.is_set():
            connected = self._meeting.meet(stop)
            if connected is None:
                break
            self._received, self._sampling = b"", None
            try:
                away_s = self._serve(connected, stop)
            except ConnectionError as error:
                _log.debug("emulator: %s", error)
                away_s = 0.0
            finally:
                hang_up(connected)
            stop.wait(away_s)
        self._meeting.close()

    def _serve(self, connected: socket.socket, stop: threading.Event) -> float:
        """Serve the computer; return how long to stay away when that has ended."""
        while not stop.wait(CHUNK_S):
            if self._follow(receive_now(connected)) and self._hangs_up:
                break
            away_s = self._faults.take_cut()
            if away_s is not None:
                if self._sampling is not None:
                    data = self._packed(self._sampling.counts(self._next_sample, 1), self._sampling)
                    send_until(connected, data[: len(data) // 2 + 1], stop)
                return away_s
            if self._sampling is not None:
                self._send(connected, self._sampling, stop)
        return 0.0

    def _follow(self, received: bytes) -> bool:
        """Follow the commands that are there as a whole; tells whether one of them was a stop."""
        self._received += received
        stopped = False
        while self._received:
            length = self._command_bytes(self._received)
            if length == 0 or len(self._received) < length:
                break
            command, self._received = self._received[:length], self._received[length:]
            try:
                self._sampling = self._understand(command)
            except ValueError as error:
                self.rejected.append(command)
                _log.warning("emulator: refused the command %s: %s", command.hex(" "), error)
                continue
            self.accepted.append(command)
            stopped = self._sampling is None
            if self._sampling is not None:
                self._clock, self._next_sample = DeviceClock(self._sampling.fs_hz), 0
        return stopped

    def _send(self, connected: socket.socket, sampling: Sampling, stop: threading.Event) -> None:
        n_samples = self._clock.take()
        if n_samples == 0:
            return
        counts = sampling.counts(self._next_sample, n_samples)
        self._next_sample += n_samples
        counts = counts[self._faults.take_drop(n_samples) :]
        if self._faults.silent:
            return
        data = self._packed(counts, sampling)
        if self._faults.half_packets:
            cut = self._random.randrange(len(data) + 1)
            send_until(connected, data[:cut], stop)
            stop.wait(HALF_PACKET_S)
            data = data[cut:]
        send_until(connected, data, stop)

    def _packed(self, counts: IntArray, sampling: Sampling) -> bytes:
        """Return counts as bytes, with the fault of channels too many or too few at the first place."""
        extra = self._faults.extra_channels
        if extra > 0:
            counts = np.hstack([np.zeros((len(counts), extra), dtype=np.int64), counts])
        elif extra < 0:
            counts = counts[:, -extra:]
        # The bytes of an int64, upper byte first, of which the last ones are the count.
        whole = counts.astype(">i8").view(np.uint8).reshape(*counts.shape, 8)
        count_bytes = whole[..., 8 - sampling.sample_bytes :]
        if not sampling.big_endian:
            count_bytes = count_bytes[..., ::-1]
        return count_bytes.tobytes()
