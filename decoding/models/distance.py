"""How far a window lies from every gesture: what a classifier's probabilities cannot say.

A classifier divides the whole space between its gestures, so a pattern that is none of them is still given to one,
often with certainty. The Mahalanobis distance to the nearest gesture's mean tells it apart. It goes into the decoder's
graph as a second output, ``distance``; `DecisionSettings.max_distance` rejects by it.

References
----------
Lee, Lee, Lee, Shin, *A simple unified framework for detecting out-of-distribution samples and adversarial attacks*,
NeurIPS 2018: the distance to the nearest class mean under one covariance; shrunk here as in `decoding.models.lda`.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from scipy.linalg import solve_triangular

from decoding.models.lda import lda_moments
from decoding.onnx_classifier import DISTANCE
from emg_acquisition.arrays import Float32Array, Float64Array, IntArray


@dataclass(frozen=True)
class GestureDistance:
    """Squared Mahalanobis distance to the nearest gesture, divided by the number of dimensions.

    Parameters
    ----------
    mean : ndarray, shape (n_dimensions,)
        Taken away from the flattened features.
    whitening : ndarray, shape (n_dimensions, n_dimensions)
        Turns what is left into coordinates in which training's spread about the gestures' means is a unit sphere.
    centres : ndarray, shape (n_gestures, n_dimensions)
        The gestures' means in these coordinates.
    """

    mean: Float64Array
    whitening: Float64Array
    centres: Float64Array

    def of(self, features: Float32Array) -> Float64Array:
        """Distances of windows: (n, n_channels, n_features) -> (n,); about 1 for what training held."""
        white = (features.reshape(len(features), -1) - self.mean) @ self.whitening
        squares = ((white[:, np.newaxis] - self.centres) ** 2).mean(axis=2)
        return np.asarray(squares.min(axis=1))

    def add_to(self, graph: onnx.GraphProto) -> None:
        """Give a classifier's graph the output ``distance``, shape (1,)."""
        constants = {"mean": self.mean[np.newaxis], "whitening": self.whitening, "centres": self.centres}
        graph.initializer.extend(
            numpy_helper.from_array(value.astype(np.float32), f"distance_{name}")
            for name, value in constants.items()
        )
        axis = numpy_helper.from_array(np.array([1], dtype=np.int64), "distance_axis")
        graph.initializer.append(axis)
        graph.node.extend(
            [
                helper.make_node("Flatten", [graph.input[0].name], ["distance_flat"], axis=1),
                helper.make_node("Sub", ["distance_flat", "distance_mean"], ["distance_centred"]),
                helper.make_node("MatMul", ["distance_centred", "distance_whitening"], ["distance_white"]),
                helper.make_node("Sub", ["distance_white", "distance_centres"], ["distance_off"]),
                helper.make_node("Mul", ["distance_off", "distance_off"], ["distance_squares"]),
                helper.make_node("ReduceMean", ["distance_squares"], ["distance_each"], axes=[1], keepdims=0),
                helper.make_node("ReduceMin", ["distance_each"], [DISTANCE], axes=[0], keepdims=1),
            ]
        )
        graph.output.append(helper.make_tensor_value_info(DISTANCE, TensorProto.FLOAT, [1]))


def fit_distance(
    features: Float32Array, labels: IntArray, n_gestures: int, trials: IntArray | None = None
) -> GestureDistance:
    """Fit on windows; parameters and errors as of `decoding.models.lda.fit_lda`."""
    moments = lda_moments(features, labels, n_gestures, trials)
    # With covariance = C C^T, the rows of C^-1 whiten: |C^-1 x|^2 = x^T covariance^-1 x.
    factor = np.linalg.cholesky(moments.solvable_covariance)
    whitening = solve_triangular(factor, np.diag(1.0 / moments.scale), lower=True).T
    return GestureDistance(moments.mean, whitening, (moments.centres * moments.scale) @ whitening)
