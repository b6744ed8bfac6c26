"""Gestures, never commands, that move every DoF of a map both ways, in coarse and in fine."""

from collections.abc import Callable, Iterator

from robot_bridge.gesture_map import GestureMap
from simulation.operator.gesture_operator import GestureOperator, Hold

# Long enough for a trial that is judged: the decoder's window and dwell come before its steady part.
HOLD_S = 1.0


def every_dof(
    gesture_map: GestureMap, operator: GestureOperator, tell: Callable[[Hold], None]
) -> Iterator[str]:
    """Yield the gestures, one every 20 ms, as `GestureOperator` does; `tell` gets each hold once it is over."""
    for fine in (False, True):
        for dof in gesture_map.covers:
            for direction in (1, -1):
                tell((yield from operator.hold(dof, direction, HOLD_S, fine=fine)))
