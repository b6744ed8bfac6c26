"""What the ramp channel of an OT Bioelettronica amplifier says: samples lost, or bytes that are no samples."""

from dataclasses import dataclass

import numpy as np

from emg_acquisition.arrays import IntArray
from emg_acquisition.errors import StreamLostError

# Only the low 16 bits are used: they step alike whether a 24-bit device counts to 2^16 or to 2^24.
WRAP = 1 << 16
CONFIRMING_SAMPLES = 8
# How far the samples may run ahead of this computer's clock: the device's and the network's buffers.
AHEAD_S = 1.0
STEADY_S = 5.0
STEADY_TOLERANCE_S = 0.5


@dataclass(frozen=True)
class Stretch:
    """Samples ``start`` to ``stop`` (exclusive) follow each other; ``lost_before`` are missing before them.

    The first sample behind a loss counts as lost too: where bytes were lost in the middle of samples, its first
    channels are those of another sample, and its ramp, the last, does not show it.
    """

    start: int
    stop: int
    lost_before: int


def losses(ramps: IntArray, last: IntArray | None) -> IntArray:
    """Return how many samples are missing before each sample, modulo 65536.

    Where several ramps run side by side (probes at one station), a sample follows the one before as soon as
    one of them says so: the others lost data on their way to the station, not in the stream.

    Parameters
    ----------
    ramps : ndarray, shape (n_samples, n_ramps)
        Values of the ramp channels.
    last : ndarray of shape (n_ramps,) or None
        The sample before; None at the start, which has nothing missing before it.
    """
    before = ramps[:1] - 1 if last is None else last[np.newaxis]
    steps = np.diff(ramps, axis=0, prepend=before)
    missing: IntArray = ((steps - 1) % WRAP).min(axis=1)
    return missing


class RampClock:
    """Splits samples where the ramp jumps, and tells a loss from bytes that are not aligned to samples.

    A jump counts as a loss when the ramp then runs on for `CONFIRMING_SAMPLES` samples and the missing samples
    fit the time that has passed, which also says how often the ramp went round (where what came before the
    loss was read before it). Anything else means that what is read as the ramp is something else. A loss of
    exactly 65536 samples, or a multiple, cannot be seen.

    Parameters
    ----------
    fs_hz : float
        Nominal sampling rate.
    started_s : float
        When the device was told to start, on the monotonic clock.
    """

    def __init__(self, fs_hz: float, started_s: float) -> None:
        self._fs_hz = fs_hz
        self._last: IntArray | None = None
        # A moment, and how many samples the device has taken since: how far its count may run.
        self._anchor_s = started_s
        self._since_anchor = 0
        # The steady stretch under way.
        self._mark_s = started_s
        self._since_mark = 0

    def split(self, ramps: IntArray, t_mono_s: float) -> tuple[list[Stretch], int]:
        """Return the stretches among new samples, and how many samples those are.

        The rest, at the end, waits for more samples behind a jump: give them again together with what follows.

        Parameters
        ----------
        ramps : ndarray, shape (n_samples, n_ramps)
            Values of the ramp channels.
        t_mono_s : float
            When the newest of them arrived, on the monotonic clock.

        Raises
        ------
        StreamLostError
            If the ramp does not run as the ramp of this device does.
        """
        if len(ramps) == 0:
            return [], 0
        missing = losses(ramps, self._last)
        jumps = np.flatnonzero(missing)
        self._refuse_close_jumps(jumps)
        settled = len(ramps)
        if len(jumps) and jumps[-1] + CONFIRMING_SAMPLES >= len(ramps):
            settled = int(jumps[-1])
        stretches = []
        starts = [0, *(int(j) for j in jumps if 0 < j < settled)]
        for start, stop in zip(starts, [*starts[1:], settled], strict=True):
            if start < stop:
                lost = self._lost(int(missing[start]), len(ramps) - start, t_mono_s)
                self._advance(stop - start, lost, t_mono_s)
                spoilt = 1 if lost else 0
                stretches.append(Stretch(start + spoilt, stop, lost + spoilt))
        if settled:
            self._last = ramps[settled - 1]
        return stretches, settled

    def _refuse_close_jumps(self, jumps: IntArray) -> None:
        if (np.diff(jumps) <= CONFIRMING_SAMPLES).any():
            msg = (
                "the device's ramp channel jumps again within "
                f"{CONFIRMING_SAMPLES} samples: the samples are no longer aligned, connect again"
            )
            raise StreamLostError(msg)

    def _lost(self, missing: int, n_behind: int, t_mono_s: float) -> int:
        """Return the samples lost: ``missing`` and as many rounds of the ramp as fit the time."""
        if missing == 0:
            return 0
        room = (t_mono_s - self._anchor_s) * self._fs_hz - self._since_anchor - n_behind
        lost = missing + WRAP * max(0, round((room - missing) / WRAP))
        if lost > room + AHEAD_S * self._fs_hz:
            msg = (
                f"the device's ramp channel jumps by {lost} samples, for which no time has passed: "
                "the samples are no longer aligned, connect again"
            )
            raise StreamLostError(msg)
        return lost

    def _advance(self, n_samples: int, lost: int, t_mono_s: float) -> None:
        self._since_anchor += n_samples + lost
        self._since_mark = n_samples if lost else self._since_mark + n_samples
        if lost:
            self._mark_s = t_mono_s
        if self._since_mark < STEADY_S * self._fs_hz:
            return
        # The two clocks drift apart, and a device may have paused: begin again once they run alike for a while.
        passed = (t_mono_s - self._mark_s) * self._fs_hz
        if abs(passed - self._since_mark) < STEADY_TOLERANCE_S * self._fs_hz:
            self._anchor_s, self._since_anchor = t_mono_s, 0
        self._mark_s, self._since_mark = t_mono_s, 0
