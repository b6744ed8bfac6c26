"""Many samples on few columns of a screen: the least and the greatest of each column, so that no spike is lost."""

import numpy as np

from emg_acquisition.arrays import Float32Array

# Round figures, so that the scale keeps still while the signal wanders.
LANES_UV = (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 50000.0)
# A muscle at rest fills a third of its lane; one that works reaches its edges, and is cut there.
LANE_PER_RMS = 5.0


def outline(emg_uv: Float32Array, columns: int) -> tuple[Float32Array, Float32Array]:
    """Return each column's least and greatest value about the channel's mean, shapes (columns, n_channels).

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels)
        Oldest first; what does not fill a column at the oldest end is left out. With fewer samples than columns there
        is a column for each sample.
    columns : int
        At most so many.
    """
    per_column = max(1, len(emg_uv) // columns)
    n_columns = min(columns, len(emg_uv) // per_column)
    newest = emg_uv[len(emg_uv) - n_columns * per_column :]
    if n_columns == 0:
        nothing = np.zeros((0, emg_uv.shape[1]), dtype=np.float32)
        return nothing, nothing
    blocks = newest.reshape(n_columns, per_column, emg_uv.shape[1])
    mean = newest.mean(axis=0)
    return blocks.min(axis=1) - mean, blocks.max(axis=1) - mean


def lane_uv(rms_uv: float) -> float:
    """Return how many microvolts one channel's lane is high, given the RMS of a usual channel."""
    wanted = LANE_PER_RMS * rms_uv if np.isfinite(rms_uv) else LANES_UV[-1]
    return next((lane for lane in LANES_UV if lane >= wanted), LANES_UV[-1])
