"""What a decoder keeps of the sessions that it was trained on: a mean map a gesture, and one covariance.

No sample and no window can be read back from it. Recalibration starts from it: without it a decoder can only be
trained again. It stands in the decoder file next to the metadata, as text.
"""

import base64
import json
from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import Float32Array, IntArray

STATISTICS_KEY = "hdemg_class_statistics"


@dataclass(frozen=True)
class ClassStatistics:
    """Moments of the features of each gesture.

    Parameters
    ----------
    means : ndarray, shape (n_gestures, n_channels, n_features)
        float32, in the order of the decoder's gestures.
    covariance : ndarray, shape (n_channels * n_features, n_channels * n_features)
        float32, within gestures, shrunk.
    n_trials : int
        How many trials they are from.
    """

    means: Float32Array
    covariance: Float32Array
    n_trials: int

    def seen_from(self, sources: IntArray) -> "ClassStatistics":
        """Return the statistics with channel ``sources[k]`` in the place of channel k."""
        n_features = self.means.shape[2]
        flat = (sources[:, np.newaxis] * n_features + np.arange(n_features)).ravel()
        return ClassStatistics(
            self.means[:, sources].copy(), self.covariance[np.ix_(flat, flat)].copy(), self.n_trials
        )

    def unsure_of(self, channels: IntArray) -> "ClassStatistics":
        """Return the statistics with channels that were never seen where they are now, only their neighbours.

        To the variance of each of their features comes that between gestures: what such an electrode shows may
        differ from what stands in for it by as much as gestures do, so it hardly counts. Without that, a copy of
        a neighbour would look like a perfect measurement of it.
        """
        n_features = self.means.shape[2]
        between = np.zeros(self.means.shape[1:], dtype=np.float32)
        between[channels] = self.means.var(axis=0)[channels]
        covariance = self.covariance + np.diag(between.reshape(self.means.shape[1] * n_features))
        return ClassStatistics(self.means, covariance, self.n_trials)

    def to_text(self) -> str:
        """Write as JSON, arrays in base64 of little-endian float32."""
        return json.dumps(
            {
                "shape": list(self.means.shape),
                "means": _text_of(self.means),
                "covariance": _text_of(self.covariance),
                "n_trials": self.n_trials,
            }
        )


def statistics_from_text(text: str) -> ClassStatistics:
    """Read what `ClassStatistics.to_text` wrote.

    Raises
    ------
    ValueError
        If it is not that.
    """
    try:
        fields = json.loads(text)
        shape = tuple(int(size) for size in fields["shape"])
        n_gestures, n_channels, n_features = shape
        means = _array_of(fields["means"]).reshape(n_gestures, n_channels, n_features)
        covariance = _array_of(fields["covariance"]).reshape(n_channels * n_features, n_channels * n_features)
        found = ClassStatistics(means, covariance, int(fields["n_trials"]))
    except (KeyError, TypeError, OverflowError, RecursionError) as error:
        msg = f"class statistics lack {error}"
        raise ValueError(msg) from error
    if found.n_trials < 1 or not (np.isfinite(means).all() and np.isfinite(covariance).all()):
        msg = "class statistics hold no trial, or a number that is not finite"
        raise ValueError(msg)
    return found


def _text_of(values: Float32Array) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")


def _array_of(text: str) -> Float32Array:
    return np.frombuffer(base64.b64decode(text, validate=True), dtype="<f4").astype(np.float32)
