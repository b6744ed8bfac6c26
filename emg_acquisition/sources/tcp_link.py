"""One TCP connection to an amplifier: bytes in whole frames however the network cuts them, time-outs, one peer."""

import contextlib
import errno
import logging
import os
import socket
import time

from emg_acquisition.errors import InputError, StreamLostError

_log = logging.getLogger(__name__)

RETRY_S = 0.1
SEND_TIMEOUT_S = 2.0
RECEIVE_BYTES = 1 << 20
MAX_PORT = 65535


class TcpLink:
    """A connected socket that gives whole frames only.

    Bytes of a frame that has not arrived as a whole stay here until the rest of it comes, so that no split of
    the byte stream into packets can shift a frame. Closing the link from another thread ends a wait; a caller
    that has to notice a stop flag waits a fraction of a second a call.

    Parameters
    ----------
    connected : socket.socket
        Taken over; closed by `close`.
    peer : str
        What an error calls the other side.
    """

    def __init__(self, connected: socket.socket, peer: str) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connected
        self._peer = peer
        self._held = bytearray()
        self._received = memoryview(bytearray(RECEIVE_BYTES))

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises
        ------
        StreamLostError
            If the peer is gone or takes nothing for two seconds.
        """
        try:
            self._socket.settimeout(SEND_TIMEOUT_S)
            self._socket.sendall(data)
        except OSError as error:
            raise StreamLostError(
                f"{self._peer} cannot be written to ({_why(error)}): connect again"
            ) from error

    def read_frames(self, frame_bytes: int, timeout_s: float) -> bytes:
        """Return all whole frames that are there, waiting at most ``timeout_s`` for the first; else nothing.

        Raises
        ------
        StreamLostError
            If the peer has ended the connection and every whole frame before that was returned.
        """
        deadline_s = time.monotonic() + timeout_s
        while len(self._held) < frame_bytes:
            if not self._receive(deadline_s - time.monotonic()):
                return b""
        return self._take(len(self._held) // frame_bytes * frame_bytes)

    def read_available(self, timeout_s: float) -> bytes:
        """Return whatever is there, such as a text reply, waiting at most ``timeout_s`` for its first byte.

        Raises
        ------
        StreamLostError
            If the peer has ended the connection.
        """
        return self.read_frames(1, timeout_s)

    def finish(self, timeout_s: float) -> None:
        """End the connection so that what was sent last still arrives: let the peer hang up, within the time.

        Closing with bytes unread would reset the connection, and a device might never read its stop command.
        """
        deadline_s = time.monotonic() + timeout_s
        with contextlib.suppress(OSError, StreamLostError):
            self._socket.shutdown(socket.SHUT_WR)
            while time.monotonic() < deadline_s and self._receive(deadline_s - time.monotonic()):
                self._held.clear()
        self.close()

    def close(self) -> None:
        """End the connection; harmless where it has ended."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _take(self, n_bytes: int) -> bytes:
        taken = bytes(self._held[:n_bytes])
        del self._held[:n_bytes]
        return taken

    def _receive(self, timeout_s: float) -> bool:
        """Hold what arrives next; False where nothing arrives in time."""
        try:
            # Zero would make the socket non-blocking, which says "nothing there" with another exception.
            self._socket.settimeout(max(timeout_s, 1e-3))
            n_received = self._socket.recv_into(self._received)
        except TimeoutError:
            return False
        except OSError as error:
            raise StreamLostError(f"{self._peer} is gone ({_why(error)}): connect again") from error
        if n_received == 0:
            raise StreamLostError(f"{self._peer} has closed the connection: connect again")
        self._held += self._received[:n_received]
        return True


def connect_to(host: str, port: int, timeout_s: float) -> TcpLink:
    """Connect to a device that listens, trying again while it refuses.

    Raises
    ------
    InputError
        If ``host`` is no address and no known name, or ``port`` no port.
    StreamLostError
        If nobody answers within the time.
    """
    # The system takes a larger number for another port, without a word.
    if not 0 < port <= MAX_PORT:
        raise InputError(f"port must be 1 to {MAX_PORT}, got {port}")
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            connected = _connect_once(host, port, max(deadline_s - time.monotonic(), 1e-3))
            return TcpLink(connected, f"the device at {host}:{port}")
        except (socket.gaierror, UnicodeError) as error:
            msg = f"host {host!r} is no address and no known name: give the device's, such as 192.168.76.1"
            raise InputError(msg) from error
        except OSError as error:
            if time.monotonic() + RETRY_S > deadline_s:
                msg = (
                    f"no device answers at {host}:{port} within {timeout_s:g} s ({_why(error)}): "
                    "check that it is on and that this computer is in its network"
                )
                raise StreamLostError(msg) from error
        time.sleep(RETRY_S)


def _connect_once(host: str, port: int, timeout_s: float) -> socket.socket:
    connected = socket.create_connection((host, port), timeout_s)
    # On this very machine a port that nobody listens on can connect to itself.
    if connected.getsockname() == connected.getpeername():
        connected.close()
        raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    return connected


class Listener:
    """A port on which one device may connect.

    It is closed as soon as that device is there, so that the machine refuses everybody else; it stays open
    over an `accept` that ran out of time, so that a device that comes between two calls is not turned away.

    Parameters
    ----------
    host : str
        Address of this computer in the device's network; nothing is accepted on its other addresses.
    port : int
        Port; 0 takes a free one.
    only_from : str
        The one address that may connect; empty for any that reaches ``host``.

    Raises
    ------
    InputError
        If this computer has no such address or the port is taken.
    """

    def __init__(self, host: str, port: int, only_from: str = "") -> None:
        self._only_from = only_from
        try:
            self._socket = socket.create_server((host, port), backlog=1)
        except (OSError, UnicodeError, OverflowError) as error:
            msg = (
                f"cannot listen on {host}:{port} ({_why(error)}): give an address of this computer, "
                "and end another program that waits for the device"
            )
            raise InputError(msg) from error
        self.host, self.port = self._socket.getsockname()[:2]

    def accept(self, timeout_s: float) -> TcpLink:
        """Wait for the device, then close the port.

        Raises
        ------
        StreamLostError
            If it does not connect within the time; the port stays open.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                self._socket.settimeout(max(deadline_s - time.monotonic(), 1e-3))
                connected, (address, *_) = self._socket.accept()
            except OSError as error:
                msg = (
                    f"no device connected to {self.host}:{self.port} within {timeout_s:g} s ({_why(error)}): check "
                    "that it is on, set to this computer's address, and that this is the address in its network"
                )
                raise StreamLostError(msg) from error
            if self._only_from in ("", address):
                self.close()
                return TcpLink(connected, f"the device at {address}")
            connected.close()
            _log.warning("refused a connection from %s: only %s may connect", address, self._only_from)

    def close(self) -> None:
        """Stop listening; harmless where it has ended."""
        self._socket.close()


def _why(error: Exception) -> str:
    """Return the system's own word for an error; Python's is longer in places."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number is not None and number > 0 else str(error)
