"""When the robot must be stopped because an armed bridge is silent: its computer or network is gone.

Pure: every call brings the receiver's monotonic time. An armed bridge that is silent for `WatchdogSettings.silence_s`
leads to a stop at once, unless the bridge's own guard is heard to stop the robot. A robot that does not brake
`standstill_s` later, or does not stand when its profile must have braked it, gets the run-stop. Nothing else is ever
done: a watchdog arms nothing and moves nothing.
"""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from robot_bridge.stretch_interface import BASE_DOF, JOINT_OF_DOF

# The driver's own profiles, m/s² or rad/s². The gripper is left out: closing on a thing until it stops is its work.
BRAKES_AT = {
    "base_translate": 0.12,
    "base_rotate": 0.76,
    "lift": 0.20,
    "arm": 0.14,
    "wrist_yaw": 3.0,
    "wrist_pitch": 6.0,
    "wrist_roll": 8.0,
}
# A joint that is told to stand where it was seen passes that place, and comes back by the same profile.
AND_BACK = 1.0 + math.sqrt(2.0)
# Still is what moves by less than this in the span.
STILL = {"m": 0.004, "rad": 0.03}
UNIT = {dof: "m" if dof in {"base_translate", "lift", "arm"} else "rad" for dof in BRAKES_AT}
SPAN_S = 0.2
KEPT_S = 1.0
# Older measurements say nothing about now.
SEEN_S = 0.3
# What has kept so much of its speed does not brake.
KEPT_SPEED = 0.85
# A bridge's commands end with it; a Twist that comes later is the guard's.
GUARD_AFTER_S = 0.1
# A guard repeats its stop every 50 ms.
GUARD_S = 0.15
RUNSTOPS = 3
# Who was not asked for so long was held up itself, and listens for a moment before it judges.
LATE_S, LISTENS_S = 0.1, 0.1

Act = Literal["stop", "runstop", "report"]


@dataclass(frozen=True)
class WatchdogSettings:
    """When to act.

    Parameters
    ----------
    silence_s : float
        An armed bridge silent for longer is gone.
    standstill_s : float
        A robot that does not brake so long after a stop is run-stopped.
    """

    silence_s: float = 0.3
    standstill_s: float = 0.5


@dataclass(frozen=True)
class Order:
    """What to do now, and why: ``stop`` (zero Twist and /stop_the_robot), ``runstop``, or only ``report`` it."""

    act: Act
    reason: str


class _Seen:
    """Where a DoF was in the last second."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()

    def add(self, t_s: float, position: float) -> None:
        self._samples.append((t_s, position))
        while t_s - self._samples[0][0] > KEPT_S:
            self._samples.popleft()

    def velocity(self, t_s: float) -> float | None:
        """Mean of the last span; None where nothing fresh is known."""
        recent = [sample for sample in self._samples if t_s - sample[0] <= SPAN_S + SEEN_S]
        if len(recent) < 2 or t_s - recent[-1][0] > SEEN_S:  # noqa: PLR2004 - a motion has a beginning and an end
            return None
        last_s, last = recent[-1]
        first_s, first = next(sample for sample in recent if last_s - sample[0] <= SPAN_S + 1e-9)
        return (last - first) / (last_s - first_s) if last_s > first_s else None


class Watchdog:
    """Decides; fed with what is heard, asked with `tick`.

    Parameters
    ----------
    settings : WatchdogSettings
        When to act.
    """

    def __init__(self, settings: WatchdogSettings) -> None:
        self._settings = settings
        self._state: Literal["idle", "watching", "guarded", "stopping", "done"] = "idle"
        self._alive_s = self._guard_s = -math.inf
        self._tick_s, self._judges_from_s = math.inf, -math.inf
        self._seen = {dof: _Seen() for dof in BRAKES_AT}
        self._odometry: tuple[float, float, float] | None = None
        self._travel_m = self._turned_rad = 0.0
        self._acted_s = -math.inf
        self._before: Mapping[str, float] = {}
        self._next_s = math.inf
        self._stands_by_s = math.inf
        self._runstops = 0

    @property
    def is_stopping(self) -> bool:
        """Whether the robot is being stopped: the zero Twist is to be repeated."""
        return self._state == "stopping"

    @property
    def is_watching(self) -> bool:
        """Whether an armed bridge is being watched."""
        return self._state == "watching"

    # ---- what is heard

    def on_alive(self, armed: bool, t_s: float) -> None:
        """Take the bridge's sign of life, and whether it is armed."""
        self._alive_s = t_s
        if not armed:
            # It has latched its stop itself, or was started again.
            if self._state in {"watching", "guarded", "done"}:
                self._state = "idle"
        elif self._state == "idle":
            self._state = "watching"

    def on_twist(self, zero: bool, t_s: float) -> None:
        """Take what the wheels are told by anybody else."""
        if zero and t_s > self._alive_s + GUARD_AFTER_S:
            self._guard_s = t_s

    def on_joint_states(self, names: Sequence[str], positions: Sequence[float], t_s: float) -> None:
        """Take the joints' positions, m or rad."""
        by_name = dict(zip(names, positions, strict=False))
        for dof, joint in JOINT_OF_DOF.items():
            position = by_name.get(joint, math.nan)
            if dof in self._seen and math.isfinite(position):
                self._seen[dof].add(t_s, position)

    def on_odometry(self, x_m: float, y_m: float, heading_rad: float, t_s: float) -> None:
        """Take where the base is, m and rad."""
        if not all(math.isfinite(value) for value in (x_m, y_m, heading_rad)):
            return
        if self._odometry is not None:
            before_x, before_y, before = self._odometry
            turned = math.remainder(heading_rad - before, math.tau)
            middle = before + turned / 2
            self._travel_m += (x_m - before_x) * math.cos(middle) + (y_m - before_y) * math.sin(middle)
            self._turned_rad += turned
        self._odometry = (x_m, y_m, heading_rad)
        for dof, value in zip(BASE_DOF, (self._travel_m, self._turned_rad), strict=True):
            self._seen[dof].add(t_s, value)

    # ---- what to do

    def tick(self, t_s: float) -> tuple[Order, ...]:
        """Return what must be done now."""
        if t_s - self._tick_s > LATE_S:
            self._judges_from_s = t_s + LISTENS_S
        self._tick_s = t_s
        if t_s < self._judges_from_s:
            return ()
        silence_s = t_s - self._alive_s
        if self._state == "watching" and silence_s > self._settings.silence_s:
            return self._on_silence(t_s, silence_s)
        if self._state == "guarded" and t_s - self._guard_s > GUARD_S:
            return self._after_guard(t_s)
        if self._state == "done" and self._alive_s > self._acted_s:
            return self._stop("the bridge commands again without having been armed again", t_s)
        if self._state == "stopping" and t_s >= self._next_s:
            return self._check(t_s)
        return ()

    def _on_silence(self, t_s: float, silence_s: float) -> tuple[Order, ...]:
        if t_s - self._guard_s <= GUARD_S:
            self._state = "guarded"
            return (Order("report", "the bridge is silent, and its guard stops the robot"),)
        return self._stop(f"the armed bridge is silent for {silence_s:.2f} s", t_s)

    def _after_guard(self, t_s: float) -> tuple[Order, ...]:
        moving = self._moving(t_s)
        if moving:
            return self._stop(f"{_names(moving)} still moves after the guard's stop", t_s)
        self._state, self._acted_s = "done", t_s
        return (Order("report", "the robot stands"),)

    def _stop(self, reason: str, t_s: float) -> tuple[Order, ...]:
        self._state, self._acted_s, self._runstops = "stopping", t_s, 0
        self._before = self._velocities(t_s)
        self._next_s = t_s + self._settings.standstill_s
        braking_s = (
            abs(speed) / BRAKES_AT[dof] * (1.0 if dof in BASE_DOF else AND_BACK)
            for dof, speed in self._before.items()
        )
        self._stands_by_s = self._next_s + max(braking_s, default=0.0)
        return (Order("stop", reason),)

    def _check(self, t_s: float) -> tuple[Order, ...]:
        self._next_s = t_s + self._settings.standstill_s
        if not self._velocities(t_s):
            self._state = "done"
            return (
                Order(
                    "report", "neither joint states nor odometry come: it cannot be seen whether it stands"
                ),
            )
        moving = self._moving(t_s)
        if not moving:
            self._state = "done"
            return (Order("report", "the robot stands"),)
        if self._runstops >= RUNSTOPS:
            self._state = "done"
            return (Order("report", f"{_names(moving)} moves in spite of the run-stop: press it by hand"),)
        brakes = all(self._brakes(dof, speed) for dof, speed in moving.items())
        if brakes and t_s < self._stands_by_s and not self._runstops:
            self._next_s = min(self._next_s, self._stands_by_s)
            return ()
        self._runstops += 1
        return (Order("runstop", f"{_names(moving)} {'still moves' if brakes else 'does not brake'}"),)

    def _brakes(self, dof: str, speed: float) -> bool:
        before = self._before.get(dof, 0.0)
        return speed * before <= 0.0 < abs(before) or abs(speed) < KEPT_SPEED * abs(before)

    def _velocities(self, t_s: float) -> dict[str, float]:
        told = {dof: seen.velocity(t_s) for dof, seen in self._seen.items()}
        return {dof: speed for dof, speed in told.items() if speed is not None}

    def _moving(self, t_s: float) -> dict[str, float]:
        return {
            dof: speed
            for dof, speed in self._velocities(t_s).items()
            if abs(speed) * SPAN_S > STILL[UNIT[dof]]
        }


def _names(moving: Mapping[str, float]) -> str:
    return ", ".join("the base" if dof in BASE_DOF else f"the {dof.replace('_', ' ')}" for dof in moving)
