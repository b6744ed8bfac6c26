"""A bridge's journal and its commands onto LSL, for recorders, in a thread of its own.

Two streams beside the bridge's events: type ``Command``, one row of numbers for every command that was given, for
whoever draws or analyses; and type ``BridgeJournal``, ten times a second the entries since as one JSON text, from which
commands are computed again.
What the bridge's thread does is an append to a queue. A recorder that comes late still gets the journal from its
beginning, as long as that fits into memory set aside for it; one that comes later than that gets a journal that
lacks its beginning, and replay says so.
"""

import json
import logging
import math
import threading
from collections import deque
from collections.abc import Callable

from emg_acquisition.streams.outlet import CommandOutlet, JournalOutlet, lsl_clock_s
from robot_bridge.journal import Entry, from_plain, to_plain
from robot_bridge.stretch_interface import BASE_DOF, JOINT_DOF

COMMAND_CHANNELS = (*BASE_DOF, *JOINT_DOF, "head_pan", "head_tilt")
SEND_EVERY_S = 0.1
# Entries that wait for the thread; were it ever so late, the oldest would be lost, and replay would say so.
MAX_WAITING = 10_000
# Four minutes, until somebody records.
KEPT = 2400
_LOG = logging.getLogger(__name__)


def command_source_id(name: str) -> str:
    """Return the ``source_id`` of a bridge's commands."""
    return f"{name}-commands"


def journal_source_id(name: str) -> str:
    """Return the ``source_id`` of a bridge's journal."""
    return f"{name}-journal"


class JournalStream:
    """Sends what it is given; close it.

    Parameters
    ----------
    name : str
        The bridge's name, prefix of both ``source_id``.
    copy_to : callable, optional
        Takes each of the journal's texts, too.
    """

    def __init__(self, name: str, copy_to: Callable[[str], None] = lambda _text: None) -> None:
        self._copy_to = copy_to
        self._commands = CommandOutlet(f"{name} commands", command_source_id(name), COMMAND_CHANNELS)
        self._journal = JournalOutlet(f"{name} journal", journal_source_id(name))
        self._targets: dict[str, float] = {}
        self._queue: deque[tuple[float, Entry]] = deque(maxlen=MAX_WAITING)
        self._kept: deque[tuple[float, str]] = deque(maxlen=KEPT)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bridge-journal", daemon=True)
        self._thread.start()

    def write(self, entry: Entry) -> None:
        """Take an entry; returns at once."""
        self._queue.append((lsl_clock_s(), entry))

    def close(self) -> None:
        """Send what is left and end both streams."""
        self._ending.set()
        self._thread.join()
        self._commands.close()
        self._journal.close()

    def _run(self) -> None:
        try:
            while not self._ending.wait(SEND_EVERY_S):
                self._send()
            self._send()
        except Exception:  # noqa: BLE001 - the thread's edge: a journal that fails must never stop a robot's bridge
            _LOG.exception("the bridge's journal has ended; the bridge goes on without it")

    def _send(self) -> None:
        rows, t_lsl_s = [], 0.0
        while self._queue:
            t_lsl_s, entry = self._queue.popleft()
            if entry.answer is not None:
                command = entry.answer
                base = (command.translate_m_s, command.rotate_rad_s)
                # A command between two poses leaves the joints at their last targets.
                self._targets |= command.targets
                targets = (self._targets.get(dof, math.nan) for dof in JOINT_DOF)
                self._commands.push((*base, *targets, *command.head), t_lsl_s)
            rows.append([t_lsl_s, *to_plain(entry)])
        if rows:
            text = json.dumps(rows, separators=(",", ":"))
            self._kept.append((t_lsl_s, text))
            self._copy_to(text)
        if self._journal.have_consumers():
            while self._kept:
                stamp_s, text = self._kept.popleft()
                self._journal.push(text, stamp_s)


def entries_from_text(text: str | bytes) -> list[tuple[float, Entry]]:
    """Read one sample of a journal: entries, each with the LSL time at which it was noted.

    Raises
    ------
    ValueError, TypeError, KeyError
        If it is no journal's text.
    """
    return [(float(t_lsl_s), from_plain(row)) for t_lsl_s, *row in json.loads(text)]
