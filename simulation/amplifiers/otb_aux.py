"""What emulated OT Bioelettronica amplifiers send beside their electrodes: ramps, inputs that move, a still hand."""

import numpy as np

from emg_acquisition.arrays import IntArray

# Counts of a quaternion of length one, the hand at rest: W, X, Y, Z.
STILL = (32767, 0, 0, 0)
FIRST_INPUT_PERIOD, SECOND_INPUT_PERIOD = 1000, 500


def ramp(first_sample: int, n_samples: int, bits: int) -> IntArray:
    """Return a sample counter as a converter of so many bits sends it: ndarray, shape (n_samples,)."""
    span = 1 << bits
    return (np.arange(first_sample, first_sample + n_samples, dtype=np.int64) + span // 2) % span - span // 2


def moving_inputs(first_sample: int, n_samples: int, n_inputs: int) -> IntArray:
    """Return counts of analogue inputs: the first rises, the second falls, the others are zero."""
    samples = np.arange(first_sample, first_sample + n_samples, dtype=np.int64)
    inputs = np.zeros((n_samples, n_inputs), dtype=np.int64)
    inputs[:, 0] = samples % FIRST_INPUT_PERIOD
    inputs[:, 1] = -(samples % SECOND_INPUT_PERIOD)
    return inputs


def still_hand(n_samples: int) -> IntArray:
    """Return a quaternion that does not move: ndarray, shape (n_samples, 4)."""
    return np.tile(np.array(STILL, dtype=np.int64), (n_samples, 1))


def all_ramps(first_sample: int, n_samples: int, n_channels: int, bits: int) -> IntArray:
    """Return the built-in test: the same ramp on every channel."""
    return np.tile(ramp(first_sample, n_samples, bits)[:, np.newaxis], (1, n_channels))
