"""A simulated sleeve that can be put on turned and pushed: smooth bumps of activity on a ring of electrodes."""

from collections.abc import Sequence

import numpy as np

from emg_acquisition.grid import rectangular_grid
from emg_acquisition.recording.session import Session
from emg_acquisition.stream_info import EmgStreamInfo
from tests.dec_support import FS_HZ, session

ROWS, COLUMNS = 8, 4
SLEEVE = rectangular_grid(ROWS, COLUMNS, 10.0, "rows")
INFO = EmgStreamInfo("sleeve", "sleeve-1", FS_HZ, SLEEVE, tuple(f"E{k + 1}" for k in range(32)))
# Where around and along the limb each gesture's muscles lie, and how strong they are.
MUSCLES = {
    "fist": ((1.0, 1.0, 60.0), (5.5, 2.0, 20.0)),
    "hand_open": ((3.5, 2.5, 50.0), (6.5, 0.5, 30.0)),
    "pinch": ((6.0, 1.5, 40.0), (2.5, 1.0, 30.0)),
}
SLEEVE_GESTURES = ("rest", *MUSCLES)


def maps(gesture: str, rows: float = 0.0, columns: float = 0.0, *, person: int = 0) -> np.ndarray:
    """Amplitude at each of 32 electrodes, µV RMS, of a sleeve turned and pushed against its first donning."""
    row, column = np.divmod(np.arange(ROWS * COLUMNS), COLUMNS)
    amplitude = np.full(ROWS * COLUMNS, 6.0)
    rng = np.random.default_rng([person, len(gesture)])
    for at_row, at_column, strength in MUSCLES.get(gesture, ()):
        if person:
            at_row, at_column = rng.uniform(0, ROWS), rng.uniform(0, COLUMNS - 1)  # noqa: PLW2901
        around = (row - at_row - rows + ROWS / 2) % ROWS - ROWS / 2
        along = column - at_column - columns
        amplitude += strength * np.exp(-0.5 * (around**2 + along**2) / 0.9**2)
    return amplitude


def donned(
    cued: Sequence[tuple[str, int]],
    rows: float = 0.0,
    columns: float = 0.0,
    *,
    seed: int = 0,
    gain: float = 1.0,
    person: int = 0,
    spread: float = 0.0,
) -> Session:
    """A session of a sleeve that lies turned and pushed; `spread` is the log spread of muscles between trials."""
    rng = np.random.default_rng(seed + 1000)

    def amplitude(gesture: str) -> np.ndarray:
        shape = maps(gesture, rows, columns, person=person)
        return 6.0 + (shape - 6.0) * gain * np.exp(rng.normal(0.0, spread, shape.shape))

    return session(cued, seed=seed, info=INFO, amplitude=amplitude)
