"""Linear discriminant analysis with a covariance shrunk towards a sphere.

References
----------
Friedman, *Regularized discriminant analysis*, J. Am. Stat. Assoc. 84(405), 1989: a shrunk pooled covariance.
Ledoit, Wolf, *A well-conditioned estimator for large-dimensional covariance matrices*, J. Multivariate
Analysis 88(2), 2004: how much to shrink, lemma 3.2 and section 3.3.
"""

from dataclasses import dataclass

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from decoding.class_statistics import ClassStatistics
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray
from emg_acquisition.errors import InputError

# A feature that hardly varies (a channel always below the floor) must not be blown up to unit variance.
LEAST_SCALE = 1e-3


def ledoit_wolf_shrinkage(
    centred: torch.Tensor, trials: torch.Tensor | None = None
) -> tuple[torch.Tensor, float]:
    """Covariance shrunk towards its mean variance times identity.

    The estimator's error is that of a mean of independent samples. Windows of one trial are not independent
    (they overlap, and a contraction is held alike for seconds): counted one by one they make the covariance look
    certain, and the classifier trusts directions that the next repetition does not repeat. With `trials`, the
    sums over each trial are the independent samples.

    Parameters
    ----------
    centred : torch.Tensor, shape (n_windows, n_dimensions)
        float64, mean removed.
    trials : torch.Tensor of int64, shape (n_windows,), optional
        Which windows belong together; without it every window counts as independent, as in the paper.

    Returns
    -------
    torch.Tensor, shape (n_dimensions, n_dimensions)
        (1 - s) S + s m I, with S the covariance (divided by n) and m its mean variance.
    float
        The shrinkage s, 0 to 1.
    """
    n, dimensions = centred.shape
    covariance = centred.T @ centred / n
    mean_variance = torch.trace(covariance) / dimensions
    sphere = mean_variance * torch.eye(dimensions, dtype=centred.dtype)
    dispersion = ((covariance - sphere) ** 2).sum()
    if trials is None:
        # Mean squared distance of the single outer products from S, without forming n matrices.
        error = ((centred**2).sum(dim=1) ** 2).mean() / n - (covariance**2).sum() / n
    else:
        parts = [centred[trials == trial] for trial in torch.unique(trials)]
        error = sum(((part.T @ part - len(part) * covariance) ** 2).sum() for part in parts) / n**2
    shrinkage = float(torch.clamp(error / dispersion, 0.0, 1.0)) if dispersion > 0 else 1.0
    return (1.0 - shrinkage) * covariance + shrinkage * sphere, shrinkage


class LdaClassifier(torch.nn.Module):
    """Shrinkage LDA with its normalisation inside; priors are equal, whatever the share of rest in training.

    Parameters
    ----------
    mean, scale : torch.Tensor, shape (n_dimensions,)
        Normalisation of the flattened features.
    weight : torch.Tensor, shape (n_gestures, n_dimensions)
        Discriminants of the normalised features.
    bias : torch.Tensor, shape (n_gestures,)
        Their offsets.
    shape : tuple of int
        (n_channels, n_features) of a window.
    temperature : float
        Divides the logits.
    """

    def __init__(
        self,
        mean: torch.Tensor,
        scale: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        *,
        shape: tuple[int, int],
        temperature: float = 1.0,
    ) -> None:
        super().__init__()
        for name, value in (("mean", mean), ("scale", scale), ("weight", weight), ("bias", bias)):
            self.register_buffer(name, value)
        self.shape = shape
        self.temperature = temperature

    @property
    def name(self) -> str:
        """What the model is called in a report."""
        return "lda"

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Probabilities: (n, n_channels, n_features) -> (n, n_gestures)."""
        return torch.softmax(self._scores(features) / self.temperature, dim=-1)

    def _scores(self, features: torch.Tensor) -> torch.Tensor:
        return (features.flatten(1) - self.mean) / self.scale @ self.weight.T + self.bias

    def logits(self, features: Float32Array) -> Float64Array:
        """Log-posteriors but for a constant, before temperature: ndarray, shape (n, n_gestures)."""
        with torch.no_grad():
            scores = self._scores(torch.from_numpy(features.astype(np.float64)))
        return np.asarray(scores.numpy(), dtype=np.float64)

    def with_temperature(self, temperature: float) -> "LdaClassifier":
        """Return the same classifier with another temperature."""
        return LdaClassifier(
            self.mean, self.scale, self.weight, self.bias, shape=self.shape, temperature=temperature
        )

    def to_graph(self) -> onnx.GraphProto:
        """Return the ONNX graph of `forward` in float32.

        Written node by node: torch's own exporter takes seconds and warns, for four nodes.
        """
        weight = self.weight / (self.scale * self.temperature)
        constants = {
            "mean": self.mean.reshape(1, -1),
            "weight": weight,
            "bias": self.bias / self.temperature,
        }
        initializers = [
            numpy_helper.from_array(value.numpy().astype(np.float32), name)
            for name, value in constants.items()
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
    check_windows(features, labels, n_gestures)
    return lda_of(lda_moments(features, labels, n_gestures, trials))


@dataclass(frozen=True)
class LdaMoments:
    """What LDA is made of.

    Parameters
    ----------
    mean, scale : torch.Tensor, shape (n_dimensions,)
        Of the flattened features.
    centres : torch.Tensor, shape (n_gestures, n_dimensions)
        Means of the normalised features.
    covariance : torch.Tensor, shape (n_dimensions, n_dimensions)
        Within gestures, of the normalised features, shrunk.
    shape : tuple of int
        (n_channels, n_features) of a window.
    """

    mean: torch.Tensor
    scale: torch.Tensor
    centres: torch.Tensor
    covariance: torch.Tensor
    shape: tuple[int, int]

    def raw(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Centres and covariance of the features as they come."""
        return self.mean + self.scale * self.centres, self.covariance * torch.outer(self.scale, self.scale)


def lda_moments(
    features: Float32Array, labels: IntArray, n_gestures: int, trials: IntArray | None = None
) -> LdaMoments:
    """Moments of labelled windows; parameters as in `fit_lda`."""
    check_windows(features, labels, n_gestures)
    flat = torch.from_numpy(features.reshape(len(features), -1).astype(np.float64))
    of_class = torch.from_numpy(labels.astype(np.int64))
    mean = flat.mean(dim=0)
    scale = torch.clamp(flat.std(dim=0, correction=0), min=LEAST_SCALE)
    normal = (flat - mean) / scale
    centres = torch.stack([normal[of_class == k].mean(dim=0) for k in range(n_gestures)])
    of_trial = None if trials is None else torch.from_numpy(trials.astype(np.int64))
    covariance, _ = ledoit_wolf_shrinkage(normal - centres[of_class], of_trial)
    return LdaMoments(mean, scale, centres, covariance, (features.shape[1], features.shape[2]))


def lda_of(moments: LdaMoments) -> LdaClassifier:
    """Discriminants of given moments."""
    # Features that never vary at all leave a zero matrix; a tiny ridge keeps it solvable.
    ridge = 1e-9 * torch.eye(moments.covariance.shape[0], dtype=torch.float64)
    weight = torch.linalg.solve(moments.covariance + ridge, moments.centres.T).T.contiguous()
    bias = -0.5 * (weight * moments.centres).sum(dim=1)
    return LdaClassifier(moments.mean, moments.scale, weight, bias, shape=moments.shape)


def lda_of_statistics(statistics: ClassStatistics) -> LdaClassifier:
    """LDA of class statistics that a decoder file carries."""
    return lda_of(moments_of(statistics))


def moments_of(statistics: ClassStatistics) -> LdaMoments:
    """Class statistics as moments, normalised by the spread within and between gestures."""
    n_gestures, n_channels, n_features = statistics.means.shape
    means = torch.from_numpy(statistics.means.reshape(n_gestures, -1).astype(np.float64))
    covariance = torch.from_numpy(statistics.covariance.astype(np.float64))
    mean = means.mean(dim=0)
    variance = covariance.diagonal() + means.var(dim=0, correction=0)
    scale = torch.clamp(variance.sqrt(), min=LEAST_SCALE)
    return LdaMoments(
        mean, scale, (means - mean) / scale, covariance / torch.outer(scale, scale), (n_channels, n_features)
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
    centres, covariance = moments.raw()
    return ClassStatistics(
        centres.reshape(n_gestures, *moments.shape).numpy().astype(np.float32),
        covariance.numpy().astype(np.float32),
        len(np.unique(trials)),
    )
