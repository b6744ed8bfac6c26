"""A recorded session over time, to look at: cues, decisions, where they differ, events, the robot.

All times are seconds from the first EMG sample.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from calibration.outcomes import UNDECIDED
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.events import DECODING
from emg_acquisition.recording.session import RECORDING_FILE, RecordedSession, trials
from emg_acquisition.recording.xdf_format import XdfHeader
from emg_acquisition.recording.xdf_reader import read_blocks, read_headers, read_xdf
from emg_acquisition.stream_info import COMMAND_TYPE, JOURNAL_TYPE
from evaluation.bridge_replay import entries_of
from evaluation.replay import Replay
from robot_bridge.inputs import JointStatesInput
from robot_bridge.journal import OlderJournalError
from robot_bridge.journal_stream import COMMAND_CHANNELS
from robot_bridge.stretch_interface import DOF_NAMES, JOINT_DOF, read_joint_states

# Every second, a cue by another name, or seen in the commands.
NOT_SHOWN = {DECODING, "cue", "intention", "moving", "still"}
BAD_KINDS = {"stop", "fault", "stream_lost", "stream_changed", "gap"}


@dataclass(frozen=True)
class Cue:
    """A gesture that was asked for, until the next one."""

    begin_s: float
    end_s: float
    gesture: str


@dataclass(frozen=True)
class Decisions:
    """What was decided when: shapes (n_decisions,); the index is -1 for no decision."""

    t_s: Float64Array
    gesture_index: IntArray
    confidence: Float32Array
    gestures: tuple[str, ...]

    def at(self, t_s: float) -> tuple[str, float] | None:
        """Return the newest decision at a time, and how sure it was; None before the first."""
        k = int(np.searchsorted(self.t_s, t_s, side="right")) - 1
        return (self.name(int(self.gesture_index[k])), float(self.confidence[k])) if k >= 0 else None

    def name(self, index: int) -> str:
        """Return a gesture's name, also that of no decision."""
        return self.gestures[index] if index >= 0 else UNDECIDED

    def runs(self) -> list[tuple[float, float, int]]:
        """Return stretches of the same decision: begin and end in seconds, and gesture index."""
        return _runs(self.t_s, self.gesture_index, self.hop_s)

    @property
    def hop_s(self) -> float:
        """Seconds that a decision lasts."""
        return float(np.median(np.diff(self.t_s))) if len(self.t_s) > 1 else 0.0


@dataclass(frozen=True)
class Mistake:
    """A stretch of decisions that differ from their cue in one way."""

    begin_s: float
    end_s: float
    cued: str
    decided: str


@dataclass(frozen=True)
class Happening:
    """An event in words."""

    t_s: float
    text: str
    bad: bool


@dataclass(frozen=True)
class Track:
    """Numbers of each DoF over time: shape (n, 8) in the order of ``DOF_NAMES``; NaN where there is none."""

    t_s: Float64Array
    values: Float64Array

    def at(self, t_s: float) -> Float64Array | None:
        """Return the newest row at a time; None before the first."""
        k = int(np.searchsorted(self.t_s, t_s, side="right")) - 1
        return self.values[k] if k >= 0 else None


def cues_of(session: RecordedSession) -> tuple[Cue, ...]:
    """Return what was asked for; raises InputError as `trials` does."""
    t_s = session.emg.t_lsl_s - session.emg.t_lsl_s[0]
    return tuple(
        Cue(float(t_s[trial.start]), float(t_s[trial.stop - 1]), trial.gesture) for trial in trials(session)
    )


def recorded_decisions_of(session: RecordedSession) -> Decisions | None:
    """Return the decisions that were made live; None where none were recorded."""
    recorded = session.gestures
    if recorded is None or len(recorded.t_lsl_s) == 0:
        return None
    return _decisions(session, recorded.t_lsl_s, recorded.values, recorded.info.gestures)


def replayed_decisions_of(session: RecordedSession, replay: Replay, gestures: Sequence[str]) -> Decisions:
    """Return the decisions of a replay."""
    return _decisions(session, replay.t_lsl_s, replay.values, tuple(gestures))


def _decisions(
    session: RecordedSession, t_lsl_s: Float64Array, values: Float32Array, gestures: tuple[str, ...]
) -> Decisions:
    index = np.clip(values[:, 0].astype(np.int64), -1, len(gestures) - 1)
    return Decisions(t_lsl_s - session.emg.t_lsl_s[0], index, values[:, 1], gestures)


def mistakes_of(
    decisions: Decisions, cues: Sequence[Cue], *, after_cue_s: float, before_next_s: float
) -> tuple[Mistake, ...]:
    """Find every stretch of decisions that differ from their cue, away from the cue changes.

    Parameters
    ----------
    decisions : Decisions
        What is judged; no decision differs from every cue.
    cues : sequence of Cue
        What was asked for.
    after_cue_s, before_next_s : float
        Left out at either end of a cue, where the muscle is still on its way.
    """
    found = []
    for cue in cues:
        first, stop = np.searchsorted(decisions.t_s, (cue.begin_s + after_cue_s, cue.end_s - before_next_s))
        part = slice(int(first), int(stop))
        for begin_s, end_s, index in _runs(
            decisions.t_s[part], decisions.gesture_index[part], decisions.hop_s
        ):
            if decisions.name(index) != cue.gesture:
                found.append(Mistake(begin_s, end_s, cue.gesture, decisions.name(index)))
    return tuple(found)


def _runs(t_s: Float64Array, index: IntArray, hop_s: float) -> list[tuple[float, float, int]]:
    if len(t_s) == 0:
        return []
    begins = np.r_[0, np.flatnonzero(np.diff(index)) + 1]
    ends = np.r_[begins[1:], len(t_s)] - 1
    return [(float(t_s[b]), float(t_s[e]) + hop_s, int(index[b])) for b, e in zip(begins, ends, strict=True)]


def happenings_of(session: RecordedSession) -> tuple[Happening, ...]:
    """Return modes, arming, stops, faults, notes and all other events, but cues."""
    begin_s = float(session.emg.t_lsl_s[0])
    return tuple(
        Happening(event.t_lsl_s - begin_s, _in_words(event.kind, event.fields), event.kind in BAD_KINDS)
        for event in session.events
        if event.kind not in NOT_SHOWN
    )


def _in_words(kind: str, fields: Mapping[str, Any]) -> str:
    """Write an event: its values, and of what is merely true its name."""
    shown = {
        key: value
        for key, value in fields.items()
        if value is not None and value is not False and value != ""
    }
    words = (key if value is True else str(value) for key, value in shown.items())
    return " ".join([kind, *words]).replace("_", " ")


def commands_of(session: RecordedSession) -> Track | None:
    """Return what the bridge commanded, the wheels as velocities; None where that was not recorded."""
    path = session.folder / RECORDING_FILE
    streams = read_xdf(path, only=lambda header: header.type == COMMAND_TYPE).streams
    if not streams or len(streams[0].t_lsl_s) == 0:
        return None
    columns = [COMMAND_CHANNELS.index(dof) for dof in DOF_NAMES]
    return Track(
        streams[0].t_lsl_s - session.emg.t_lsl_s[0], np.asarray(streams[0].values, dtype=float)[:, columns]
    )


def joints_of(session: RecordedSession, reading: Callable[[], None] = lambda: None) -> Track | None:
    """Return the joint positions that the bridge received, the wheels NaN; None where that was not recorded.

    Nor where the journal is of an older format.

    The journal is read a sample at a time, because an hour of it is large; `reading` is called with each.
    """
    try:
        return _joints_of(session, reading)
    except OlderJournalError:
        return None


def _joints_of(session: RecordedSession, reading: Callable[[], None]) -> Track | None:
    path = session.folder / RECORDING_FILE
    journals: list[XdfHeader] = [header for header in read_headers(path) if header.type == JOURNAL_TYPE]
    times, rows = [], []
    for header in journals[:1]:
        for values, _ in read_blocks(path, header):
            reading()
            for text in values[:, 0]:
                for t_lsl_s, entry in entries_of(str(text), path):
                    if not isinstance(entry.what, JointStatesInput):
                        continue
                    found = read_joint_states(entry.what.names, entry.what.positions)
                    if found is not None:
                        times.append(t_lsl_s)
                        rows.append([found.positions[dof] for dof in JOINT_DOF])
    if not rows:
        return None
    wheels = np.full((len(rows), len(DOF_NAMES) - len(JOINT_DOF)), np.nan)
    return Track(np.array(times) - session.emg.t_lsl_s[0], np.hstack([wheels, np.array(rows)]))
