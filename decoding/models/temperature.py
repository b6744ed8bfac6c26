"""Temperature: softmax(logits / T) with T chosen on held-out windows.

References
----------
Guo, Pleiss, Sun, Weinberger, *On calibration of modern neural networks*, ICML 2017.
"""

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from emg_acquisition.arrays import Float64Array, IntArray

# Held-out windows come from steady contractions, which LDA tells apart all too easily: a temperature below 1
# would only sharpen the transitions that rejection has to catch.
MIN_TEMPERATURE = 1.0
MAX_TEMPERATURE = 50.0
MIN_GAIN_NATS = 1e-6


def negative_log_likelihood(logits: Float64Array, labels: IntArray, temperature: float) -> float:
    """Mean over windows of -log p(label): logits (n_windows, n_gestures), labels (n_windows,)."""
    scaled = logits / temperature
    chosen = scaled[np.arange(len(labels)), labels]
    return float((logsumexp(scaled, axis=1) - chosen).mean())


def fit_temperature(logits: Float64Array, labels: IntArray) -> float:
    """Temperature of the greatest likelihood on held-out windows, between 1 and 50."""
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits, labels, float(np.exp(log_t))),
        bounds=(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE)),
        method="bounded",
        options={"xatol": 1e-4},
    )
    # Windows told apart without doubt leave a plateau, on which the search ends anywhere.
    gain = negative_log_likelihood(logits, labels, MIN_TEMPERATURE) - float(found.fun)
    return float(np.exp(found.x)) if gain > MIN_GAIN_NATS else MIN_TEMPERATURE
