"""RHX's command port: a word at a time, with replies that do not say where they end."""

import contextlib
import re
import time
from collections.abc import Sequence

from emg_acquisition.errors import InputError, StreamLostError
from emg_acquisition.sources.intan_codec import RETURN, command
from emg_acquisition.sources.tcp_link import TcpLink

# RHX answers from the loop that draws its windows.
REPLY_S = 1.0
# A reply has no end but silence; its last bytes may be a packet later.
QUIET_S = 0.03
# What RHX reads at once it takes for whole commands. Where no more than this is on its way, nothing cuts them.
COMMANDS_AT_ONCE = 16


class IntanCommands:
    """Commands to RHX.

    RHX is silent about a ``set`` that succeeds and says a refusal in free words. Therefore only one ``get`` is
    outstanding at a time, and whatever comes before its reply is a refusal of what was set before it.
    """

    def __init__(self, link: TcpLink) -> None:
        self._link = link

    def prepare(self, channels: Sequence[str], fs_hz: float) -> None:
        """Stop RHX, let it send just these channels, block by block, and open its waveform port.

        Raises
        ------
        InputError
            If RHX runs at another rate or refuses something.
        StreamLostError
            If it does not answer.
        """
        if self.get("RunMode").lower() != "stop":
            self._send("set", "RunMode", "Stop")
        self._check_rate(self.get("SampleRateHertz"), fs_hz)
        # Somebody who has gone may still count as connected.
        self._send("execute", "DisconnectTCPWaveformDataOutput")
        self._send("execute", "ClearAllDataOutputs")
        for first in range(0, len(channels), COMMANDS_AT_ONCE):
            for name in channels[first : first + COMMANDS_AT_ONCE]:
                self._send("set", f"{name}.TCPDataOutputEnabled", "true")
            self.get("RunMode", expected="stop")
        # The default of 10 blocks would hold samples back for a third of a second.
        self._send("set", "TCPNumberDataBlocksPerWrite", "1")
        self._send("execute", "ConnectTCPWaveformDataOutput")
        n_blocks = self.get("TCPNumberDataBlocksPerWrite")
        if n_blocks != "1":
            raise InputError(
                f"RHX keeps TCPNumberDataBlocksPerWrite at {n_blocks}, 1 is required: set it there"
            )

    def run(self) -> None:
        """Start it.

        Raises
        ------
        InputError
            If it does not run.
        StreamLostError
            If it does not answer.
        """
        self._send("set", "RunMode", "Run")
        mode = self.get("RunMode", expected="run")
        if mode.lower() != "run":
            raise InputError(
                f"RHX does not run, its mode is {mode!r}: start it once by hand and look what it says"
            )

    def stop_and_close(self) -> None:
        """Stop it as far as it still listens, and hang up."""
        with contextlib.suppress(StreamLostError):
            self._send("set", "RunMode", "Stop")
        self._link.close()

    def get(self, parameter: str, expected: str = "") -> str:
        """Return a parameter's value; at once where it is the expected one.

        Raises
        ------
        InputError
            If RHX says anything else, such as a refusal of what was set before.
        StreamLostError
            If it does not answer.
        """
        self._send("get", parameter)
        reply = re.compile(f"(.*){re.escape(RETURN + parameter)} (.*)", re.IGNORECASE | re.DOTALL)
        text, deadline_s = "", time.monotonic() + REPLY_S
        while (found := reply.fullmatch(text)) is None and (left_s := deadline_s - time.monotonic()) > 0:
            text += self._link.read_available(left_s).decode("latin-1")
        while found and found[2].lower() != expected and (more := self._link.read_available(QUIET_S)):
            text += more.decode("latin-1")
            found = reply.fullmatch(text)
        refusal = found[1].strip() if found else text.strip()
        if refusal:
            raise InputError(f"RHX refuses: {refusal} (are the chosen ports and channels there?)")
        if found is None:
            raise StreamLostError(f"RHX does not answer 'get {parameter}' within {REPLY_S:g} s: is it busy?")
        return found[2].strip()

    def _send(self, *words: str) -> None:
        self._link.send(command(*words))

    @staticmethod
    def _check_rate(text: str, fs_hz: float) -> None:
        try:
            rate_hz = float(text)
        except ValueError as error:
            raise InputError(f"RHX says its rate is {text!r}: a number was expected") from error
        if rate_hz != fs_hz:
            msg = f"RHX runs at {rate_hz:g} Hz, {fs_hz:g} Hz was asked for: ask for that, or start RHX at {fs_hz:g} Hz"
            raise InputError(msg)
