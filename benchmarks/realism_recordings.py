"""Real recordings and simulated ones of the same layout, rate, montage and gestures, for `wearer_realism.py`."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb

from emg_acquisition.cue_schedule import ScheduledCue
from emg_acquisition.grid import ElectrodeGrid, rectangular_grid
from emg_acquisition.recording.importers.flexemg import import_flexemg
from emg_acquisition.recording.session import Trial, load_session, trials
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer

# Which class of the 3DC data set is which gesture (Cote-Allard et al. 2019); the chuck grip, 9, has no counterpart.
GESTURE_OF_3DC = {
    0: "rest",
    1: "wrist_abduction",
    2: "wrist_flexion",
    3: "wrist_adduction",
    4: "wrist_extension",
    5: "supination",
    6: "pronation",
    7: "fist",
    8: "hand_open",
    10: "tripod_pinch",
}
LEAST_OF_3DC = 2000
GESTURE_OF_GRABMYO = {11: "wrist_extension", 12: "wrist_flexion", 15: "hand_open", 16: "fist"}


@dataclass(frozen=True)
class Recording:
    """EMG of one person, shape (n_samples, n_channels), and what was held when.

    ``unit_is_uv`` is false where the data set has counts of an unknown size; ``margins_s`` are left out after a cue
    and before the next.
    """

    name: str
    emg: np.ndarray
    fs_hz: float
    grid: ElectrodeGrid
    trials: list[Trial]
    gestures: tuple[str, ...]
    margins_s: tuple[float, float]
    unit_is_uv: bool = True


def flexemg(data: Path) -> list[Recording]:
    """Two persons, 64 electrodes against one on the elbow, four gestures and rest."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        names = ("001-Session1Train", "002-Session1Train")
        for path in import_flexemg(data / "flexemg", Path(folder), recordings=names):
            session = load_session(path)
            held = list(trials(session))
            gestures = ("rest", "fist", "hand_open", "wrist_extension", "wrist_flexion")
            emg, margins_s = session.emg, (1.0, 1.0)
            found.append(
                Recording(path.parent.name, emg.emg_uv, 1000.0, emg.info.grid, held, gestures, margins_s)
            )
    return found


def grabmyo(data: Path) -> list[Recording]:
    """One person, the 16 forearm electrodes (two rings of eight), four gestures, seven trials of 5 s."""
    parts, held, start = [], [], 0
    for code, gesture in GESTURE_OF_GRABMYO.items():
        for repetition in range(1, 8):
            path = data / "grabmyo_p1s1" / f"session1_participant1_gesture{code}_trial{repetition}"
            record = wfdb.rdrecord(str(path))
            columns = [record.sig_name.index(f"F{k}") for k in range(1, 17)]
            part = 1e3 * record.p_signal[:, columns]
            parts.append(part - part.mean(axis=0))
            held.append(Trial(gesture, repetition, len(held) + 1, start, start + len(part)))
            start += len(part)
    layout = tuple((k, k + 8) for k in range(8))
    grid = ElectrodeGrid("grabmyo-forearm", layout, 32.0, "rows")
    emg = np.concatenate(parts).astype(np.float32)
    gestures = tuple(GESTURE_OF_GRABMYO.values())
    return [Recording("P1", emg, 2048.0, grid, held, gestures, (1.0, 0.2))]


def three_dc(data: Path) -> list[Recording]:
    """Three persons, ten pairs round the forearm, in counts; ten of the eleven classes."""
    return [_three_dc(path) for path in sorted((data / "libemg3dc_npz").glob("*.npz"))]


def _three_dc(path: Path) -> Recording:
    content = np.load(path)
    parts, held, start = [], [], 0
    for repetition in range(4):
        for code, gesture in GESTURE_OF_3DC.items():
            part = content[f"train_{repetition}_{code}"].astype(np.float64)
            if len(part) < LEAST_OF_3DC:
                continue  # one trial is a third of a second long
            parts.append(part - part.mean(axis=0))
            held.append(Trial(gesture, repetition + 1, len(held) + 1, start, start + len(part)))
            start += len(part)
    emg = np.concatenate(parts).astype(np.float32)
    grid = rectangular_grid(10, 1, 25.0, "rows")
    return Recording(
        path.stem, emg, 1000.0, grid, held, tuple(GESTURE_OF_3DC.values()), (0.5, 0.2), unit_is_uv=False
    )


def simulated(like: Recording, seed: int, *, differential: bool = False) -> Recording:
    """Let a wearer do what was done in a recording, with as many trials of the same length."""
    settings = WearerSettings(
        seed=seed,
        fs_hz=like.fs_hz,
        grid=like.grid,
        montage="differential" if differential else "monopolar",
        electrode_mm=8.0 if differential else 5.0,
    )
    # What a data set does not hold (what lies between its trials) is rest.
    cues, shown = [ScheduledCue("rest", 1.0, 1)], []
    for trial in like.trials:
        shown.append(len(cues))
        cues += [
            ScheduledCue(trial.gesture, (trial.stop - trial.start) / like.fs_hz, trial.repetition),
            ScheduledCue("rest", 1.0, 1),
        ]
    wearer = SimulatedWearer(settings, cues)
    emg = wearer.read(10**9)
    events = wearer.events_until(len(emg))
    held = [
        Trial(e.fields["gesture"], e.fields["repetition"], k, e.sample_index, events[k + 1].sample_index)
        for k, e in ((k, events[k]) for k in shown)
    ]
    return Recording(f"wearer {seed}", emg, like.fs_hz, like.grid, held, like.gestures, (1.0, 0.2))
