"""A virtual user: sees the robot a moment late, chooses gestures from the map, makes mistakes and corrects them.

The user closes the loop by eye. Away from the goal it takes the DoF that is farthest from its aim, goes to a mode
that moves it by short gestures, looking after each whether the mode has changed, and holds the gesture of the right
direction. It lets go before the aim is reached, so that what the robot still coasts, as learned from its
movements so far, brings it there. Where it has gone too far, it comes back; where coarse steps are too coarse, it
switches to fine, and back to coarse for a long way. It knows the map and the speeds, and nothing of the decoder.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from robot_bridge.gesture_map import Function, GestureMap
from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.closed_loop.goal import Goal
from simulation.closed_loop.loop import STEPS_PER_S, View
from simulation.closed_loop.user_settings import UserSettings

# A velocity is seen over so long.
LOOK_BACK_S = 0.1
# The robot stands when nothing has moved for so long.
STANDS_S = 0.25
# Held beyond the map's own time for a long gesture, and beyond its longest tap for a gesture that moves.
HOLD_MARGIN_S = 0.35
# One who waits for a tap's effect.
ANSWER_S = 1.0
# No gesture is made for a shorter time.
SHORTEST_S = 0.1
# A way that fine would need longer for is worth going back to coarse.
FINE_AT_MOST_S = 4.0
# Slower than this share of the fine speed is not seen to move.
UNSEEN_SHARE = 0.2
# A velocity that has changed by less than this share within `LOOK_BACK_S` is steady.
STEADY = 0.2

Seen = Callable[[float], View]
Phase = Literal["watching", "acting", "moving", "settling"]


@dataclass
class UserCounts:
    """What the user did, counted since it began."""

    gestures: int = 0
    wrong_gestures: int = 0
    lapses: int = 0
    unanswered: int = 0
    surprises: int = 0


@dataclass
class _Movement:
    """A held gesture: what it is to do, and what was seen when it was let go."""

    dof: str
    sign: int
    fine: bool
    begun_s: float
    timing_s: float
    pursuit: int
    seen_at: float
    moved: bool = False
    pulse_s: float | None = None
    released_s: float | None = None
    speed: float = 0.0
    learns: bool = False


class VirtualUser:
    """Decides, 10 ms after 10 ms, which gesture the arm makes.

    Parameters
    ----------
    settings : UserSettings
        Delays, precision and mistakes.
    gesture_map : GestureMap
        What gestures do.
    model : RobotModel
        The speeds that the user has come to know.
    seed : int
        Seed of everything that is drawn.
    """

    def __init__(self, settings: UserSettings, gesture_map: GestureMap, model: RobotModel, seed: int) -> None:
        self.counts = UserCounts()
        self._settings, self._map, self._model = settings, gesture_map, model
        self._rng = np.random.default_rng((seed, 0x05E6))
        self._usable = sorted({g for acts in gesture_map.modes.values() for g in acts})
        self._coasting_s: dict[tuple[str, bool], float] = {}
        self._pulse_adds_s: dict[tuple[str, bool], float] = {}
        self._tap_s, self._tapping = settings.tap_s, False
        self._too_coarse: set[str] = set()
        self._goal: Goal | None = None
        self._pursuit = 0
        self._phase: Phase = "watching"
        self._gesture = gesture_map.rest
        self._until_s = 0.0
        self._then: tuple[float, str] | None = None
        self._movement: _Movement | None = None
        self._answer: tuple[Callable[[View], bool], float] | None = None

    def pursue(self, goal: Goal | None, t_s: float) -> None:
        """Take up a goal, after having seen it and chosen what to do; None for none."""
        self._goal = goal
        # A movement towards the former goal is let go.
        self._pursuit += 1
        self._too_coarse.clear()
        if self._phase == "watching":
            self._until_s = t_s + self._settings.perception_s + self._choice_s()

    def correct(self, goal: Goal) -> None:
        """See the same goal somewhat elsewhere, and go on with it."""
        self._goal = goal

    @property
    def resting(self) -> bool:
        """Whether the user makes no gesture and is about to make none."""
        return self._gesture == self._map.rest and self._then is None

    def act(self, t_s: float, seen: Seen) -> str:
        """Return the gesture that the arm makes from now on.

        Parameters
        ----------
        t_s : float
            Now.
        seen : callable
            ``seen(delay_s)`` is the `View` of a while ago.
        """
        if self._then is not None and t_s >= self._then[0]:
            self._gesture, self._then = self._then[1], None
        view = seen(self._settings.perception_s)
        if not view.live:
            self._give_up(t_s)
        elif self._phase == "moving":
            self._watch_movement(t_s, view, seen)
        elif self._phase == "settling":
            self._settle(t_s, view, seen)
        elif self._phase == "acting":
            self._watch_act(t_s, view)
        elif t_s >= self._until_s and self._goal is not None:
            self._plan(t_s, view, seen)
        return self._gesture

    # ---- choosing

    def _plan(self, t_s: float, view: View, seen: Seen) -> None:
        goal = self._goal
        if goal is None or not self._stands(view, seen):
            return
        beyond = goal.open_aims(view.positions)
        if not beyond:
            return
        dof, error = beyond[0], goal.errors(view.positions)[beyond[0]]
        sign = 1 if error > 0 else -1
        mode = self._nearest_mode(view.mode, dof, sign)
        if mode != view.mode:
            self._call(self._step_to(view.mode, mode), view, t_s)
        elif self._wants_fine(dof, error, view) != view.fine:
            self._call("toggle_speed", view, t_s)
        else:
            self._move(dof, error, view, t_s)

    def _wants_fine(self, dof: str, error: float, view: View) -> bool:
        """Whether to go on in fine; where the map has no way to switch, as it is."""
        if self._map.gesture_to(view.mode, "toggle_speed") is None or self._goal is None:
            return view.fine
        limits = self._model.dof[dof]
        coarse, fine = limits.speed(fine=False), limits.speed(fine=True)
        if view.fine:
            return abs(error) <= fine * FINE_AT_MOST_S
        shortest = coarse * (SHORTEST_S + self._pulse_adds(dof, fine=False))
        passes = shortest > abs(error) + self._goal.aims[dof].tolerance
        return (passes or dof in self._too_coarse) and abs(error) <= fine * FINE_AT_MOST_S

    def _nearest_mode(self, mode: str, dof: str, sign: int) -> str:
        """Mode that moves a DoF that way, the fewest taps away."""
        names = self._map.mode_names
        can = [name for name in names if self._map.gesture_for(name, dof, sign) is not None]
        if not can:
            return mode
        return min(can, key=lambda name: min(self._taps(mode, name)))

    def _taps(self, mode: str, other: str) -> tuple[float, float]:
        """Taps forward and backward from one mode to another; infinite where the map has no such tap."""
        names = self._map.mode_names
        forward = (names.index(other) - names.index(mode)) % len(names)
        backward = (-forward) % len(names)
        ways: tuple[tuple[int, Function], ...] = ((forward, "next_mode"), (backward, "previous_mode"))
        taps = [float(n) if n == 0 or self._map.gesture_to(mode, f) else math.inf for n, f in ways]
        return taps[0], taps[1]

    def _step_to(self, mode: str, other: str) -> Function:
        forward, backward = self._taps(mode, other)
        return "next_mode" if forward <= backward else "previous_mode"

    # ---- acting

    def _call(self, function: Function, view: View, t_s: float) -> None:
        found = self._map.gesture_to(view.mode, function)
        if found is None:
            return
        gesture, act = found
        if act == "tap":
            held_s = max(0.15, self._rng.normal(self._tap_s, self._settings.tap_sd_s))
        else:
            held_s = self._map.hold_s + HOLD_MARGIN_S
        before = (view.mode, view.fine)
        self._make(gesture, t_s)
        self._then = (t_s + held_s, self._map.rest)
        self._phase = "acting"
        self._tapping = act == "tap"
        self._answer = (lambda later: (later.mode, later.fine) != before, t_s + held_s + ANSWER_S)

    def _watch_act(self, t_s: float, view: View) -> None:
        if self._answer is None or self._then is not None:
            return
        changed, deadline_s = self._answer
        if not changed(view) and t_s < deadline_s:
            return
        if not changed(view):
            self.counts.unanswered += 1
            if self._tapping:
                middle_s = (self._map.tap_min_s + self._map.tap_max_s) / 2
                self._tap_s = max(self._tap_s, min(middle_s, self._tap_s + self._settings.tap_grows_s))
        self._think(t_s)

    def _move(self, dof: str, error: float, view: View, t_s: float) -> None:
        sign = 1 if error > 0 else -1
        gesture = self._map.gesture_for(view.mode, dof, sign)
        if gesture is None:
            return
        if not self._make(gesture, t_s):
            self._then = (t_s + self._settings.noticed_s * self._spread(), self._map.rest)
            self._phase, self._answer = "acting", (lambda _: True, t_s)
            return
        self._phase = "moving"
        timing_s = float(self._rng.normal(0.0, self._settings.timing_sd_s))
        movement = _Movement(
            dof, sign, view.fine, t_s, timing_s, self._pursuit, view.positions[DOF_NAMES.index(dof)]
        )
        self._movement = movement
        speed = self._model.dof[dof].speed(fine=view.fine)
        if abs(error) < speed * self._lead_s(movement):
            self._pulse(movement, abs(error), speed)

    def _pulse(self, movement: _Movement, way: float, speed: float) -> None:
        """Hold for a time that is settled beforehand: for a short way, what is seen comes too late."""
        adds_s = self._pulse_adds(movement.dof, fine=movement.fine)
        pulse_s = max(SHORTEST_S, way / speed - adds_s + movement.timing_s)
        movement.pulse_s, movement.speed, movement.learns = pulse_s, speed, True
        movement.released_s = movement.begun_s + pulse_s - self._settings.movement_s
        self._then, self._phase = (movement.begun_s + pulse_s, self._map.rest), "settling"

    def _pulse_adds(self, dof: str, *, fine: bool) -> float:
        """How much longer the robot is expected to move than a short gesture is held."""
        return self._pulse_adds_s.get((dof, fine), self._settings.pulse_adds_s)

    def _make(self, gesture: str, t_s: float) -> bool:
        """Make a gesture, or by mistake another one; returns whether it is the one that was meant."""
        self.counts.gestures += 1
        others = [g for g in self._usable if g != gesture]
        meant = self._rng.random() >= self._settings.wrong_gesture or not others
        if not meant:
            gesture = str(self._rng.choice(others))
            self.counts.wrong_gestures += 1
        self._gesture, self._then = gesture, None
        self._until_s = t_s
        return bool(meant)

    # ---- watching a movement

    def _watch_movement(self, t_s: float, view: View, seen: Seen) -> None:
        movement, goal = self._movement, self._goal
        if self._then is not None:
            return
        if (
            movement is None
            or goal is None
            or movement.pursuit != self._pursuit
            or movement.dof not in goal.aims
        ):
            self._release(t_s)
            return
        if self._rng.random() < self._settings.lapse_per_s / STEPS_PER_S:
            self.counts.lapses += 1
            self._release(t_s)
            return
        velocities = self._velocities(view, seen)
        at, speed = DOF_NAMES.index(movement.dof), velocities[DOF_NAMES.index(movement.dof)] * movement.sign
        movement.moved |= speed > 0
        error = goal.errors(view.positions)[movement.dof] * movement.sign
        if self._surprised(velocities, at, movement, t_s):
            self.counts.surprises += 1
            self._release(t_s)
        elif error <= speed * self._lead_s(movement) or error <= 0:
            movement.seen_at, movement.speed = view.positions[at], speed
            # While it still speeds up, the way that it coasts says nothing about the time.
            earlier = self._velocities(seen(self._settings.perception_s + LOOK_BACK_S), seen, LOOK_BACK_S)[at]
            movement.learns = speed > 0 and abs(speed - earlier * movement.sign) < STEADY * speed
            self._release(t_s)

    def _surprised(self, velocities: tuple[float, ...], at: int, movement: _Movement, t_s: float) -> bool:
        """Whether something else moves, the wrong way, or, for too long, nothing at all."""
        wrong_way = velocities[at] * movement.sign < 0
        others = any(velocity != 0 for index, velocity in enumerate(velocities) if index != at)
        nothing = not movement.moved and t_s - movement.begun_s > self._settings.patience_s
        # What is left of the movement before is no surprise.
        fresh = t_s - movement.begun_s < self._settings.perception_s + LOOK_BACK_S
        return nothing or ((wrong_way or others) and not fresh)

    def _lead_s(self, movement: _Movement) -> float:
        """How long before the aim is seen to be reached the user lets go."""
        own_s = self._settings.perception_s + self._settings.movement_s
        return max(0.0, own_s + self._expected_coasting_s(movement) + movement.timing_s)

    def _expected_coasting_s(self, movement: _Movement) -> float:
        return self._coasting_s.get((movement.dof, movement.fine), self._settings.coasting_s)

    def _release(self, t_s: float) -> None:
        self._then = (t_s + self._settings.movement_s, self._map.rest)
        self._phase = "settling"
        if self._movement is not None:
            self._movement.released_s = t_s

    def _settle(self, t_s: float, view: View, seen: Seen) -> None:
        """Wait until the robot stands; learn how far it coasted, and whether it went too far."""
        movement = self._movement
        if self._then is not None or movement is None or movement.released_s is None:
            return
        # The release is seen to have an effect only after both delays.
        rested_s = t_s - movement.released_s - self._settings.movement_s
        if rested_s < self._settings.perception_s + STANDS_S or not self._stands(view, seen):
            return
        self._learn(movement, view)
        self._movement = None
        self._think(t_s)

    def _learn(self, movement: _Movement, view: View) -> None:
        travelled = (view.positions[DOF_NAMES.index(movement.dof)] - movement.seen_at) * movement.sign
        key, own_s = (movement.dof, movement.fine), self._settings.perception_s + self._settings.movement_s
        if movement.pulse_s is not None:
            expected_s = self._pulse_adds(movement.dof, fine=movement.fine)
            wrong_s = travelled / movement.speed - movement.pulse_s - expected_s
            self._pulse_adds_s[key] = expected_s + self._settings.learning * wrong_s
        elif movement.learns:
            expected_s = self._expected_coasting_s(movement)
            wrong_s = max(0.0, travelled / movement.speed - own_s) - expected_s
            self._coasting_s[key] = expected_s + self._settings.learning * wrong_s
        if self._goal is None or movement.dof not in self._goal.aims:
            return
        error = self._goal.errors(view.positions)[movement.dof]
        beyond = abs(error) > self._goal.aims[movement.dof].tolerance
        if beyond and error * movement.sign < 0:
            self._too_coarse.add(movement.dof)

    # ---- time

    def _think(self, t_s: float) -> None:
        self._phase, self._answer = "watching", None
        self._until_s = t_s + self._choice_s()

    def _give_up(self, t_s: float) -> None:
        """Rest while the robot is stopped."""
        if self._gesture != self._map.rest and self._then is None:
            self._then = (t_s + self._settings.movement_s, self._map.rest)
        self._movement = None
        self._think(t_s)

    def _choice_s(self) -> float:
        """Time to choose a gesture and to begin it."""
        bits = math.log2(len(self._usable) + 1)
        return (self._settings.movement_s + self._settings.choice_s_per_bit * bits) * self._spread()

    def _spread(self) -> float:
        return float(self._rng.lognormal(0.0, self._settings.reaction_spread))

    # ---- seeing

    def _velocities(self, view: View, seen: Seen, ago_s: float = 0.0) -> tuple[float, ...]:
        """Velocity of each DoF, some time before it is seen, as far as it can be: 0.0 for what is too slow."""
        before = seen(self._settings.perception_s + ago_s + LOOK_BACK_S)
        elapsed_s = view.t_s - before.t_s
        if elapsed_s <= 0:
            return (0.0,) * len(DOF_NAMES)
        velocities = ((a - b) / elapsed_s for a, b in zip(view.positions, before.positions, strict=True))
        return tuple(
            velocity if abs(velocity) >= UNSEEN_SHARE * self._model.dof[dof].speed(fine=True) else 0.0
            for dof, velocity in zip(DOF_NAMES, velocities, strict=True)
        )

    def _stands(self, view: View, seen: Seen) -> bool:
        before = seen(self._settings.perception_s + STANDS_S)
        return all(
            abs(a - b) < UNSEEN_SHARE * STANDS_S * self._model.dof[dof].speed(fine=True)
            for dof, a, b in zip(DOF_NAMES, view.positions, before.positions, strict=True)
        )
