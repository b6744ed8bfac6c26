"""What an injury of the cervical cord leaves of each muscle.

A preset names the lowest segment that works normally (the motor level). Of the segment below it a part is left (the
zone of partial preservation), and of all further ones a trace: in most people with a clinically complete injury
some motor units below it can still be driven at will, too few to move a limb and enough to be recorded.

References
----------
International Standards for Neurological Classification of Spinal Cord Injury, 2019: motor levels, key muscles.
Ting et al., *Sensing and decoding the neural drive to paralyzed muscles during attempted movements of a person with
tetraplegia using a sleeve array*, J. Neurophysiol. 126, 2021: motor units of paralysed muscles follow attempts.
The shares for the zone and the trace are a choice that stands for a wide spread between people.
"""

from typing import Literal, get_args

import numpy as np

from emg_acquisition.arrays import Float64Array
from simulation.forearm.anatomy import MUSCLES

Impairment = Literal["none", "c5", "c6", "c7", "c8"]
IMPAIRMENTS: tuple[Impairment, ...] = get_args(Impairment)
MOTOR_LEVEL: dict[Impairment, int] = {"c5": 5, "c6": 6, "c7": 7, "c8": 8}
PARTIAL_SHARE = 0.35
TRACE_SHARE = 0.05


def muscle_strength(impairment: Impairment) -> Float64Array:
    """Return the share of each muscle's units that can be driven: ndarray, shape (n_muscles,), 0 to 1."""
    if impairment == "none":
        return np.ones(len(MUSCLES))
    level = MOTOR_LEVEL[impairment]
    return np.array([np.mean([_left(segment, level) for segment in m.segments]) for m in MUSCLES])


def _left(segment: int, level: int) -> float:
    if segment <= level:
        return 1.0
    return PARTIAL_SHARE if segment == level + 1 else TRACE_SHARE
