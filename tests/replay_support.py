"""A short recorded session with everything that a replay window shows, written without any live process."""

import json
from pathlib import Path

import numpy as np

from emg_acquisition.events import Event
from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.session_writer import SessionWriter
from emg_acquisition.stream_info import COMMAND_TYPE, JOURNAL_TYPE, EmgStreamInfo, GestureStreamInfo
from robot_bridge.inputs import JointStatesInput
from robot_bridge.journal import Entry, to_plain
from robot_bridge.journal_stream import COMMAND_CHANNELS
from robot_bridge.stretch_interface import JOINT_STATE_NAMES

FS_HZ, SECONDS, HOP_S = 1000.0, 40.0, 0.025
BEGIN_S = 1000.0
GESTURES = ("rest", "fist", "hand_open")
# Four seconds each; the second fist is decided wrongly for half a second, and the second hand_open not at all.
CUES = ("rest", "fist", "rest", "hand_open", "rest", "fist", "rest", "hand_open", "rest", "rest")
WRONG = {5: (22.0, 22.5, 2), 7: (28.0, 32.0, -1)}
CUE_S = SECONDS / len(CUES)
INFO = EmgStreamInfo(
    "sleeve", "sleeve-1", FS_HZ, rectangular_grid(2, 4, 10.0), tuple(f"E{k}" for k in range(1, 9))
)


def write_session(folder: Path) -> Path:
    """Write the session; channel k of the EMG is loud in cue k."""
    writer = SessionWriter(folder, participant="P01", session="look", emg=INFO)
    rng = np.random.default_rng(1)
    t_s = BEGIN_S + np.arange(round(FS_HZ * SECONDS)) / FS_HZ
    emg_uv = rng.normal(0, 5, (len(t_s), INFO.n_channels)).astype(np.float32)
    emg_uv += 400.0 * np.arange(INFO.n_channels, dtype=np.float32)  # electrodes have offsets
    for k in range(INFO.n_channels):
        loud = (t_s - BEGIN_S) // CUE_S == k
        emg_uv[loud, k] += rng.normal(0, 60, int(loud.sum())).astype(np.float32)
    for start in range(0, len(t_s), 100):
        writer.write_emg(emg_uv[start : start + 100], t_s[start : start + 100])
    events = [
        Event(
            BEGIN_S + k * CUE_S,
            "cue",
            {"gesture": gesture, "repetition": 1 + CUES[:k].count(gesture), "trial": k},
        )
        for k, gesture in enumerate(CUES)
    ]
    events.append(Event(BEGIN_S + 1.0, "arm", {"reason": "armed by the operator"}))
    events.append(Event(BEGIN_S + 35.0, "fault", {"reason": "no decision for 0.10 s"}))
    writer.write_events(sorted(events, key=lambda event: event.t_lsl_s))
    _write_decisions(writer)
    _write_robot(writer)
    writer.close()
    return folder


def write_emg_only(folder: Path) -> Path:
    """Write a second of EMG without cues, decisions or robot."""
    writer = SessionWriter(folder, participant="P01", session="bare", emg=INFO)
    n = round(FS_HZ)
    emg_uv = np.random.default_rng(2).normal(0, 5, (n, INFO.n_channels)).astype(np.float32)
    writer.write_emg(emg_uv, BEGIN_S + np.arange(n) / FS_HZ)
    writer.close()
    return folder


def _write_decisions(writer: SessionWriter) -> None:
    writer.begin_gestures(GestureStreamInfo("gestures", "decoder-1", 1 / HOP_S, GESTURES, INFO.source_id))
    t_s = np.arange(HOP_S, SECONDS, HOP_S)
    values = np.zeros((len(t_s), 4 + len(GESTURES)), dtype=np.float32)
    values[:, 0] = [GESTURES.index(CUES[int(t // CUE_S)]) for t in t_s]
    values[:, 1] = 0.9
    for begin_s, end_s, decided in WRONG.values():
        values[(t_s >= begin_s) & (t_s < end_s), 0] = decided
    writer.write_gestures(values, BEGIN_S + t_s)


def _write_robot(writer: SessionWriter) -> None:
    """The lift goes up by a centimetre a second, and is commanded to be there a tenth of a second before."""
    file = writer._file
    commands = file.add_stream(_header("bridge commands", COMMAND_TYPE, len(COMMAND_CHANNELS), "double64"))
    journal = file.add_stream(_header("bridge journal", JOURNAL_TYPE, 1, "string"))
    t_s = np.arange(0.0, SECONDS, 0.05)
    values = np.full((len(t_s), len(COMMAND_CHANNELS)), np.nan)
    values[:, 0] = 0.1
    values[:, COMMAND_CHANNELS.index("lift")] = 0.2 + 0.01 * (t_s + 0.1)
    file.write_samples(commands, values, BEGIN_S + t_s)
    texts = []
    for k, t in enumerate(t_s):
        positions = [0.2 + 0.01 * t if name == "joint_lift" else 0.1 for name in JOINT_STATE_NAMES]
        entry = Entry(k, JointStatesInput(t, t, list(JOINT_STATE_NAMES), positions))
        texts.append(json.dumps([[BEGIN_S + t, *to_plain(entry)]]))
    file.write_texts(journal, texts, BEGIN_S + t_s)


def _header(name: str, kind: str, channels: int, form: str) -> str:
    return (
        f"<info><name>{name}</name><type>{kind}</type><channel_count>{channels}</channel_count>"
        f"<nominal_srate>0</nominal_srate><channel_format>{form}</channel_format>"
        f"<source_id>{name.replace(' ', '-')}</source_id><hostname></hostname><desc></desc></info>"
    )
