"""Autoregressive and cepstral coefficients from sums of products, all channels at once.

References
----------
Graupe, Cline, *Functional separation of EMG signals via ARMA identification methods for prosthesis control
purposes*, IEEE Trans. Syst. Man Cybern. 5(2), 1975: autoregression of EMG, order 4.
Makhoul, *Linear prediction: a tutorial review*, Proc. IEEE 63(4), 1975: the autocorrelation method and
Levinson's and Durbin's recursion (equations 38); the sign here is that of x[t] = sum of a_k x[t-k] + error.
Atal, *Effectiveness of linear prediction characteristics of the speech wave*, J. Acoust. Soc. Am. 55(6), 1974:
cepstral from autoregressive coefficients.
"""

import numpy as np

from emg_acquisition.arrays import Float64Array


def autoregression(products: Float64Array) -> Float64Array:
    """Solve the Yule-Walker equations of every channel by Levinson's and Durbin's recursion.

    Parameters
    ----------
    products : ndarray, shape (order + 1, n_channels)
        Sums of x[t] x[t-k] over a window for k = 0 to order (the biased autocorrelation but for a factor).

    Returns
    -------
    ndarray, shape (order, n_channels)
        a_1 to a_order; zeros for a channel that is zero throughout.
    """
    order = len(products) - 1
    found = np.zeros_like(products[1:])
    error = products[0].copy()
    for k in range(order):
        missing = products[k + 1] - (found[:k] * products[k:0:-1]).sum(axis=0)
        # Beyond 1 only by rounding, of a signal that the coefficients so far predict completely.
        reflection = np.clip(np.divide(missing, error, out=np.zeros_like(error), where=error > 0), -1.0, 1.0)
        found[:k] -= reflection * found[:k][::-1].copy()
        found[k] = reflection
        error *= 1.0 - reflection**2
    return found


def cepstrum(coefficients: Float64Array) -> Float64Array:
    """Cepstral coefficients c_1 to c_order of the model's spectrum: (order, n_channels) -> the same shape."""
    found = np.zeros_like(coefficients)
    for n in range(1, len(coefficients) + 1):
        found[n - 1] = coefficients[n - 1]
        for m in range(1, n):
            found[n - 1] += m / n * found[m - 1] * coefficients[n - m - 1]
    return found
