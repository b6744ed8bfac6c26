"""Rejection of what is none of the gestures: the distance, and how far a known gesture may lie.

Measured on flexemg with one gesture left out of training: at the 99th percentile of held-out repetitions, in recordings
of the same day 0.1 to 1.2 % of the known windows were rejected and 56 to 100 % of the unknown; but where the muscles
or the skin had changed since training, up to 95 % of the known, although they were still classified right. So it is
offered and not the default: what it cannot tell apart is a new gesture and a new day.
"""

from collections.abc import Sequence

import numpy as np

from calibration.held_out import folds_by_repetition
from calibration.training_set import LabelledWindows, TrialWindows, stack_steady
from decoding.models.distance import GestureDistance, fit_distance
from emg_acquisition.errors import InputError

KNOWN_PERCENTILE = 99.0


def fit_rejection(windows: Sequence[TrialWindows], gestures: Sequence[str]) -> tuple[GestureDistance, float]:
    """Fit the distance on every trial, and its limit on repetitions that it has not seen.

    Parameters
    ----------
    windows : sequence of TrialWindows
        With steady windows of every gesture.
    gestures : sequence of str
        Names by label.

    Returns
    -------
    GestureDistance
        For the decoder's graph.
    float
        For ``DecisionSettings.max_distance``.

    Raises
    ------
    InputError
        If there is a single repetition.
    """
    folds = folds_by_repetition(windows)
    if len(folds) == 1:
        msg = (
            "rejecting unknown patterns needs two repetitions of each gesture to find its limit; record more"
        )
        raise InputError(msg)
    distances = []
    for fold in folds:
        others = stack_steady([one for k, one in enumerate(windows) if k not in set(fold)], gestures)
        own = stack_steady([windows[k] for k in fold], gestures)
        distances.append(_fit(others, gestures).of(own.features))
    limit = float(np.percentile(np.concatenate(distances), KNOWN_PERCENTILE))
    return _fit(stack_steady(windows, gestures), gestures), limit


def _fit(known: LabelledWindows, gestures: Sequence[str]) -> GestureDistance:
    return fit_distance(known.features, known.labels, len(gestures), known.trials)
