"""Many samples on few columns of a screen: minimum and maximum of each column, so that no spike is lost.

Live from the newest samples; of a recording, which may be larger than memory, in pieces of about a second. Each is
taken about its own mean, so that an hour's drift of an electrode does not lift it out of its lane.
"""

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float32Array, Float64Array
from emg_acquisition.recording.session import EmgRows, pieces

PIECE_S = 1.0
# Of a whole session; an hour has a column every 0.22 s and, with 256 channels, 34 MB.
SESSION_COLUMNS = 16384
# A stretch of no more values than this is read again, in a fraction of a second; a longer one is cut out of the whole.
MAX_VALUES_READ = 10_000_000
RMS_S = 0.2
# Heat maps are scaled by the loudest channel of most pieces: an artefact of a second must not make all others dark.
LOUD_SHARE = 0.95
# Round figures, so that the scale keeps still while the signal wanders.
LANES_UV = (20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0, 50000.0)
# A muscle at rest fills a third of its lane; one that works reaches its edges, and is cut there.
LANE_PER_RMS = 5.0


def outline(emg_uv: Float32Array, columns: int) -> tuple[Float32Array, Float32Array]:
    """Return each column's minimum and maximum about the channel's mean, shapes (columns, n_channels).

    Parameters
    ----------
    emg_uv : ndarray, shape (n_samples, n_channels)
        Oldest first; what does not fill a column at the oldest end is left out. With fewer samples than columns there
        is a column for each sample.
    columns : int
        Maximum number of columns.
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


# ---- of a recording


@dataclass(frozen=True)
class Outline:
    """Columns with their times in seconds, shape (n,), and bounds in microvolts, shapes (n, n_channels)."""

    t_s: Float64Array
    low: Float32Array
    high: Float32Array


def read_outline(
    emg: EmgRows,
    start: int,
    stop: int,
    per_column: int,
    take: Callable[[slice, Outline, Float32Array], bool],
) -> None:
    """Hand the outline of samples `start` to `stop` to `take`, piece by piece, until it returns False.

    `take` gets the samples' place, their outline, and each channel's RMS in the piece.
    """
    n_samples = per_column * max(1, round(PIECE_S * emg.info.fs_hz / per_column))
    begin_s = emg.t_lsl_s[0]
    for block, emg_uv in pieces(emg, start, stop, n_samples):
        about_mean = emg_uv - emg_uv.mean(axis=0, dtype=np.float64).astype(np.float32)
        columns = np.arange(0, len(emg_uv), per_column)
        outline = Outline(
            emg.t_lsl_s[block.start + columns] - begin_s,
            np.minimum.reduceat(about_mean, columns, axis=0),
            np.maximum.reduceat(about_mean, columns, axis=0),
        )
        if not take(block, outline, np.sqrt(np.mean(about_mean**2, axis=0))):
            return


def fewer_columns(outline: Outline, max_columns: int) -> Outline:
    """Join neighbouring columns until there are no more than `max_columns`."""
    together = math.ceil(len(outline.t_s) / max_columns)
    if together <= 1:
        return outline
    columns = np.arange(0, len(outline.t_s), together)
    return Outline(
        outline.t_s[columns],
        np.minimum.reduceat(outline.low, columns, axis=0),
        np.maximum.reduceat(outline.high, columns, axis=0),
    )


class SessionOutline:
    """The outline of a whole session; it fills while it is read, and what is there can be shown meanwhile.

    Parameters
    ----------
    emg : EmgRows
        The recording.
    """

    def __init__(self, emg: EmgRows) -> None:
        self._emg = emg
        self._per_column = math.ceil(len(emg.t_lsl_s) / SESSION_COLUMNS)
        n = math.ceil(len(emg.t_lsl_s) / self._per_column)
        self._t_s = np.zeros(n)
        self._low = np.zeros((n, emg.info.n_channels), dtype=np.float32)
        self._high = np.zeros_like(self._low)
        self._rms: list[tuple[float, float]] = []
        self.filled = 0  # columns

    def fill(self, ending: threading.Event, progress: Callable[[float], None]) -> None:
        """Read the whole recording, or until `ending` is set."""
        total = len(self._emg.t_lsl_s)

        def take(block: slice, outline: Outline, rms_uv: Float32Array) -> bool:
            place = slice(self.filled, self.filled + len(outline.t_s))
            self._t_s[place], self._low[place], self._high[place] = outline.t_s, outline.low, outline.high
            self._rms.append((float(np.median(rms_uv)), float(rms_uv.max())))
            # Last: what is counted is there, whoever looks from another thread.
            self.filled = place.stop
            progress(block.stop / total)
            return not ending.is_set()

        read_outline(self._emg, 0, total, self._per_column, take)

    @property
    def usual_rms_uv(self) -> float:
        """RMS of a usual channel; NaN as long as nothing has been read."""
        return float(np.median([usual for usual, _ in self._rms])) if self._rms else math.nan

    @property
    def loud_rms_uv(self) -> float:
        """RMS of the loudest channel in most pieces; NaN as long as nothing has been read."""
        return float(np.quantile([loud for _, loud in self._rms], LOUD_SHARE)) if self._rms else math.nan

    def between(self, begin_s: float, end_s: float, columns: int) -> Outline:
        """Return no more than so many columns of a stretch; what has not been read is left out."""
        t_s = self._t_s[: self.filled]
        first, stop = max(0, np.searchsorted(t_s, begin_s, side="right") - 1), np.searchsorted(t_s, end_s)
        place = slice(int(first), int(stop))
        return fewer_columns(Outline(t_s[place], self._low[place], self._high[place]), columns)


def is_read_exactly(emg: EmgRows, begin_s: float, end_s: float) -> bool:
    """Whether a stretch is short enough to be read from the file, and so exact."""
    first, stop = _samples(emg, begin_s, end_s)
    return 0 < (stop - first) * emg.info.n_channels <= MAX_VALUES_READ


def stretch(emg: EmgRows, session: SessionOutline, begin_s: float, end_s: float, columns: int) -> Outline:
    """Return the outline of a stretch, exact where it is read from the file."""
    if not is_read_exactly(emg, begin_s, end_s):
        return session.between(begin_s, end_s, columns)
    first, stop = _samples(emg, begin_s, end_s)
    found: list[Outline] = []

    def take(_block: slice, outline: Outline, _rms_uv: Float32Array) -> bool:
        found.append(outline)
        return True

    read_outline(emg, first, stop, math.ceil((stop - first) / columns), take)
    return Outline(
        np.concatenate([one.t_s for one in found]),
        np.concatenate([one.low for one in found]),
        np.concatenate([one.high for one in found]),
    )


def _samples(emg: EmgRows, begin_s: float, end_s: float) -> tuple[int, int]:
    first, stop = np.searchsorted(emg.t_lsl_s, (emg.t_lsl_s[0] + begin_s, emg.t_lsl_s[0] + end_s))
    return int(first), int(stop)


def rms_before(emg: EmgRows, t_s: float) -> Float32Array:
    """Return each channel's RMS in the `RMS_S` before a time: shape (n_channels,), µV; zeros before any sample."""
    stop = int(np.searchsorted(emg.t_lsl_s, emg.t_lsl_s[0] + t_s, side="right"))
    emg_uv = emg.rows(max(0, stop - round(RMS_S * emg.info.fs_hz)), stop)
    if len(emg_uv) == 0:
        return np.zeros(emg.info.n_channels, dtype=np.float32)
    return np.asarray(
        np.sqrt(np.mean((emg_uv - emg_uv.mean(axis=0, dtype=np.float64)) ** 2, axis=0)), dtype=np.float32
    )
