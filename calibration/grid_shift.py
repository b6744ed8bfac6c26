"""Electrode shift: rotation and shift of the activity maps against those that a decoder was trained on.

A map is compared by its shape: logarithms of amplitude, less their mean over the electrodes (so that effort does not
count), by the cosine between now and then. A sleeve that is put on again lies rotated by any angle around the limb and
pushed along it by little; both are searched in whole electrodes, around the axis that wraps all the way, otherwise up
to `MAX_STEPS` either way.

Without labels, a map belongs to the gesture that it is most like. Whether that is reliable is checked on its
own evidence: enough activity, of two gestures at least (one map alone may be another's, turned); maps more alike
than the gestures of then are among themselves under any shift, which is what a wrong match reaches; and the same
rotation in nearly every resampling of the activity.

References
----------
Efron, Tibshirani, *An Introduction to the Bootstrap*, 1993, section 8.6: resampling of blocks, as neighbouring
windows are not independent.
Otsu, *A threshold selection method from gray-level histograms*, IEEE Trans. Syst. Man Cybern. 9(1), 1979.
"""

from dataclasses import dataclass

import numpy as np

from decoding.feature_chain import FeatureBlock
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.errors import InputError
from emg_acquisition.grid import ElectrodeGrid

MAX_STEPS = 2
MIN_RISE = 0.4  # in log units: activity half as strong again as rest
MIN_ACTIVE_S = 3.0
MIN_GESTURE_S = 1.0
MIN_GESTURES = 2
BLOCK_S = 1.0
RESAMPLINGS = 200
MIN_AGREEMENT = 0.95
_BINS = 64


class RecalibrationError(InputError):
    """A recalibration that the recorded evidence does not support; the message says what is missing."""


@dataclass(frozen=True)
class GridShift:
    """What lay at (row, column) lies at (row + rows, column + columns) now.

    Parameters
    ----------
    rows, columns : int
        In electrodes.
    similarity : float
        Mean cosine of the maps now and then, 1 at most.
    """

    rows: int
    columns: int
    similarity: float


def sources(grid: ElectrodeGrid, rows: int, columns: int) -> tuple[IntArray, IntArray]:
    """Which channel shows now what each channel showed then.

    Returns
    -------
    ndarray of int64, shape (n_channels,)
        The channel now; where the pattern has left the grid, the nearest on the way there, around the limb first.
    ndarray of int64
        The channels then whose pattern has not left it.
    """
    own = np.arange(grid.n_channels)
    found, inside = own, own
    for step in _way(rows, columns, columns_first=grid.wraps == "columns"):
        there = grid.shifted(*step)
        found = np.where(there != own, there, found)
        inside = own[there != own]
    return found.astype(np.int64), inside.astype(np.int64)


def _way(rows: int, columns: int, *, columns_first: bool) -> list[tuple[int, int]]:
    """Single electrodes from (0, 0), left out, to (rows, columns): along one axis, then along the other."""
    along_rows = [(int(np.sign(rows)) * k, 0) for k in range(1, abs(rows) + 1)]
    along_columns = [(0, int(np.sign(columns)) * k) for k in range(1, abs(columns) + 1)]
    if columns_first:
        return along_columns + [(row, columns) for row, _ in along_rows]
    return along_rows + [(rows, column) for _, column in along_columns]


def candidate_shifts(grid: ElectrodeGrid) -> list[tuple[int, int]]:
    """Rotations all the way around the axis that wraps; otherwise short ways either way."""
    steps = {}
    for axis, size in (("rows", grid.rows), ("columns", grid.columns)):
        most = min(MAX_STEPS, size // 2)
        around = range(-((size - 1) // 2), size // 2 + 1)
        steps[axis] = list(around) if grid.wraps == axis else list(range(-most, most + 1))
    return [(r, c) for r in steps["rows"] for c in steps["columns"]]


def amplitude_maps(features: Float32Array, names: tuple[str, ...]) -> Float64Array:
    """Mean over the logarithmic features: (..., n_channels, n_features) -> (..., n_channels).

    Raises
    ------
    RecalibrationError
        If no feature is logarithmic.
    """
    columns = [at for at, name in enumerate(names) if name.startswith("log_")]
    if not columns:
        msg = "the decoder has no logarithmic feature, and maps can only be compared by those; train a new decoder"
        raise RecalibrationError(msg)
    return np.asarray(features[..., columns].mean(axis=-1, dtype=np.float64))


def match_labelled(then: Float64Array, now: Float64Array, grid: ElectrodeGrid) -> GridShift:
    """Find the shift between mean maps of the same gestures, (n_gestures, n_channels) each, rest left out."""
    found = [
        GridShift(r, c, float(np.diagonal(_cosines(then, now, grid, (r, c))).mean()))
        for r, c in candidate_shifts(grid)
    ]
    return max(found, key=lambda shift: shift.similarity)


def match_unlabelled(
    then: Float64Array, now: FeatureBlock, names: tuple[str, ...], grid: ElectrodeGrid, hop_rate_hz: float
) -> GridShift:
    """Find the shift from activity without labels.

    Parameters
    ----------
    then : ndarray, shape (n_gestures, n_channels)
        Mean amplitude maps of the decoder's gestures, rest left out.
    now : FeatureBlock
        Windows of the new donning.
    names : tuple of str
        Their features.
    grid : ElectrodeGrid
        Of then and now.
    hop_rate_hz : float
        Windows a second.

    Raises
    ------
    RecalibrationError
        If the evidence is too thin: too little activity, a single gesture, maps too little alike, or a rotation
        that hangs on a few seconds.
    """
    maps = amplitude_maps(now.features, names)[_active(now, hop_rate_hz)]
    shifts = candidate_shifts(grid)
    alike = np.stack([_cosines(then, maps, grid, shift).T for shift in shifts])
    best = alike.max(axis=2)
    at = int(best.mean(axis=1).argmax())
    _check_gestures(alike[at].argmax(axis=1), hop_rate_hz)
    similarity = float(best[at].mean())
    _check_similarity(similarity, then, grid, shifts)
    _check_agreement(best, _distances(grid, shifts, at), max(1, round(BLOCK_S * hop_rate_hz)))
    return GridShift(*shifts[at], similarity)


def _cosines(
    then: Float64Array, now: Float64Array, grid: ElectrodeGrid, shift: tuple[int, int]
) -> Float64Array:
    """Cosines, (n_then, n_now), over the electrodes whose pattern has not left the grid."""
    to, inside = sources(grid, *shift)
    return np.asarray(_shapes(then[:, inside]) @ _shapes(now[:, to[inside]]).T)


def _shapes(maps: Float64Array) -> Float64Array:
    centred = maps - maps.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.asarray(np.divide(centred, length, out=np.zeros_like(centred), where=length > 0))


def _active(now: FeatureBlock, hop_rate_hz: float) -> IntArray:
    level = now.log_amplitude.astype(np.float64)
    active = level > _otsu(level) if len(level) else np.zeros(0, dtype=bool)
    rise = float(level[active].mean() - level[~active].mean()) if active.any() and not active.all() else 0.0
    seconds = np.count_nonzero(active) / hop_rate_hz
    if rise < MIN_RISE or seconds < MIN_ACTIVE_S:
        msg = (
            f"{seconds:.1f} s of activity stand out from rest by a factor of {np.exp(rise):.2f}; "
            f"{MIN_ACTIVE_S:g} s by {np.exp(MIN_RISE):.2f} are needed: record rest and the gestures once each"
        )
        raise RecalibrationError(msg)
    return np.flatnonzero(active)


def _otsu(level: Float64Array) -> float:
    """Threshold that parts values into two groups, each as alike as can be."""
    counts, edges = np.histogram(level, _BINS)
    centres = (edges[1:] + edges[:-1]) / 2
    below, moment = np.cumsum(counts), np.cumsum(counts * centres)
    product = below * (below[-1] - below)
    between = np.divide(
        (moment[-1] * below - moment * below[-1]) ** 2, product, out=np.zeros(_BINS), where=product > 0
    )
    return float(edges[1:][int(between.argmax())])


def _check_gestures(nearest: IntArray, hop_rate_hz: float) -> None:
    seconds = np.bincount(nearest) / hop_rate_hz
    if np.count_nonzero(seconds >= MIN_GESTURE_S) < MIN_GESTURES:
        msg = (
            f"the activity looks like {np.count_nonzero(seconds > 0)} gesture; {MIN_GESTURES} of "
            f"{MIN_GESTURE_S:g} s at least are needed, as one map may be another's, turned: record more gestures"
        )
        raise RecalibrationError(msg)


def _check_similarity(
    similarity: float, then: Float64Array, grid: ElectrodeGrid, shifts: list[tuple[int, int]]
) -> None:
    by_chance = np.stack([_cosines(then, then, grid, shift) for shift in shifts])
    by_chance[:, np.arange(len(then)), np.arange(len(then))] = -1.0
    needed = float(by_chance.max(axis=(0, 1)).mean()) if len(then) > 1 else 0.0
    if similarity < needed:
        msg = (
            f"the activity is like the decoder's gestures by {similarity:.3f} wherever the sleeve may lie; above "
            f"{needed:.3f} is needed, which is what a wrong match reaches: calibrate again"
        )
        raise RecalibrationError(msg)


def _distances(grid: ElectrodeGrid, shifts: list[tuple[int, int]], at: int) -> IntArray:
    """How many electrodes each shift is from the one chosen, along the axis where it is farther; across the seam."""
    apart = np.abs(np.array(shifts) - np.array(shifts[at]))
    if grid.wraps == "rows":
        apart[:, 0] = np.minimum(apart[:, 0], grid.rows - apart[:, 0])
    if grid.wraps == "columns":
        apart[:, 1] = np.minimum(apart[:, 1], grid.columns - apart[:, 1])
    return np.asarray(apart.max(axis=1), dtype=np.int64)


def _check_agreement(best: Float64Array, distances: IntArray, block: int) -> None:
    """Resample blocks of windows; the shift must be the same, give or take one electrode along either axis."""
    n_blocks = -(-best.shape[1] // block)
    sums = np.add.reduceat(best, np.arange(n_blocks) * block, axis=1)
    drawn = np.random.default_rng(0).integers(0, n_blocks, (RESAMPLINGS, n_blocks))
    chosen = sums[:, drawn].sum(axis=2).argmax(axis=0)
    near = float((distances[chosen] <= 1).mean())
    if near < MIN_AGREEMENT:
        msg = (
            f"parts of the activity disagree about how the sleeve lies: {near:.0%} of resamplings agree, "
            f"{MIN_AGREEMENT:.0%} are needed; record the gestures for longer"
        )
        raise RecalibrationError(msg)
