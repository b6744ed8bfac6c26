"""Everyday tasks after the reference study: a cup to the mouth, a bottle, a door, a switch, a shelf, a table to wipe.

Each is a scene in front of the robot's arm and the steps that a person would take, every one with the positions to go
to and a sign by which it is seen to be done. Heights and sizes are those of usual furniture and tableware.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from simulation.closed_loop.goal import Aim
from simulation.closed_loop.hand import Hand, bring_to, finger_rad
from simulation.closed_loop.household_world import Grip, Surface, Thing

BasePose = tuple[float, float, float]
Aims = Callable[[tuple[float, ...], BasePose], Mapping[str, Aim]]
# How straight hand and robot have to be, and how near a place the fingers must come, rad and m.
STRAIGHT_RAD = 0.08
NEAR_M = 0.012
# Somewhat more may be off while reaching than when the fingers are brought before a thing.
BEFORE = {"lift": 0.025, "base_translate": 0.018}
OPEN_MORE_M = 0.06
GRIP_M = 0.012
UP_M = 0.12
TABLE_M = 0.72
AT_MOUTH_M = 0.05


@dataclass(frozen=True)
class Step:
    """A part of a task: what it is called, where to go, and whether it is done (None: when it is there)."""

    name: str
    aims: Aims
    done: Callable[[], bool] | None = None


class Task(Protocol):
    """A task with its scene."""

    name: str

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is to be done, in order."""
        ...

    @property
    def failure(self) -> str:
        """What has gone wrong; empty for nothing."""
        ...

    def update(self, hand: Hand) -> None:
        """Take where the hand is now."""
        ...


# What a mistake has moved in the middle of a task is put right before the task goes on.
POSTURE = {
    "wrist_roll": Aim(0.0, 0.2),
    "wrist_pitch": Aim(0.0, 0.12),
    "wrist_yaw": Aim(0.0, 0.12),
    "base_rotate": Aim(0.0, 0.12),
}


def straighten() -> Step:
    """Return the step that every task begins with: robot and wrist straight, the arm drawn in."""
    aims = {
        "arm": Aim(0.05, 0.03),
        "base_rotate": Aim(0.0, STRAIGHT_RAD),
        "wrist_yaw": Aim(0.0, STRAIGHT_RAD),
        "wrist_pitch": Aim(0.0, STRAIGHT_RAD),
        "wrist_roll": Aim(0.0, 0.15),
    }
    return Step("straighten the hand", lambda _positions, _base: aims)


def draw_in(tolerance_m: float = 0.03) -> Step:
    """Return the step that draws the arm in."""
    return Step("draw the arm in", lambda _positions, _base: {**POSTURE, "arm": Aim(0.08, tolerance_m)})


def gripper(name: str, aperture_m: float, done: Callable[[], bool] | None = None) -> Step:
    """Return a step that opens or closes the hand to a free width."""
    aims = {**POSTURE, "gripper": Aim(finger_rad(aperture_m), 0.03)}
    return Step(name, lambda _positions, _base: aims, done)


def fingers_to(
    name: str,
    place: Callable[[], tuple[float, float, float]],
    near_m: Mapping[str, float],
    done: Callable[[], bool] | None = None,
) -> Step:
    """Return a step that moves the DoF of `near_m` (each with its tolerance) to bring the fingertips to a place."""

    def aims(positions: tuple[float, ...], base: BasePose) -> Mapping[str, Aim]:
        wanted = bring_to(positions, base, place())
        return {**POSTURE, **{dof: Aim(wanted[dof], tolerance) for dof, tolerance in near_m.items()}}

    return Step(name, aims, done)


class Gripping(Protocol):
    """A thing and a hand, by rules or by physics."""

    thing: Thing
    held: bool
    placed: bool
    failure: str

    def update(self, hand: Hand) -> None:
        """Take where the hand is now."""
        ...


def grasp_steps(grip: Gripping, closer_m: float = GRIP_M, at_m: float = 0.0) -> tuple[Step, ...]:
    """Return the steps to grasp a thing: open, go before it, reach, close, lift.

    Parameters
    ----------
    grip : Gripping
        The thing.
    closer_m : float
        How much closer than its width the fingers are brought.
    at_m : float
        How far above its middle it is taken.
    """
    thing = grip.thing

    def middle() -> tuple[float, float, float]:
        return thing.x_m, thing.y_m, thing.z_m + at_m

    bottom_m = thing.bottom_m

    def lifted() -> bool:
        return grip.held and thing.bottom_m > bottom_m + 0.8 * UP_M

    return (
        gripper("open the hand", thing.width_m + OPEN_MORE_M),
        fingers_to("go before it", middle, {"lift": 0.02, "base_translate": NEAR_M}),
        fingers_to("reach", middle, BEFORE | {"arm": NEAR_M}),
        gripper("close the hand", thing.width_m - closer_m, lambda: grip.held),
        fingers_to(
            "lift it",
            lambda: (thing.x_m, thing.y_m, bottom_m + thing.height_m / 2 + at_m + UP_M),
            {"lift": 0.02},
            lifted,
        ),
    )


@dataclass
class CupToMouth:
    """Bring a full cup from a table, lift it and hold it at the mouth."""

    grip: Gripping
    mouth: tuple[float, float, float]
    name: str = "cup"
    at_mouth: bool = False
    squeeze_m: float = GRIP_M
    at_m: float = 0.0

    @property
    def steps(self) -> tuple[Step, ...]:
        """Grasp it, draw it in, go before the mouth, reach."""
        return (
            straighten(),
            *grasp_steps(self.grip, self.squeeze_m, self.at_m),
            draw_in(),
            fingers_to("go before the mouth", lambda: self.mouth, {"lift": 0.02, "base_translate": 0.02}),
            fingers_to("reach the mouth", lambda: self.mouth, BEFORE | {"arm": 0.02}, lambda: self.at_mouth),
        )

    @property
    def failure(self) -> str:
        """What went wrong with the cup."""
        return self.grip.failure

    def update(self, hand: Hand) -> None:
        """Take where the hand is now."""
        self.grip.update(hand)
        away = math.dist((hand.x_m, hand.y_m, hand.z_m), self.mouth)
        self.at_mouth = self.grip.held and away < AT_MOUTH_M


@dataclass
class PickUpBottle:
    """Pick up a bottle from a table."""

    grip: Gripping
    name: str = "bottle"
    squeeze_m: float = GRIP_M
    at_m: float = 0.0

    @property
    def steps(self) -> tuple[Step, ...]:
        """Straighten and grasp it."""
        return (straighten(), *grasp_steps(self.grip, self.squeeze_m, self.at_m))

    @property
    def failure(self) -> str:
        """What went wrong with the bottle."""
        return self.grip.failure

    def update(self, hand: Hand) -> None:
        """Take where the hand is now."""
        self.grip.update(hand)


@dataclass
class ThingOnShelf:
    """Put a thing that is in the hand on a shelf."""

    grip: Grip
    shelf: Surface
    place: tuple[float, float]
    name: str = "shelf"
    _taken: bool = False

    @property
    def steps(self) -> tuple[Step, ...]:
        """Go before the shelf, reach over it, lower it, let go, draw back."""
        stands = self.shelf.z_m + self.grip.thing.height_m / 2

        def above(up_m: float) -> Callable[[], tuple[float, float, float]]:
            return lambda: (*self.place, stands + up_m)

        return (
            straighten(),
            fingers_to("go before the shelf", above(0.06), {"lift": 0.02, "base_translate": 0.03}),
            fingers_to("reach over it", above(0.06), {"lift": 0.025, "base_translate": 0.035, "arm": 0.03}),
            fingers_to("lower it", above(0.012), {"lift": 0.012}),
            gripper("let go", self.grip.thing.width_m + 0.04, lambda: self.grip.placed),
            draw_in(0.05),
        )

    @property
    def failure(self) -> str:
        """What went wrong with the thing."""
        return self.grip.failure

    def update(self, hand: Hand) -> None:
        """Take where the hand is now; at first the thing is put into it."""
        if not self._taken:
            self._taken = True
            self.grip.thing.x_m, self.grip.thing.y_m, self.grip.thing.z_m = hand.x_m, hand.y_m, hand.z_m
            self.grip.take(hand)
        self.grip.update(hand)


@dataclass
class OpenDoor:
    """Open a cupboard's door by its handle: pull it along the arc of its hinge."""

    handle: Thing
    radius_m: float = 0.35
    name: str = "door"
    opened_rad: float = 0.0
    failure: str = ""
    WANTED_RAD = 0.55
    SLIPS_M = 0.05

    def __post_init__(self) -> None:
        self._grip = Grip(self.handle, ())
        self._hinge = (self.handle.x_m - self.radius_m, self.handle.y_m)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Grasp the handle, pull it from place to place along its arc."""
        handle = self.handle
        x, y, z = handle.x_m, handle.y_m, handle.z_m
        pulls = np.linspace(self.WANTED_RAD / 5, self.WANTED_RAD + 0.10, 5)
        return (
            straighten(),
            gripper("open the hand", handle.width_m + OPEN_MORE_M),
            fingers_to("go before the handle", lambda: (x, y, z), {"lift": 0.03, "base_translate": NEAR_M}),
            fingers_to("reach", lambda: (x, y, z), BEFORE | {"arm": NEAR_M}),
            gripper("close the hand", max(0.0, handle.width_m - GRIP_M), lambda: self._grip.held),
            *(self._pull(float(angle)) for angle in pulls),
            Step(
                "see that it is open",
                lambda _positions, _base: {},
                lambda: self.opened_rad >= self.WANTED_RAD,
            ),
        )

    def _pull(self, angle: float) -> Step:
        x = self._hinge[0] + self.radius_m * math.cos(angle)
        y = self._hinge[1] + self.radius_m * math.sin(angle)
        place = (x, y, self.handle.z_m)
        return fingers_to(f"pull to {angle:.2f} rad", lambda: place, {"arm": 0.015, "base_translate": 0.015})

    def update(self, hand: Hand) -> None:
        """Take where the hand is now; a held handle follows it as far as its hinge lets it."""
        if self.failure:
            return
        if not self._grip.held:
            self._grip.update(hand)
            self.failure = self._grip.failure.replace("knocked over", "hit")
            return
        dx, dy = hand.x_m - self._hinge[0], hand.y_m - self._hinge[1]
        off_m = abs(math.hypot(dx, dy) - self.radius_m)
        if off_m > self.SLIPS_M or hand.aperture_m > self.handle.width_m + 0.01:
            self.failure = f"the hand slipped off the handle, {off_m:.3f} m beside its arc"
        self.opened_rad = max(0.0, math.atan2(dy, dx))


@dataclass
class PressSwitch:
    """Press a switch on a wall with closed fingers."""

    place: tuple[float, float, float]
    name: str = "switch"
    pressed: bool = False
    failure: str = ""
    PLATE_M = 0.02
    PRESSES_M = 0.004
    TOO_FAR_M = 0.05

    @property
    def steps(self) -> tuple[Step, ...]:
        """Close the hand, go before it, push."""
        x, y, z = self.place
        pushed = (x, y - 0.012, z)
        return (
            straighten(),
            gripper("close the hand", 0.0),
            fingers_to("go before it", lambda: pushed, {"lift": 0.012, "base_translate": NEAR_M}),
            fingers_to(
                "push",
                lambda: pushed,
                {"lift": 0.016, "base_translate": 0.016, "arm": 0.007},
                lambda: self.pressed,
            ),
        )

    def update(self, hand: Hand) -> None:
        """Take where the hand is now; the wall is where the switch is."""
        behind_m = self.place[1] - hand.y_m
        on_plate = (
            abs(hand.x_m - self.place[0]) <= self.PLATE_M and abs(hand.z_m - self.place[2]) <= self.PLATE_M
        )
        self.pressed |= on_plate and behind_m >= self.PRESSES_M
        if behind_m > self.TOO_FAR_M and not self.failure:
            self.failure = f"the hand was pushed {behind_m:.3f} m into the wall"


@dataclass
class WipeTable:
    """Wipe a part of a table with a cloth in the hand: every cell of it touched at the right height."""

    corner: tuple[float, float]
    name: str = "wipe"
    failure: str = ""
    table_m: float = TABLE_M
    ROWS, COLUMNS, CELL_M = 2, 4, 0.06
    TOUCHES_M = (-0.02, 0.015)
    TOO_LOW_M = -0.04
    ENOUGH = 0.9
    AGAIN: ClassVar = {"base_translate": 0.015, "arm": 0.015, "lift": 0.012}

    def __post_init__(self) -> None:
        self._wiped = np.zeros((self.ROWS, self.COLUMNS), dtype=bool)

    @property
    def steps(self) -> tuple[Step, ...]:
        """Go above the first cell, lower the hand, draw it along each row."""
        near, far = self._cell(0, 0), self._cell(0, self.COLUMNS - 1)
        rows: list[Step] = []
        for row in range(self.ROWS):
            ends = (near, far) if row % 2 == 0 else (far, near)
            x = self._cell(row, 0)[0]
            rows.append(self._to(f"to row {row + 1}", (x, ends[0][1]), {"base_translate": 0.015}))
            rows.append(self._to(f"wipe row {row + 1}", (x, ends[1][1]), {"arm": 0.02}))
        above = (near[0], near[1], self.table_m + 0.10)
        return (
            straighten(),
            fingers_to("go above the table", lambda: above, {"lift": 0.03, "base_translate": 0.015}),
            fingers_to("reach over it", lambda: above, {"arm": 0.02}),
            self._to("lower the cloth", (near[0], near[1]), {"lift": 0.012}),
            *rows,
            fingers_to("wipe what was left out", self._left_out, self.AGAIN, self._all_wiped),
        )

    def update(self, hand: Hand) -> None:
        """Take where the hand is now."""
        height_m = hand.z_m - self.table_m
        over = (
            abs(hand.x_m - self.corner[0]) < self.ROWS * self.CELL_M + 0.1
            and self.corner[1] - self.COLUMNS * self.CELL_M - 0.1 < hand.y_m < self.corner[1] + 0.05
        )
        if over and height_m < self.TOO_LOW_M and not self.failure:
            self.failure = f"the hand was pressed {-height_m:.3f} m into the table"
        if not self.TOUCHES_M[0] <= height_m <= self.TOUCHES_M[1]:
            return
        for row, column in np.ndindex(self._wiped.shape):
            x, y = self._cell(row, column)
            self._wiped[row, column] |= max(abs(hand.x_m - x), abs(hand.y_m - y)) <= 0.7 * self.CELL_M

    def _left_out(self) -> tuple[float, float, float]:
        row, column = np.argwhere(~self._wiped)[0] if not self._wiped.all() else (0, 0)
        return (*self._cell(int(row), int(column)), self.table_m)

    def _all_wiped(self) -> bool:
        return bool(self._wiped.mean() >= self.ENOUGH)

    def _cell(self, row: int, column: int) -> tuple[float, float]:
        return self.corner[0] + row * self.CELL_M, self.corner[1] - column * self.CELL_M

    def _to(self, name: str, place: tuple[float, float], near_m: Mapping[str, float]) -> Step:
        return fingers_to(name, lambda: (*place, self.table_m), near_m)


def draw_tasks(rng: np.random.Generator) -> list[Callable[[], Task]]:
    """Return a maker for each task, its scene placed anew by `rng`, in front of a robot that stands at 0, 0."""

    def place(z_m: float) -> tuple[float, float, float]:
        return float(rng.uniform(0.1, 0.35)), float(rng.uniform(-0.78, -0.68)), z_m

    table = Surface("table", TABLE_M, (-1.0, 1.0), (-1.5, -0.6))
    shelf = Surface("shelf", 0.95, (-1.0, 1.0), (-1.0, -0.62))
    cup, bottle, switch, shelf_place = (place(TABLE_M + 0.05), place(TABLE_M + 0.11), place(1.0), place(0.95))
    mouth, handle, corner = (-0.3, -0.72, 1.08), place(0.75), place(TABLE_M)
    return [
        lambda: CupToMouth(Grip(Thing("cup", *cup, 0.075, 0.10), (table,), full=True), mouth),
        lambda: PickUpBottle(Grip(Thing("bottle", *bottle, 0.065, 0.22), (table,))),
        lambda: OpenDoor(Thing("handle", *handle, 0.025, 0.14)),
        lambda: PressSwitch(switch),
        lambda: ThingOnShelf(Grip(Thing("tin", 0.0, 0.0, 0.0, 0.07, 0.10), (shelf,)), shelf, shelf_place[:2]),
        lambda: WipeTable((corner[0], -0.62)),
    ]
