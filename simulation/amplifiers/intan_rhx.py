"""Intan RHX without the controller: a command server and a waveform server that behave as RHX does.

What it keeps of RHX: a `set` that succeeds is silent, replies and refusals carry no end, whatever is read at once is
taken for whole commands between semicolons, settings are refused while it runs, the waveform port is open only once
the command for that was given and for one program at a time, and samples are sent in blocks.
"""

import contextlib
import socket
import struct
import threading

from simulation.amplifiers.emulator import (
    Address,
    DeviceClock,
    EmulatorThread,
    accept_until,
    hang_up,
    listen_on,
    receive_now,
    send_until,
)
from simulation.amplifiers.signals import Converter, CountSignal

COMMAND_PORT = 5000
WAVEFORM_PORT = 5001
BLOCK = 128
# RHX's own setting where nobody has chosen another.
HIGH_PASS_HZ = 0.1
POLL_S = 0.002


class IntanRhxEmulator:
    """RHX with a headstage on each of some ports.

    Parameters
    ----------
    signal : CountSignal
        What all its channels measure, port after port; it goes on where RHX is stopped and run again.
    n_channels : int
        Amplifier channels on each port.
    ports : str
        Letters of the ports that have a headstage.
    fs_hz : float
        The rate at which it was started.
    host : str
        Where it listens.
    command_port, waveform_port : int
        Its ports; 0 takes free ones.
    """

    def __init__(
        self,
        signal: CountSignal,
        *,
        n_channels: int = 64,
        ports: str = "A",
        fs_hz: float = 4000.0,
        host: str = "127.0.0.1",
        command_port: int = COMMAND_PORT,
        waveform_port: int = WAVEFORM_PORT,
    ) -> None:
        self._signal, self._fs_hz, self._host = signal, fs_hz, host
        self._converter = Converter(0.195, 16, fs_hz, high_pass_hz=HIGH_PASS_HZ)
        self._taken = 0
        self._channels = [f"{port}-{n:03d}".upper() for port in ports for n in range(n_channels)]
        self._command_server = listen_on(host, command_port)
        # Only its number is kept until a command opens it.
        self._waveform_port = waveform_port or _free_port(host)
        self._command_thread = EmulatorThread("intan-commands", self._serve_commands)
        self._waveform_thread = EmulatorThread("intan-waveforms", self._serve_waveforms)
        self._lock = threading.Lock()
        self._running = False
        self._enabled: set[str] = set()
        self._blocks_per_write = 10
        self._waveform_server: socket.socket | None = None
        self._waveform_link: socket.socket | None = None
        self.counter = 0
        """Time stamp of the next sample; what is added to it was lost."""
        self.cut_waveforms = threading.Event()
        """Set: the waveform connection breaks off, in the middle of a block."""
        self.hang = threading.Event()
        """Set: neither samples nor replies are sent."""

    @property
    def address(self) -> Address:
        """Where commands are taken."""
        host, port = self._command_server.getsockname()[:2]
        return host, port

    @property
    def waveform_port(self) -> int:
        """Where waveforms can be had, once the command for that was given."""
        return self._waveform_port

    @property
    def running(self) -> bool:
        """Whether it was told to run."""
        return self._running

    def start(self) -> None:
        """Switch it on."""
        self._command_thread.start()
        self._waveform_thread.start()

    def stop(self) -> None:
        """Switch it off."""
        self._command_thread.stop()
        self._waveform_thread.stop()
        self._command_server.close()

    # Commands

    def _serve_commands(self, stop: threading.Event) -> None:
        while (link := accept_until(self._command_server, stop)) is not None:
            with contextlib.suppress(ConnectionError):
                self._talk(link, stop)
            hang_up(link)

    def _talk(self, link: socket.socket, stop: threading.Event) -> None:
        while not stop.wait(POLL_S):
            received = receive_now(link).decode("latin-1")
            # Each read is taken for whole commands: one that the network has cut in two is two wrong ones.
            for number, text in enumerate(received.split(";"), start=1):
                reply = self._obey(text.split(), number) if text.strip() else ""
                if reply and not self.hang.is_set():
                    send_until(link, reply.encode("latin-1"), stop)

    def _obey(self, words: list[str], number: int) -> str:
        kind, *rest = (word.lower() for word in words)
        with self._lock:
            if kind == "get" and len(rest) == 1:
                return self._get(rest[0])
            if kind == "set" and len(rest) == 2:  # noqa: PLR2004 - parameter and value
                return self._set(*rest)
            if kind == "execute" and len(rest) == 1:
                return self._execute(rest[0])
        return f"Error - Command {number}: Unrecognized command"

    def _get(self, parameter: str) -> str:
        values = {
            "sampleratehertz": ("SampleRateHertz", f"{self._fs_hz:g}"),
            "runmode": ("RunMode", "Run" if self._running else "Stop"),
            "tcpnumberdatablocksperwrite": ("TCPNumberDataBlocksPerWrite", str(self._blocks_per_write)),
        }
        if parameter not in values:
            return "Unrecognized parameter"
        name, value = values[parameter]
        return f"Return: {name} {value}"

    def _set(self, parameter: str, value: str) -> str:
        channel, _, item = parameter.partition(".")
        if parameter == "runmode":
            return self._set_run_mode(value)
        if channel.upper() in self._channels and item == "tcpdataoutputenabled":
            change = self._enabled.add if value == "true" else self._enabled.discard
            change(channel.upper())
            return ""
        if parameter == "tcpnumberdatablocksperwrite":
            if self._running:
                return "TCPNumberDataBlocksPerWrite cannot be set while the controller is running"
            if not value.isdigit() or not 1 <= int(value) <= 100:  # noqa: PLR2004 - RHX's own range
                return "TCPNumberDataBlocksPerWrite must be 1 to 100"
            self._blocks_per_write = int(value)
            return ""
        return "Unrecognized parameter"

    def _set_run_mode(self, value: str) -> str:
        if value not in {"run", "stop"}:
            return "Invalid value for SetRunMode command"
        if self._running == (value == "run"):
            return (
                "Board must be stopped in order to start running"
                if self._running
                else ("Board must be running in order to stop")
            )
        self._running = value == "run"
        if self._running:
            self.counter = 0
        return ""

    def _execute(self, action: str) -> str:
        if action == "clearalldataoutputs":
            self._enabled.clear()
        elif action == "connecttcpwaveformdataoutput":
            if self._waveform_server is None and self._waveform_link is None:
                self._waveform_server = listen_on(self._host, self._waveform_port)
        elif action == "disconnecttcpwaveformdataoutput":
            self._disconnect_waveforms()
        else:
            return "Unrecognized action"
        return ""

    # Waveforms

    def _serve_waveforms(self, stop: threading.Event) -> None:
        clock = None
        while not stop.wait(POLL_S):
            with self._lock:
                self._accept_waveforms()
                running, n_samples = self._running, BLOCK * self._blocks_per_write
            if not running:
                clock = None
                continue
            clock = clock or DeviceClock(self._fs_hz)
            if not clock.wait_for(n_samples, stop):
                break
            self._send(self._next_blocks(n_samples), stop)
        with self._lock:
            self._disconnect_waveforms()

    def _accept_waveforms(self) -> None:
        if self._waveform_server is None:
            return
        self._waveform_server.settimeout(0.0)
        with contextlib.suppress(BlockingIOError):
            self._waveform_link = self._waveform_server.accept()[0]
            self._waveform_server.close()
            self._waveform_server = None

    def _next_blocks(self, n_samples: int) -> bytes:
        signed = self._signal.counts(self._taken, n_samples, len(self._channels), self._converter)
        self._taken += n_samples
        counts = (signed + 32768).astype("<u2")
        with self._lock:
            columns = [k for k, name in enumerate(self._channels) if name in self._enabled]
            first, self.counter = self.counter, (self.counter + n_samples) % 2**32
        sent = bytearray()
        for k in range(n_samples):
            if k % BLOCK == 0:
                sent += bytes.fromhex("087af02e")
            sent += struct.pack("<I", (first + k) % 2**32) + counts[k, columns].tobytes()
        return bytes(sent) if columns else b""

    def _send(self, data: bytes, stop: threading.Event) -> None:
        with self._lock:
            link = self._waveform_link
        if link is None or self.hang.is_set():
            return
        if self.cut_waveforms.is_set():
            self.cut_waveforms.clear()
            with contextlib.suppress(ConnectionError):
                send_until(link, data[: len(data) // 3], stop)
            with self._lock:
                self._disconnect_waveforms()
            return
        try:
            send_until(link, data, stop)
        except OSError:
            with self._lock:
                self._disconnect_waveforms()

    def _disconnect_waveforms(self) -> None:
        link, self._waveform_link = self._waveform_link, None
        server, self._waveform_server = self._waveform_server, None
        if link is not None:
            hang_up(link)
        if server is not None:
            server.close()


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as server:
        return int(server.getsockname()[1])
