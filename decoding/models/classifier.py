"""What training and export ask of a classifier."""

from typing import Protocol

import onnx

from emg_acquisition.arrays import Float32Array, Float64Array


class Classifier(Protocol):
    """A fitted classifier: windows of features to gestures."""

    @property
    def name(self) -> str:
        """What the model is called in a report."""
        ...

    def logits(self, features: Float32Array) -> Float64Array:
        """Log-probabilities but for a constant: (n, n_channels, n_features) -> (n, n_gestures)."""
        ...

    def with_temperature(self, temperature: float) -> "Classifier":
        """Return the same classifier, its probabilities softmax(logits / temperature)."""
        ...

    def to_graph(self) -> onnx.GraphProto:
        """ONNX graph: features (1, n_channels, n_features) float32 -> probabilities (1, n_gestures)."""
        ...
