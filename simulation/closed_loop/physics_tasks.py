"""The household tasks in MuJoCo's small home: the same steps, but contact decides what is grasped, tipped or opened.

What is the person's own, a mouth to drink at, is not in the scene: the cup is brought to where one would be. For the
shelf the cup is taken from the table first. Things lie a little elsewhere each time, and so does the robot.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from robot_bridge.robot_model import RobotModel
from simulation.closed_loop.hand import Hand
from simulation.closed_loop.household_tasks import (
    BEFORE,
    NEAR_M,
    OPEN_MORE_M,
    CupToMouth,
    PickUpBottle,
    Step,
    Task,
    WipeTable,
    draw_in,
    fingers_to,
    grasp_steps,
    gripper,
    straighten,
)
from simulation.closed_loop.household_world import SPILL_RAD, Thing
from simulation.stretch.mujoco_stretch import MujocoStretch

# How far the motor goes on closing beyond a thing's width: its squeeze.
SQUEEZE_M = 0.05
TIPPED_RAD = 0.7
FELL_M = 0.08
STANDS_M = 0.015
TABLE_TOP_M, SHELF_TOP_M = 0.70, 0.862
# From the place between the fingertips down to the hand's lower side, which is what touches a table.
HAND_BELOW_M = 0.052
# Above the furniture, hand level and closed.
START = {"lift": 0.75, "arm": 0.1, "wrist_yaw": 0.5, "wrist_pitch": -0.1, "wrist_roll": 0.0, "gripper": 0.1}
# MuJoCo's contacts are soft and creep; what a hand holds for a minute would turn in it. This many passes prevent it.
NO_SLIP_ITERATIONS = 3
DOOR_OPEN_RAD = 0.3
SWITCH_ON_RAD = 0.1
NEARBY_M = 0.08
# Where the base stands at first, m, so that what is wanted is within the arm's reach.
BASES = {
    "cup": (0.45, 0.0),
    "bottle": (0.85, -0.10),
    "door": (-1.40, 0.0),
    "switch": (-0.85, 0.0),
    "shelf": (0.45, 0.0),
    "wipe": (1.35, 0.0),
}
SIZES = {"cup": (0.072, 0.12), "bottle": (0.066, 0.22)}
# Things are taken above their centre of mass, so that they hang.
HOLD_AT_M = {"cup": 0.01, "bottle": -0.01}


class PhysicsGrip:
    """A loose thing of the scene and what the hand does to it.

    Parameters
    ----------
    robot : MujocoStretch
        The robot in its scene.
    name : str
        The thing.
    full : bool
        Whether it spills when it is tilted.
    """

    def __init__(self, robot: MujocoStretch, name: str, *, full: bool = False) -> None:
        self._robot, self._full = robot, full
        width, height = SIZES[name]
        x, y, z = robot.pose(name).position_m
        self.thing = Thing(name, float(x), float(y), float(z), width, height)
        self.held, self.failure, self.placed = False, "", False
        self._lowest_m = self.thing.bottom_m
        self._was_held = False

    def update(self, hand: Hand) -> None:
        """Look where the thing is now."""
        pose = self._robot.pose(self.thing.name)
        thing = self.thing
        thing.x_m, thing.y_m, thing.z_m = (float(value) for value in pose.position_m)
        both = len(self._robot.fingers_touching(thing.name)) == 2  # noqa: PLR2004 - two fingers
        self.held = both and hand.aperture_m <= thing.width_m - SQUEEZE_M / 2
        self._was_held |= self.held
        stands = abs(thing.bottom_m - SHELF_TOP_M) < STANDS_M
        self.placed = stands and not self._robot.fingers_touching(thing.name)
        if self.failure:
            return
        if self._full and self._was_held and pose.tilt_rad > SPILL_RAD:
            self.failure = f"the {thing.name} was tilted and spilled"
        elif pose.tilt_rad > TIPPED_RAD:
            self.failure = f"the {thing.name} tipped over"
        elif thing.bottom_m < min(self._lowest_m, TABLE_TOP_M) - FELL_M:
            self.failure = f"the {thing.name} " + (
                "was dropped" if self._was_held else "was pushed off the table"
            )


@dataclass
class CupOnShelf:
    """Take a cup from the table, drive to the shelf and put it there."""

    grip: PhysicsGrip
    place: tuple[float, float]
    name: str = "shelf"

    @property
    def steps(self) -> tuple[Step, ...]:
        """Grasp it, draw it in, go before the shelf, reach over it, lower it, let go."""
        stands = SHELF_TOP_M + self.grip.thing.height_m / 2

        def above(up_m: float) -> Callable[[], tuple[float, float, float]]:
            return lambda: (*self.place, stands + HOLD_AT_M["cup"] + up_m)

        return (
            straighten(),
            *grasp_steps(self.grip, SQUEEZE_M, HOLD_AT_M["cup"]),
            draw_in(),
            fingers_to("go before the shelf", above(0.06), {"lift": 0.02, "base_translate": 0.04}),
            fingers_to("reach over it", above(0.06), {"lift": 0.025, "base_translate": 0.05, "arm": 0.03}),
            fingers_to("lower it", above(0.012), {"lift": 0.012}),
            gripper("let go", self.grip.thing.width_m + 0.04, lambda: self.grip.placed),
            draw_in(0.05),
        )

    @property
    def failure(self) -> str:
        """What went wrong with the cup."""
        return self.grip.failure

    def update(self, hand: Hand) -> None:
        """Look where everything is now."""
        self.grip.update(hand)


@dataclass
class PullDoor:
    """Open a door by its handle."""

    robot: MujocoStretch
    name: str = "door"
    failure: str = ""
    # Of the hinge, and how far from it the handle is, along the door and before it.
    HINGE, ALONG_M, BEFORE_M, HANDLE_Z_M, HANDLE_WIDTH_M = (-1.9, -0.87), 0.70, 0.075, 0.95, 0.022

    @property
    def steps(self) -> tuple[Step, ...]:
        """Grasp the handle and draw it towards the robot, from place to place."""
        closed = self._handle(0.0)
        pulls = np.linspace(0.1, DOOR_OPEN_RAD + 0.1, 4)
        return (
            straighten(),
            gripper("open the hand", self.HANDLE_WIDTH_M + OPEN_MORE_M),
            fingers_to("go before the handle", lambda: closed, {"lift": 0.03, "base_translate": NEAR_M}),
            fingers_to("reach", lambda: closed, BEFORE | {"arm": NEAR_M}),
            gripper("close the hand", self.HANDLE_WIDTH_M - SQUEEZE_M),
            *(self._pull(float(angle)) for angle in pulls),
            Step("see that it is open", lambda _positions, _base: {}, self._open),
        )

    def _open(self) -> bool:
        return self.robot.joint_angle_rad("door") >= DOOR_OPEN_RAD

    def _pull(self, angle: float) -> Step:
        place = self._handle(angle)
        return fingers_to(f"pull to {angle:.2f} rad", lambda: place, {"arm": 0.015, "base_translate": 0.02})

    def _handle(self, angle: float) -> tuple[float, float, float]:
        cos, sin = np.cos(angle), np.sin(angle)
        x = self.HINGE[0] + self.ALONG_M * cos - self.BEFORE_M * sin
        y = self.HINGE[1] + self.ALONG_M * sin + self.BEFORE_M * cos
        return float(x), float(y), self.HANDLE_Z_M

    def update(self, hand: Hand) -> None:
        """See whether the handle has slipped out of the hand."""
        angle = self.robot.joint_angle_rad("door")
        x, y, _ = self._handle(angle)
        ahead, aside = hand.ahead_and_aside(x, y)
        away_m = float(np.hypot(ahead, aside))
        if 0.05 < angle < DOOR_OPEN_RAD and away_m > NEARBY_M and not self.failure:  # noqa: PLR2004 - has been moved
            self.failure = f"the handle slipped out of the hand, {away_m:.2f} m away"


@dataclass
class PressRocker:
    """Press the upper half of a rocker switch with closed fingers."""

    robot: MujocoStretch
    place: tuple[float, float, float] = (-0.65, -0.836, 1.028)
    name: str = "switch"
    failure: str = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """Close the hand, go before it, push."""
        return (
            straighten(),
            gripper("close the hand", 0.0),
            fingers_to("go before it", lambda: self.place, {"lift": 0.010, "base_translate": NEAR_M}),
            fingers_to(
                "push", lambda: self.place, {"lift": 0.012, "base_translate": 0.018, "arm": 0.01}, self._on
            ),
        )

    def _on(self) -> bool:
        return self.robot.joint_angle_rad("switch") > SWITCH_ON_RAD

    def update(self, hand: Hand) -> None:
        """Nothing breaks here: the motor stalls against the wall."""


@dataclass
class PhysicsHome:
    """The robot in the small home, and a task in it.

    Parameters
    ----------
    model : RobotModel
        The robot's limits.
    """

    model: RobotModel
    robot: MujocoStretch = field(init=False)

    def __post_init__(self) -> None:
        self.robot = MujocoStretch(self.model, START)
        self.robot.model.opt.noslip_iterations = NO_SLIP_ITERATIONS

    def set_up(self, name: str, seed: int) -> Task:
        """Put everything to where a task begins, moved about by a seed."""
        rng = np.random.default_rng((seed, 0x403E))
        x, y = BASES[name]
        base = (x + float(rng.uniform(-0.08, 0.08)), y, float(rng.uniform(-0.05, 0.05)))
        self.robot.reset(START, base, seed)
        for _ in range(15):
            self.robot.step(1 / 30)
        makers: dict[str, Callable[[], Task]] = {
            "cup": lambda: CupToMouth(
                self._grip("cup", full=True), (0.10, -0.60, 1.08), squeeze_m=SQUEEZE_M, at_m=HOLD_AT_M["cup"]
            ),
            "bottle": lambda: PickUpBottle(
                self._grip("bottle"), squeeze_m=SQUEEZE_M, at_m=HOLD_AT_M["bottle"]
            ),
            "door": lambda: PullDoor(self.robot),
            "switch": lambda: PressRocker(self.robot),
            "shelf": lambda: CupOnShelf(self._grip("cup"), (2.75, -0.90)),
            "wipe": lambda: WipeTable((1.55, -0.62), table_m=TABLE_TOP_M + HAND_BELOW_M),
        }
        return makers[name]()

    def _grip(self, name: str, *, full: bool = False) -> PhysicsGrip:
        return PhysicsGrip(self.robot, name, full=full)
