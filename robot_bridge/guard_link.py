"""The bridge's end of the guard: starts it, writes a byte a tick, and sees whether it answers."""

import socket
import subprocess
import sys

ARMED = b"a"
DISARMED = b"d"
BYE = b"q"
_START_LIMIT_S = 10.0


class GuardLink:
    """The guard process and the socket to it. Every byte that the bridge writes, the guard sends back.

    Parameters
    ----------
    namespace : str
        ROS namespace of the robot.
    answer_limit_s : float
        A guard silent for longer counts as dead.
    """

    def __init__(self, namespace: str, answer_limit_s: float = 0.25) -> None:
        self._limit_s = answer_limit_s
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)  # noqa: FBT003 - the standard library's signature
        # A session of its own: a Ctrl-C or a kill of the bridge's group does not take the guard with it.
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [
                sys.executable,
                "-m",
                "robot_bridge.guard",
                "--fd",
                str(theirs.fileno()),
                "--namespace",
                namespace,
            ],
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._answered_s: float | None = None

    @property
    def pid(self) -> int:
        """Process id of the guard."""
        return self._process.pid

    def beat(self, t_mono_s: float, *, armed: bool) -> str | None:
        """Write this tick's byte. Returns None, or why the guard does not guard."""
        try:
            while self._socket.recv(4096):
                self._answered_s = t_mono_s
        except BlockingIOError:
            pass
        except OSError:
            return "the guard process has ended; restart the bridge"
        if self._process.poll() is not None:
            return "the guard process has ended; restart the bridge"
        try:
            self._socket.send(ARMED if armed else DISARMED)
        except BlockingIOError:
            return "the guard process hangs; restart the bridge"
        except OSError:
            return "the guard process has ended; restart the bridge"
        if self._answered_s is None:
            return "the guard process is not ready"
        if t_mono_s - self._answered_s > self._limit_s:
            return "the guard process hangs; restart the bridge"
        return None

    def close(self) -> None:
        """Dismiss the guard: an orderly end, at which it publishes nothing."""
        try:
            self._socket.send(BYE)
        except OSError:
            pass
        try:
            self._process.wait(_START_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._socket.close()
