"""Channels that are louder than this person's muscles ever were: a wrong gain, or an electrode off the skin.

A classifier of amplitudes is sure of itself far outside of what it was trained on, so it must not be asked there. What
a channel showed in the loudest gesture of the training bounds what a muscle under it can do.
"""

from collections.abc import Sequence

import numpy as np

from decoding.class_statistics import ClassStatistics
from decoding.signal_settings import FeatureName
from emg_acquisition.arrays import Float32Array

# Trained on comfortable contractions; the hardest one is two or three times as loud. In the four training and test
# recordings of two wearers of flexemg, 19 minutes, six windows in all are louder than this in 30 % of the electrodes.
LOUDEST_FACTOR = 4.0
# A movement may jolt a few electrodes at a time: in 4 % of those windows it does.
MAX_LOUD_SHARE = 0.3


class LoudnessBound:
    """How many channels are louder than any gesture made them in training.

    Parameters
    ----------
    statistics : ClassStatistics or None
        Of the training; without them every level is plausible.
    names : sequence of str
        Features; the logarithmic ones measure the level.
    """

    def __init__(self, statistics: ClassStatistics | None, names: Sequence[FeatureName]) -> None:
        columns = [place for place, name in enumerate(names) if name.startswith("log_")]
        self._columns = columns if statistics is not None else []
        if statistics is not None and columns:
            # Of a power the logarithm is twice that of its amplitude.
            scale = np.array(
                [1.0 if names[place] == "log_rms" else 2.0 for place in columns], dtype=np.float32
            )
            margin = np.float32(np.log(LOUDEST_FACTOR)) * scale
            self._loudest_log = statistics.means[:, :, columns].max(axis=0) + margin

    def plausible_share(self, features: Float32Array) -> float:
        """Share of channels, 0 to 1, whose features, shape (n_channels, n_features), a muscle can have made.

        A few that are too loud are taken for a jolt, and all for plausible.
        """
        if not self._columns:
            return 1.0
        loud = (features[:, self._columns] > self._loudest_log).any(axis=1)
        share = float(np.count_nonzero(loud)) / len(loud)
        return 1.0 if share <= MAX_LOUD_SHARE else 1.0 - share
