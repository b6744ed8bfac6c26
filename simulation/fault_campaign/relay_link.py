"""How the campaign tells a relay which fault to make, and learns when it began."""

import contextlib
import socket
import threading
import time

from emg_acquisition.errors import StreamLostError

ANSWER_TIMEOUT_S = 5.0
NONE = "none"


class RelayLink:
    """The campaign's end: a socket that only the relay inherits."""

    def __init__(self) -> None:
        self._socket, self.theirs = socket.socketpair()
        self._socket.settimeout(ANSWER_TIMEOUT_S)

    def started(self) -> None:
        """Close this process's copy of the relay's end, once the relay has inherited it."""
        self.theirs.close()

    def make(self, fault: str) -> float:
        """Make a fault from now on, or `NONE`; returns when it began (monotonic clock of this machine).

        Raises
        ------
        StreamLostError
            If the relay does not answer.
        """
        try:
            self._socket.sendall(f"{fault}\n".encode())
            answer = self._socket.recv(64)
        except OSError as error:
            msg = f"a relay of the fault campaign does not answer ({error})"
            raise StreamLostError(msg) from error
        if not answer:
            msg = "a relay of the fault campaign has ended; its log says why"
            raise StreamLostError(msg)
        return float(answer)

    def close(self) -> None:
        """Let the relay end."""
        self._socket.close()


class FaultSwitch:
    """The relay's end; ``fault`` is what to make now, ``ended`` is set when the campaign has gone."""

    def __init__(self, fd: int) -> None:
        self.fault = NONE
        self.ended = threading.Event()
        self._socket = socket.socket(fileno=fd)
        self._thread = threading.Thread(target=self._listen, name="fault-switch", daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while received := self._socket.recv(64):
                self.fault = received.decode().strip()
                self._socket.sendall(f"{time.monotonic()!r}\n".encode())
        self.ended.set()
