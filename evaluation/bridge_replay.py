"""A recorded bridge replayed: the inputs of its core go to a fresh core, and every command is compared."""

from dataclasses import dataclass
from pathlib import Path

from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import RECORDING_FILE
from emg_acquisition.recording.xdf_reader import read_headers, read_xdf
from emg_acquisition.stream_info import JOURNAL_TYPE
from robot_bridge.journal import BEGIN, Entry, Replayed, replay_journal
from robot_bridge.journal_stream import entries_from_text


@dataclass(frozen=True)
class BridgeReplay:
    """Every tick of a recorded bridge.

    Parameters
    ----------
    ticks : tuple of Replayed
        With the command that was given and the one computed again.
    identical : bool or None
        Whether all are the same; None where the recording began after the bridge did, so that this cannot be known.
    """

    ticks: tuple[Replayed, ...]
    identical: bool | None

    @property
    def commands(self) -> int:
        """How many ticks gave a command; the others were silent."""
        return sum(tick.recorded is not None for tick in self.ticks)


def read_journal(folder: Path) -> list[tuple[float, Entry]] | None:
    """Read the journal of a session: entries with their LSL times; None where none was recorded.

    Raises
    ------
    InputError
        If the recording holds several bridges' journals, or what is there is no journal.
    """
    path = folder / RECORDING_FILE
    found = [header for header in read_headers(path) if header.type == JOURNAL_TYPE]
    if not found:
        return None
    if len(found) > 1:
        names = ", ".join(header.source_id for header in found)
        msg = f"{path} holds {len(found)} bridges' journals ({names}); one at most is supported"
        raise InputError(msg)
    (stream,) = read_xdf(path, only=lambda header: header.type == JOURNAL_TYPE).streams
    return [entry for text in stream.texts for entry in entries_of(text, path)]


def entries_of(text: str, path: Path) -> list[tuple[float, Entry]]:
    """Read one sample of a recording's journal; raises InputError, with the recording's name, if it is none."""
    try:
        return entries_from_text(text)
    except (ValueError, TypeError, KeyError) as error:
        msg = f"{path}: its bridge's journal cannot be read ({error}); was it recorded by another version?"
        raise InputError(msg) from error


def replay_bridge(folder: Path) -> BridgeReplay | None:
    """Compute every command of a session's bridge again; None where no journal was recorded.

    Raises
    ------
    InputError
        If the journal is damaged.
    """
    journal = read_journal(folder)
    if not journal:
        return None
    entries = [entry for _, entry in journal]
    if entries[0].call != BEGIN:
        return BridgeReplay((), None)
    try:
        ticks = tuple(replay_journal(entries))
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        msg = f"{folder}: {error}"
        raise InputError(msg) from error
    return BridgeReplay(ticks, all(tick.identical for tick in ticks))
