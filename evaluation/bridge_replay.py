"""A recorded bridge replayed: the inputs of its core go to a fresh core, and every command is compared."""

from dataclasses import dataclass
from pathlib import Path

from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import RECORDING_FILE
from emg_acquisition.recording.xdf_reader import read_headers, read_xdf
from emg_acquisition.stream_info import JOURNAL_TYPE
from robot_bridge.journal import Beginning, Entry, OlderJournalError, Replayed, replay_journal
from robot_bridge.journal_stream import entries_from_text


@dataclass(frozen=True)
class BridgeReplay:
    """Every tick of a recorded bridge.

    Parameters
    ----------
    ticks : tuple of Replayed
        With the command that was given and the one computed again.
    identical : bool or None
        Whether all are the same; None where this cannot be known, and `unknown_why` says why.
    unknown_why : str
        Empty where it is known.
    """

    ticks: tuple[Replayed, ...]
    identical: bool | None
    unknown_why: str = ""

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
    """Read one sample of a recording's journal.

    Raises
    ------
    OlderJournalError
        If it is of a format that this version does not compute commands from.
    InputError
        If it is no journal; with the recording's name.
    """
    try:
        return entries_from_text(text)
    except OlderJournalError:
        raise
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
    try:
        journal = read_journal(folder)
    except OlderJournalError as error:
        return BridgeReplay((), None, str(error))
    if not journal:
        return None
    entries = [entry for _, entry in journal]
    if not isinstance(entries[0].what, Beginning):
        return BridgeReplay((), None, "the recording began after the bridge did")
    try:
        ticks = tuple(replay_journal(entries))
    except OlderJournalError as error:
        return BridgeReplay((), None, str(error))
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        msg = f"{folder}: {error}"
        raise InputError(msg) from error
    return BridgeReplay(ticks, all(tick.identical for tick in ticks))
