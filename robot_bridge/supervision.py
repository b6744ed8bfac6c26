"""What the robot does against what it was told: motion without a command, a command without effect, no standstill.

Pure; fed with every plausible reading, the odometry, and the shaped velocities of every tick. The gripper is left out:
closing on a thing until it stops is its work.
"""

import itertools
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from robot_bridge.robot_model import RobotModel
from robot_bridge.stretch_interface import BASE_DOF, JOINT_DOF, JointReading

WATCHED_DOF = (*BASE_DOF, *(dof for dof in JOINT_DOF if dof != "gripper"))
# Without a command a DoF may settle, sag or be touched by so much.
REST_ALLOWANCE = {"m": 0.03, "rad": 0.15}
# Braking and settling after a command are no motion without one.
SETTLE_S = 1.2
# A command that has lasted for so long must have moved its DoF by this part of the way that it asked for.
EFFECT_S, EFFECT_PART = 1.0, 0.2
# So close to a limit a joint need not move.
NEAR_LIMIT = {"m": 0.02, "rad": 0.08}
# Faster than told by this factor, for so long: a runaway.
RUNAWAY_FACTOR, RUNAWAY_S = 2.0, 0.4
RUNAWAY_FLOOR = {"m": 0.05, "rad": 0.30}
# A rise of a joint's effort against its motion, in percent of its motor's, that counts as a contact.
CONTACT_PCT = {"lift": 35.0, "arm": 25.0, "wrist_yaw": 40.0, "wrist_pitch": 40.0, "wrist_roll": 40.0}
CONTACT_S = 0.15
# Still is what moves by less than this in the span.
STILL = {"m": 0.004, "rad": 0.03}
STILL_SPAN_S = 0.2
KEPT_S = 1.5


@dataclass(frozen=True)
class _Sample:
    t_s: float
    position: float
    effort: float


class _Watched:
    """One DoF: where it was in the last second and a half, and what it was told."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self.samples: deque[_Sample] = deque()
        self.velocity = 0.0
        self.told_since_s = self.rest_since_s = -math.inf
        self.asked: deque[tuple[float, float]] = deque()
        self.anchor: float | None = None
        self.runaway_since_s: float | None = None
        self.contact_since_s: float | None = None
        self.free_effort: float | None = None

    def forget(self, t_s: float) -> None:
        """Begin anew from a standstill."""
        self.velocity, self.anchor = 0.0, None
        self.rest_since_s = self.told_since_s = t_s
        self.runaway_since_s = self.contact_since_s = self.free_effort = None
        self.asked.clear()

    def moved_since(self, since_s: float) -> float | None:
        """How far it has gone since a time that is still known, with its sign."""
        old = next((sample for sample in self.samples if sample.t_s >= since_s), None)
        return None if old is None or old is self.samples[-1] else self.samples[-1].position - old.position


class MotionSupervisor:
    """Compares every DoF but the gripper with its commands.

    Parameters
    ----------
    model : RobotModel
        Units and limits.
    """

    def __init__(self, model: RobotModel) -> None:
        self._model = model
        self._watched = {dof: _Watched(model.dof[dof].unit) for dof in WATCHED_DOF}
        self._travel_m = 0.0
        self._heading_rad = 0.0
        self._odometry: tuple[float, float, float] | None = None

    # ---- what comes in

    def start(self, t_s: float) -> None:
        """Begin to compare: the robot has been armed, and stands."""
        for one in self._watched.values():
            one.forget(t_s)

    def on_reading(self, reading: JointReading, t_s: float) -> None:
        """Take a plausible reading."""
        for dof, one in self._watched.items():
            if dof in BASE_DOF:
                continue
            self._add(one, _Sample(t_s, reading.positions[dof], reading.efforts.get(dof, math.nan)))

    def on_odometry(self, x_m: float, y_m: float, heading_rad: float, t_s: float) -> None:
        """Take the base's odometry: m and rad."""
        if not all(math.isfinite(value) for value in (x_m, y_m, heading_rad)):
            return
        if self._odometry is not None:
            before_x, before_y, before = self._odometry
            turned = math.remainder(heading_rad - before, math.tau)
            middle = before + turned / 2
            self._travel_m += (x_m - before_x) * math.cos(middle) + (y_m - before_y) * math.sin(middle)
            self._heading_rad += turned
        self._odometry = (x_m, y_m, heading_rad)
        for dof, value in zip(BASE_DOF, (self._travel_m, self._heading_rad), strict=True):
            self._add(self._watched[dof], _Sample(t_s, value, math.nan))

    def on_command(self, velocity: Mapping[str, float], t_s: float) -> None:
        """Take the velocities that were commanded in a tick, m/s or rad/s."""
        if any(velocity[dof] != 0.0 for dof in BASE_DOF):
            # Wheels slip: who drives straight on turns a little, and the other way round.
            for dof in BASE_DOF:
                self._watched[dof].rest_since_s, self._watched[dof].anchor = t_s, None
        for dof, one in self._watched.items():
            told = velocity[dof]
            if told == 0.0 and one.velocity != 0.0:
                one.rest_since_s, one.anchor = t_s, None
                one.asked.clear()
            elif told != 0.0 and told * one.velocity <= 0.0:
                one.told_since_s = t_s
                one.asked.clear()
                one.contact_since_s = one.free_effort = None
            one.velocity = told
            if told != 0.0:
                one.asked.append((t_s, told))
                while one.asked and t_s - one.asked[0][0] > EFFECT_S:
                    one.asked.popleft()

    @staticmethod
    def _add(one: _Watched, sample: _Sample) -> None:
        one.samples.append(sample)
        while sample.t_s - one.samples[0].t_s > KEPT_S:
            one.samples.popleft()

    # ---- judging

    def problem(self, t_s: float, positions: Mapping[str, float]) -> str | None:
        """Return what the robot does otherwise than told, in words, or None.

        Parameters
        ----------
        t_s : float
            Now.
        positions : mapping of str to float
            The joints' last plausible positions, m or rad.
        """
        for dof, one in self._watched.items():
            if len(one.samples) < 2:  # noqa: PLR2004 - a motion has a beginning and an end
                continue
            found = (
                self._at_rest(dof, one, t_s)
                if one.velocity == 0.0
                else self._under_way(dof, one, t_s, positions)
            )
            if found is not None:
                return found
        return None

    def _at_rest(self, dof: str, one: _Watched, t_s: float) -> str | None:
        if t_s - one.rest_since_s < SETTLE_S:
            return None
        now = one.samples[-1].position
        if one.anchor is None:
            one.anchor = now
        moved = now - one.anchor
        if abs(moved) <= REST_ALLOWANCE[one.unit]:
            return None
        return f"{_name(dof)} moved by {abs(moved):.2f} {one.unit} without a command"

    def _under_way(self, dof: str, one: _Watched, t_s: float, positions: Mapping[str, float]) -> str | None:
        sign = math.copysign(1.0, one.velocity)
        contact = self._contact(dof, one, t_s, sign)
        if contact is not None:
            return contact
        runaway = self._runaway(dof, one, t_s)
        if runaway is not None or t_s - one.told_since_s < EFFECT_S:
            return runaway
        moved = one.moved_since(t_s - EFFECT_S)
        if moved is None or self._near_limit(dof, sign, positions):
            return None
        wanted = self._wanted(one)
        if moved * sign >= EFFECT_PART * wanted:
            return None
        if moved * sign < -STILL[one.unit]:
            return f"{_name(dof)} moves against its command"
        return f"{_name(dof)} does not follow its command: it is blocked, or commands do not arrive"

    @staticmethod
    def _wanted(one: _Watched) -> float:
        """Return the way that the commands of the last second asked for, without sign."""
        asked = list(one.asked)
        return sum(abs(told) * (later - earlier) for (earlier, told), (later, _) in itertools.pairwise(asked))

    @staticmethod
    def _runaway(dof: str, one: _Watched, t_s: float) -> str | None:
        moved = one.moved_since(t_s - STILL_SPAN_S)
        speed = 0.0 if moved is None else abs(moved) / STILL_SPAN_S
        if speed <= RUNAWAY_FACTOR * abs(one.velocity) + RUNAWAY_FLOOR[one.unit]:
            one.runaway_since_s = None
        elif one.runaway_since_s is None:
            one.runaway_since_s = t_s
        elif t_s - one.runaway_since_s >= RUNAWAY_S:
            return f"{_name(dof)} moves at {speed:.2f} {one.unit}/s, much faster than its command"
        return None

    @staticmethod
    def _contact(dof: str, one: _Watched, t_s: float, sign: float) -> str | None:
        limit, effort = CONTACT_PCT.get(dof), one.samples[-1].effort
        if limit is None or not math.isfinite(effort):
            return None
        # The effort of this motion while nothing was in its way: after the start-up, and never learned in a contact.
        if one.free_effort is None:
            if t_s - one.told_since_s >= CONTACT_S:
                one.free_effort = effort
            return None
        if (effort - one.free_effort) * sign <= limit:
            one.contact_since_s = None
            one.free_effort += 0.05 * (effort - one.free_effort)
        elif one.contact_since_s is None:
            one.contact_since_s = t_s
        elif t_s - one.contact_since_s >= CONTACT_S:
            return f"{_name(dof)} has met something: its effort rose by {abs(effort - one.free_effort):.0f} %"
        return None

    def _near_limit(self, dof: str, sign: float, positions: Mapping[str, float]) -> bool:
        if dof in BASE_DOF:
            return False
        limits = self._model.dof[dof]
        left = limits.position_upper - positions[dof] if sign > 0 else positions[dof] - limits.position_lower
        return left <= NEAR_LIMIT[limits.unit]

    def moving(self, t_s: float, among: Sequence[str]) -> str | None:
        """Return the name of one among the watched DoF that does not stand still, or None."""
        for dof in among:
            one = self._watched[dof]
            moved = one.moved_since(t_s - STILL_SPAN_S)
            if moved is not None and abs(moved) > STILL[one.unit]:
                return _name(dof)
        return None

    def braking_s(self) -> float:
        """How long the slowest of what is commanded now takes to brake, by the robot's own profiles."""
        return max(abs(one.velocity) / self._model.dof[dof].ramp for dof, one in self._watched.items())


def _name(dof: str) -> str:
    return "the base" if dof in BASE_DOF else f"the {dof.replace('_', ' ')}"
