"""What a hand does to things, by rules of geometry: grasping, carrying, placing, dropping, knocking over.

There is NO physics of contact here: a thing between the fingers is grasped once they are as close as it is wide, and
follows the hand; one that a finger runs into is knocked over. The rules are meant to be stricter than a real gripper.
"""

from dataclasses import dataclass

from simulation.closed_loop.hand import Hand

# How near its middle a thing must be to the fingertips, beyond its own half width.
FINGER_PAD_M = 0.02
# How exactly the fingers must clear a thing that they come to enclose.
CLEARANCE_M = 0.002
# From how high a thing may be let go, and how far it may be pressed into what it stands on.
LET_GO_M = 0.04
PRESSED_M = 0.02
SPILL_RAD = 0.5


@dataclass(frozen=True)
class Surface:
    """A table or a shelf: its height and the rectangle that it covers, m."""

    name: str
    z_m: float
    x_m: tuple[float, float]
    y_m: tuple[float, float]

    def lies_below(self, x_m: float, y_m: float) -> bool:
        """Whether a place on the floor plan is above it."""
        return self.x_m[0] <= x_m <= self.x_m[1] and self.y_m[0] <= y_m <= self.y_m[1]


@dataclass
class Thing:
    """Something to grasp: its middle, its width between the fingers and its height, m."""

    name: str
    x_m: float
    y_m: float
    z_m: float
    width_m: float
    height_m: float

    @property
    def bottom_m(self) -> float:
        """Height of its lower side."""
        return self.z_m - self.height_m / 2


class Grip:
    """One thing and a hand.

    Parameters
    ----------
    thing : Thing
        It moves with the hand once it is held.
    surfaces : tuple of Surface
        Where it can stand.
    full : bool
        Whether it spills when it is tilted.

    Attributes
    ----------
    held : bool
        Whether the hand has it.
    failure : str
        What has gone wrong with it; empty for nothing.
    """

    def __init__(self, thing: Thing, surfaces: tuple[Surface, ...], *, full: bool = False) -> None:
        self.thing, self.held, self.failure, self.placed = thing, False, "", False
        self._surfaces, self._full = surfaces, full
        self._entered_aperture_m: float | None = None
        self._in_hand = (0.0, 0.0, 0.0)

    def update(self, hand: Hand) -> None:
        """Take where the hand is now."""
        if self.failure:
            return
        if self.held:
            self._carry(hand)
        else:
            self._enclose(hand)

    def take(self, hand: Hand) -> None:
        """Put the thing into the hand."""
        ahead, aside = hand.ahead_and_aside(self.thing.x_m, self.thing.y_m)
        self.held, self.placed = True, False
        self._in_hand = (ahead, aside, self.thing.z_m - hand.z_m)

    def _enclose(self, hand: Hand) -> None:
        thing = self.thing
        ahead, aside = hand.ahead_and_aside(thing.x_m, thing.y_m)
        half = thing.width_m / 2
        within = (
            -half - FINGER_PAD_M <= ahead <= half + FINGER_PAD_M
            and abs(hand.z_m - thing.z_m) <= thing.height_m / 2
            and abs(aside) <= half + FINGER_PAD_M + hand.aperture_m / 2
        )
        if not within:
            self._entered_aperture_m = None
            return
        if self._entered_aperture_m is None:
            self._entered_aperture_m = hand.aperture_m
        room = self._entered_aperture_m / 2 - half - CLEARANCE_M
        if abs(aside) > room:
            how = "closed fingers" if room < 0 else f"a finger, {abs(aside):.3f} m off its middle,"
            self.failure = f"{how} knocked over the {thing.name}"
        elif hand.aperture_m <= thing.width_m:
            self.take(hand)

    def _carry(self, hand: Hand) -> None:
        thing = self.thing
        ahead, aside, up = self._in_hand
        thing.x_m, thing.y_m = hand.place(ahead, aside)
        thing.z_m = hand.z_m + up
        below = [s for s in self._surfaces if s.lies_below(thing.x_m, thing.y_m)]
        heights = [thing.bottom_m - surface.z_m for surface in below]
        if self._full and max(abs(hand.roll_rad), abs(hand.pitch_rad)) > SPILL_RAD:
            self.failure = f"the {thing.name} was tilted and spilled"
        elif any(-thing.height_m < height < -PRESSED_M for height in heights):
            self.failure = f"the {thing.name} was pressed into the {below[0].name}"
        elif hand.aperture_m > thing.width_m + CLEARANCE_M:
            self._let_go(below)

    def _let_go(self, below: list[Surface]) -> None:
        thing = self.thing
        self.held, self._entered_aperture_m = False, 1.0
        stands = [s for s in below if -PRESSED_M <= thing.bottom_m - s.z_m <= LET_GO_M]
        if stands:
            self.placed, thing.z_m = True, stands[0].z_m + thing.height_m / 2
        else:
            self.failure = f"the {thing.name} was dropped"
