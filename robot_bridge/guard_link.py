"""The bridge's end of the guard: starts it, writes a byte a tick, and sees whether it answers."""

import contextlib
import socket
import subprocess
import sys
from pathlib import Path

ARMED = b"a"
DISARMED = b"d"
BYE = b"q"
SEES_ROBOT = b"r"
SEES_NO_ROBOT = b"w"
_END_LIMIT_S = 10.0
_ENDED = "the guard process has ended; restart the bridge"


class GuardLink:
    """The guard process and the socket to it.

    The guard answers every byte that the bridge writes, and says whether it could stop the robot: it hears
    joint states, and the robot hears it.

    Parameters
    ----------
    namespace : str
        ROS namespace of the robot.
    robot_model : Path, optional
        The robot's file, if it is not the bundled one.
    answer_limit_s : float
        A guard silent for longer counts as dead.
    """

    def __init__(self, namespace: str, robot_model: Path | None = None, answer_limit_s: float = 0.25) -> None:
        self._limit_s = answer_limit_s
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
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
                *(() if robot_model is None else ("--robot-model", str(robot_model))),
            ],
            pass_fds=(theirs.fileno(),),
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self._answered_s: float | None = None
        self._sees_robot = False

    @property
    def pid(self) -> int:
        """Process id of the guard."""
        return self._process.pid

    def beat(self, t_mono_s: float, *, armed: bool) -> str | None:
        """Write this tick's byte. Returns None, or why the guard does not guard."""
        try:
            self._socket.send(ARMED if armed else DISARMED)
            while answers := self._socket.recv(4096):
                self._answered_s, self._sees_robot = t_mono_s, answers.endswith(SEES_ROBOT)
        except BlockingIOError:
            pass  # no more answers; or it has stopped reading, which then shows in its silence
        except OSError:
            return _ENDED
        if self._process.poll() is not None:
            return _ENDED
        if self._answered_s is None:
            return "the guard process is not ready"
        if t_mono_s - self._answered_s > self._limit_s:
            return "the guard process hangs; restart the bridge"
        return (
            None if self._sees_robot else "the guard process does not see the robot; is its driver running?"
        )

    def close(self, *, robot_stopped: bool) -> None:
        """Dismiss the guard, or leave the robot to it: without a goodbye an armed guard stops the robot."""
        if robot_stopped:
            with contextlib.suppress(OSError):
                self._socket.send(BYE)
        self._socket.shutdown(socket.SHUT_WR)
        try:
            self._process.wait(_END_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._socket.close()
