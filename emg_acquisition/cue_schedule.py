"""A schedule of cues: what a wearer is asked to do, one gesture after the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emg_acquisition.errors import InputError
from emg_acquisition.events import REST


@dataclass(frozen=True)
class ScheduledCue:
    """One gesture, asked for during some seconds; repetitions count from 1."""

    gesture: str
    seconds: float
    repetition: int

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            msg = f"cue {self.gesture!r}: it must last longer than zero seconds, got {self.seconds}"
            raise InputError(msg)


def calibration_schedule(
    gestures: Sequence[str], repetitions: int, gesture_s: float, rest_s: float, seed: int = 0
) -> tuple[ScheduledCue, ...]:
    """Return every gesture once a repetition, in a new random order, with rest before each and at the end.

    Parameters
    ----------
    gestures : sequence of str
        ``rest`` among them is left out: it stands between the others anyway.
    repetitions : int
        At least one.
    gesture_s, rest_s : float
        How long each gesture and each rest lasts.
    seed : int
        Seed of the order.

    Raises
    ------
    InputError
        If there is no gesture or no repetition.
    """
    active = [gesture for gesture in gestures if gesture != REST]
    if not active or repetitions < 1:
        msg = f"a schedule needs gestures and repetitions, got {len(active)} and {repetitions}"
        raise InputError(msg)
    rng = np.random.default_rng(seed)
    cues: list[ScheduledCue] = []
    for repetition in range(1, repetitions + 1):
        for index in rng.permutation(len(active)):
            cues += [
                ScheduledCue(REST, rest_s, repetition),
                ScheduledCue(active[index], gesture_s, repetition),
            ]
    return (*cues, ScheduledCue(REST, rest_s, repetitions))
