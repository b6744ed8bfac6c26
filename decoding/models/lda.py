"""Linear discriminant analysis with a covariance shrunk towards a sphere.

References
----------
Friedman, *Regularized discriminant analysis*, J. Am. Stat. Assoc. 84(405), 1989: a shrunk pooled covariance.
Ledoit, Wolf, *A well-conditioned estimator for large-dimensional covariance matrices*, J. Multivariate
Analysis 88(2), 2004: how much to shrink, lemma 3.2 and section 3.3.
"""

from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from decoding.class_statistics import ClassStatistics
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.errors import InputError

# A feature that hardly varies (a channel always below the floor) must not be blown up to unit variance.
MIN_SCALE = 1e-3


def ledoit_wolf_shrinkage(
    centred: Float64Array, trials: IntArray | None = None
) -> tuple[Float64Array, float]:
    """Covariance shrunk towards its mean variance times identity.

    The estimator's error is that of a mean of independent samples. Windows of one trial are not independent
    (they overlap, and a contraction is held alike for seconds): counted one by one they make the covariance look
    certain, and the classifier trusts directions that the next repetition does not repeat. With `trials`, the
    sums over each trial are the independent samples.

    Parameters
    ----------
    centred : ndarray, shape (n_windows, n_dimensions)
        float64, mean removed.
    trials : ndarray of int64, shape (n_windows,), optional
        Which windows belong together; without it every window counts as independent, as in the paper.

    Returns
    -------
    ndarray, shape (n_dimensions, n_dimensions)
        (1 - s) S + s m I, with S the covariance (divided by n) and m its mean variance.
    float
        The shrinkage s, 0 to 1.
    """
    n, dimensions = centred.shape
    covariance = centred.T @ centred / n
    sphere = np.trace(covariance) / dimensions * np.eye(dimensions)
    dispersion = float(((covariance - sphere) ** 2).sum())
    if trials is None:
        # Mean squared distance of the single outer products from S, without forming n matrices.
        error = float(((centred**2).sum(axis=1) ** 2).mean() / n - (covariance**2).sum() / n)
    else:
        parts = [centred[trials == trial] for trial in np.unique(trials)]
        error = sum(float(((part.T @ part - len(part) * covariance) ** 2).sum()) for part in parts) / n**2
    shrinkage = min(1.0, max(0.0, error / dispersion)) if dispersion > 0 else 1.0
    return (1.0 - shrinkage) * covariance + shrinkage * sphere, shrinkage


@dataclass(frozen=True)
class LdaClassifier:
    """Shrinkage LDA with its normalisation inside; priors are equal, whatever the share of rest in training.

    Parameters
    ----------
    mean, scale : ndarray, shape (n_dimensions,)
        Normalisation of the flattened features, float64.
    weight : ndarray, shape (n_gestures, n_dimensions)
        Discriminants of the normalised features.
    bias : ndarray, shape (n_gestures,)
        Their offsets.
    shape : tuple of int
        (n_channels, n_features) of a window.
    temperature : float
        Divides the logits.
    """

    mean: Float64Array
    scale: Float64Array
    weight: Float64Array
    bias: Float64Array
    shape: tuple[int, int]
    temperature: float = 1.0

    @property
    def name(self) -> str:
        """What the model is called in a report."""
        return "lda"

    def logits(self, features: Float32Array) -> Float64Array:
        """Log-posteriors but for a constant, before temperature: ndarray, shape (n, n_gestures)."""
        flat = features.reshape(len(features), -1).astype(np.float64)
        return np.asarray((flat - self.mean) / self.scale @ self.weight.T + self.bias)

    def with_temperature(self, temperature: float) -> "LdaClassifier":
        """Return the same classifier with another temperature."""
        return replace(self, temperature=temperature)

    def to_graph(self) -> onnx.GraphProto:
        """Return the ONNX graph of softmax(logits / temperature) in float32."""
        constants = {
            "mean": self.mean.reshape(1, -1),
            "weight": self.weight / (self.scale * self.temperature),
            "bias": self.bias / self.temperature,
        }
        initializers = [
            numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()
        ]
        nodes = [
            helper.make_node("Flatten", ["features"], ["flat"], axis=1),
            helper.make_node("Sub", ["flat", "mean"], ["centred"]),
            helper.make_node("Gemm", ["centred", "weight", "bias"], ["logits"], transB=1),
            helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        ]
        taken = helper.make_tensor_value_info("features", TensorProto.FLOAT, [1, *self.shape])
        given = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [1, len(self.bias)])
        return helper.make_graph(nodes, self.name, [taken], [given], initializers)


def check_windows(features: Float32Array, labels: IntArray, n_gestures: int) -> None:
    """Refuse windows that no classifier can be fitted on.

    Raises
    ------
    InputError
        If a gesture has no window or a feature is not finite.
    """
    counts = np.bincount(labels, minlength=n_gestures)
    if len(labels) == 0 or counts.min() == 0:
        msg = f"gesture number {int(counts.argmin())} of {n_gestures} has no window to train on"
        raise InputError(msg)
    if not np.isfinite(features).all():
        msg = "features hold a non-finite value; training needs repaired ones (decoding.feature_chain)"
        raise InputError(msg)


def fit_lda(
    features: Float32Array, labels: IntArray, n_gestures: int, trials: IntArray | None = None
) -> LdaClassifier:
    """Fit on windows; deterministic.

    Parameters
    ----------
    features : ndarray, shape (n_windows, n_channels, n_features)
        Finite.
    labels : ndarray of int64, shape (n_windows,)
        Gesture of each window, 0 to n_gestures - 1.
    n_gestures : int
        Number of gestures.
    trials : ndarray of int64, shape (n_windows,), optional
        Trial of each window, for `ledoit_wolf_shrinkage`.

    Raises
    ------
    InputError
        If a gesture has no window or a feature is not finite.
    """
    return _lda_of(lda_moments(features, labels, n_gestures, trials))


@dataclass(frozen=True)
class LdaMoments:
    """What LDA is made of.

    Parameters
    ----------
    mean, scale : ndarray, shape (n_dimensions,)
        Of the flattened features, float64.
    centres : ndarray, shape (n_gestures, n_dimensions)
        Means of the normalised features.
    covariance : ndarray, shape (n_dimensions, n_dimensions)
        Within gestures, of the normalised features, shrunk.
    shape : tuple of int
        (n_channels, n_features) of a window.
    """

    mean: Float64Array
    scale: Float64Array
    centres: Float64Array
    covariance: Float64Array
    shape: tuple[int, int]

    @property
    def solvable_covariance(self) -> Float64Array:
        """The covariance with a tiny ridge: features that never vary at all leave a zero matrix."""
        return self.covariance + 1e-9 * np.eye(len(self.covariance))


def lda_moments(
    features: Float32Array, labels: IntArray, n_gestures: int, trials: IntArray | None = None
) -> LdaMoments:
    """Moments of labelled windows; parameters and errors as in `fit_lda`."""
    check_windows(features, labels, n_gestures)
    flat = features.reshape(len(features), -1).astype(np.float64)
    mean = flat.mean(axis=0)
    scale = np.maximum(flat.std(axis=0), MIN_SCALE)
    normal = (flat - mean) / scale
    centres = np.stack([normal[labels == k].mean(axis=0) for k in range(n_gestures)])
    covariance, _ = ledoit_wolf_shrinkage(normal - centres[labels], trials)
    return LdaMoments(mean, scale, centres, covariance, (features.shape[1], features.shape[2]))


def _lda_of(moments: LdaMoments) -> LdaClassifier:
    weight = np.linalg.solve(moments.solvable_covariance, moments.centres.T).T
    bias = -0.5 * (weight * moments.centres).sum(axis=1)
    return LdaClassifier(moments.mean, moments.scale, weight, bias, moments.shape)


def lda_of_statistics(statistics: ClassStatistics) -> LdaClassifier:
    """LDA of class statistics that a decoder file carries, normalised by the spread within and between gestures."""
    n_gestures, n_channels, n_features = statistics.means.shape
    means = statistics.means.reshape(n_gestures, -1).astype(np.float64)
    covariance = statistics.covariance.astype(np.float64)
    mean = means.mean(axis=0)
    scale = np.maximum(np.sqrt(covariance.diagonal() + means.var(axis=0)), MIN_SCALE)
    return _lda_of(
        LdaMoments(
            mean,
            scale,
            (means - mean) / scale,
            covariance / np.outer(scale, scale),
            (n_channels, n_features),
        )
    )


def class_statistics(
    features: Float32Array,
    labels: IntArray,
    n_gestures: int,
    trials: IntArray,
    *,
    shrink_by_trials: bool = True,
) -> ClassStatistics:
    """Class statistics of labelled windows, for a decoder file."""
    moments = lda_moments(features, labels, n_gestures, trials if shrink_by_trials else None)
    centres = moments.mean + moments.scale * moments.centres
    covariance = moments.covariance * np.outer(moments.scale, moments.scale)
    return ClassStatistics(
        centres.reshape(n_gestures, *moments.shape).astype(np.float32),
        covariance.astype(np.float32),
        len(np.unique(trials)),
    )
