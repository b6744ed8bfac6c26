"""What every emulator of an amplifier shares: a thread to run in, sockets that end when told, the device's clock."""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

_log = logging.getLogger(__name__)

Address = tuple[str, int]

POLL_S = 0.05
RETRY_S = 0.1
JOIN_S = 5.0


class Emulator(Protocol):
    """An amplifier that speaks its own protocol over TCP on this machine or its network."""

    @property
    def address(self) -> Address:
        """Where it listens; for a device that connects to the computer, where it connects to."""
        ...

    def start(self) -> None:
        """Switch it on; a device that listens does so when this returns."""
        ...

    def stop(self) -> None:
        """Switch it off; harmless where it is off."""
        ...


class EmulatorThread:
    """Runs an emulator until it is stopped; what went wrong in it is raised when it is stopped.

    Parameters
    ----------
    name : str
        Of the thread.
    run : callable
        Gets the event that ends it, and looks at that at least every 100 ms.
    """

    def __init__(self, name: str, run: Callable[[threading.Event], None]) -> None:
        self._name = name
        self._run = run
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def start(self) -> None:
        """Start the thread."""
        self._stop.clear()
        self._error = None
        self._thread = threading.Thread(target=self._keep_error, name=self._name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread.

        Raises
        ------
        RuntimeError
            If it had failed or does not end.
        """
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._stop.set()
        thread.join(JOIN_S)
        if thread.is_alive():
            raise RuntimeError(f"the emulator {self._name} does not end within {JOIN_S:g} s")
        if self._error is not None:
            raise RuntimeError(f"the emulator {self._name} failed: {self._error}") from self._error

    def _keep_error(self) -> None:
        try:
            self._run(self._stop)
        except Exception as error:  # noqa: BLE001 - the edge of a thread; `stop` raises it
            self._error = error
            _log.exception("the emulator %s failed", self._name)


class DeviceClock:
    """The device's sampling clock: sample n is there at ``start + n / fs_hz``, and lateness never adds up."""

    def __init__(self, fs_hz: float) -> None:
        self._fs_hz = fs_hz
        self._start_s = time.monotonic()
        self._taken = 0

    def take(self) -> int:
        """Return how many samples have come due since the last call."""
        due = int((time.monotonic() - self._start_s) * self._fs_hz) - self._taken
        self._taken += due
        return due

    def wait_for(self, n_samples: int, stop: threading.Event) -> bool:
        """Wait until ``n_samples`` more are due and take them; False where ``stop`` came first."""
        self._taken += n_samples
        return not stop.wait(max(0.0, self._start_s + self._taken / self._fs_hz - time.monotonic()))


def listen_on(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 takes a free one."""
    return socket.create_server((host, port), backlog=1)


def accept_until(server: socket.socket, stop: threading.Event) -> socket.socket | None:
    """Wait for the computer to connect; None where ``stop`` came first."""
    server.settimeout(POLL_S)
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            return _without_delay(server.accept()[0])
    return None


def connect_until(address: Address, stop: threading.Event) -> socket.socket | None:
    """Connect to the computer, trying again until it listens; None where ``stop`` came first."""
    while not stop.is_set():
        with contextlib.suppress(OSError):
            connected = socket.create_connection(address, timeout=1.0)
            # A port of this machine that nobody listens on can connect to itself.
            if connected.getsockname() != connected.getpeername():
                return _without_delay(connected)
            connected.close()
        stop.wait(RETRY_S)
    return None


def receive_now(connected: socket.socket) -> bytes:
    """Return what the computer has sent; empty where that is nothing.

    Raises
    ------
    ConnectionError
        If the computer has closed the connection.
    """
    connected.settimeout(0.0)
    try:
        received = connected.recv(4096)
    except BlockingIOError:
        return b""
    if not received:
        raise ConnectionResetError("the computer has closed the connection")
    return received


def send_until(connected: socket.socket, data: bytes, stop: threading.Event) -> None:
    """Send all of ``data``; gives up where ``stop`` is set.

    Raises
    ------
    ConnectionError
        If the computer has closed the connection.
    """
    connected.settimeout(POLL_S)
    view = memoryview(data)
    while view and not stop.is_set():
        with contextlib.suppress(TimeoutError):
            view = view[connected.send(view) :]


def hang_up(connected: socket.socket) -> None:
    """End a connection; harmless where it has ended."""
    with contextlib.suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)
    connected.close()


def _without_delay(connected: socket.socket) -> socket.socket:
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected
