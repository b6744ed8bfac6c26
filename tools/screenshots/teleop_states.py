"""A session's view in each of its states, without a running session: for pictures and for tests of the windows.

Signal, quality and decisions are computed from a simulated wearer, and checks are judged by the preflight itself; what
only a running bridge knows (state, reason, joints, latency) is written down here.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from decoding.pipeline import DecoderPipeline
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import StreamLostError
from emg_acquisition.events import REST
from emg_acquisition.quality.monitor import ChannelState, QualityMonitor
from robot_bridge.operator_link import RobotSnapshot, SleeveSnapshot
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from teleoperation.chain import of_sleeve
from teleoperation.observer import HISTORY_S, RECENT_S, Seen
from teleoperation.preflight import PreflightInputs, preflight
from teleoperation.recent_signal import RecentSignal
from teleoperation.session_view import Message, TeleopView
from teleoperation.sleeves import WornSleeve, of_sleeve_text
from teleoperation.supervisor import PART_NAMES, PartState
from teleoperation.trial_sheet import SheetView, Task

# Who wears the sleeves: skilled ones both.
WEARERS = (2, 5)
# What the wearer did before the picture, and for how long.
DONE = (
    ("rest", 2.0),
    ("wrist_extension", 2.4),
    ("rest", 1.0),
    ("fist", 0.6),
    ("rest", 1.2),
    ("wrist_flexion", 1.6),
    ("rest", 1.4),
)
BAD = {3: "DETACHED", 5: "DETACHED", 12: "FLAT", 21: "POWERLINE", 23: "NOISY", 41: "SATURATED"}
SHEET = SheetView(
    Task(name="cup", trials=3, limit_s=120.0),
    trial=1,
    running=False,
    seconds=0.0,
    done=0,
    total=3,
    over_time=False,
)
FREE_BYTES = 212e9
STILL = (0.0,) * len(DOF_NAMES)
KILLED = "the {} ended (status -9): (it wrote nothing); the robot is stopped, it is started again"


class States:
    """Views of a session in each of its states.

    Parameters
    ----------
    sleeves : sequence of WornSleeve
        One or two; their decoders decide on the wearers' signals.
    folder : Path
        Where the session says that it is recorded.
    positions : tuple of float
        Where the robot stands.
    """

    def __init__(self, sleeves: Sequence[WornSleeve], folder: Path, positions: Sequence[float]) -> None:
        self._sleeves, self._folder = sleeves, folder
        self._still = RobotSnapshot(
            positions=tuple(positions),
            velocities=STILL,
            sleeves={
                one.name: SleeveSnapshot(REST, one.gesture_map.mode_names[0], fine=False) for one in sleeves
            },
            safety_state="disarmed",
            reason="not armed yet",
            latency_ms_median=9.0,
            latency_ms_p99=14.0,
            decisions=1840,
            driver_mode="navigation",
            runstopped=False,
            battery_v=13.0,
        )
        worn = list(zip(sleeves, WEARERS, strict=False))
        self._rest = tuple(_observe(sleeve, wearer, (*DONE, (REST, 0.2)))[0] for sleeve, wearer in worn)
        moving = [
            _observe(sleeve, wearer, (*DONE, (gesture, 1.2)))
            for (sleeve, wearer), gesture in zip(worn, ("wrist_extension", "wrist_abduction"), strict=False)
        ]
        self._moves = tuple(seen for seen, _ in moving)
        self._emg_uv = [emg_uv for _, emg_uv in moving]

    def recent_emg(self, sleeve: int, channels: IntArray) -> Float32Array:
        """Return the newest seconds of some channels of a sleeve while it moves."""
        return self._emg_uv[sleeve][:, channels]

    def all(self) -> dict[str, TeleopView]:
        """Return every state by name."""
        still, rest = self._still, self._rest
        forward = (0.1, *STILL[1:])
        moving = replace(still, velocities=forward, safety_state="moving", reason="a gesture is held")
        stopped = replace(still, safety_state="stopped", reason="stopped by the operator", stops=1)
        hung = "the operator's window sends no heartbeat"
        silent = of_sleeve_text(self._sleeves[-1].name, "no decision for 0.15 s")
        trial = replace(SHEET, running=True, seconds=41.0)
        return {
            "ready": self._view(still, rest, "all parts run"),
            "armed": self._view(
                replace(still, safety_state="armed", reason="no gesture is held"), rest, "armed", sheet=trial
            ),
            "moving": self._view(moving, self._moves, "armed", sheet=trial),
            "stopped": self._view(stopped, rest, "stopped"),
            "fault": self._view(replace(still, safety_state="fault", reason=hung, stops=2), rest, "armed"),
            "signal_lost": self._view(
                replace(still, safety_state="fault", reason=silent, stops=1),
                (*rest[:-1], replace(rest[-1], emg_silent_s=4.0, decision_silent_s=4.0)),
                "armed",
            ),
            "part_lost": self._part_lost(replace(still, safety_state="fault", reason=silent, stops=1)),
            "preflight": self._preflight_fails(),
        }

    def of_participant(self) -> dict[str, TeleopView]:
        """Return the states that the participant's view is shown in."""
        every = self.all()
        return {name: every[name] for name in ("ready", "moving", "stopped", "fault")}

    def _part_lost(self, robot: RobotSnapshot) -> TeleopView:
        name = of_sleeve("decode", self._sleeves[-1].name)
        down = PartState(name, "restarting", detail="(it wrote nothing)")
        seen = (*self._rest[:-1], replace(self._rest[-1], decision_silent_s=0.9))
        return self._view(robot, seen, KILLED.format(down.title), parts=_parts(self._sleeves, down))

    def _preflight_fails(self) -> TeleopView:
        """Show a sleeve that sits badly, a run-stop that is pressed, a disk that is full."""
        first, *others = self._rest
        quality = first.quality
        if quality is None:
            raise StreamLostError("the simulated wearer's signal was too short to be judged")
        states = quality.states.copy()
        states[::2] = ChannelState.DETACHED.value
        for channel, state in BAD.items():
            states[channel] = ChannelState[state].value
        seen = (replace(first, quality=replace(quality, states=states)), *others)
        robot = replace(self._still, runstopped=True)
        return self._view(robot, seen, "the run-stop was pressed", free_bytes=1.1e9)

    def _view(
        self,
        robot: RobotSnapshot,
        seen: tuple[Seen, ...],
        message: str,
        *,
        sheet: SheetView = SHEET,
        parts: tuple[PartState, ...] | None = None,
        free_bytes: float = FREE_BYTES,
    ) -> TeleopView:
        parts = parts or _parts(self._sleeves)
        inputs = PreflightInputs(
            parts=parts,
            decoders=[sleeve.decoder for sleeve in self._sleeves],
            seen=seen,
            robot=robot,
            free_bytes=free_bytes,
        )
        return TeleopView(
            robot=robot,
            seen=seen,
            parts=parts,
            checks=preflight(inputs),
            sheet=sheet,
            messages=(Message(time.monotonic(), message),),
            recording=self._folder,
            recorded_bytes=47_300_000,
            seconds=46.0,
        )


def _parts(sleeves: Sequence[WornSleeve], *other: PartState) -> tuple[PartState, ...]:
    """Return every part as running, but those that are given."""
    names = (
        of_sleeve(part, sleeve.name if part in {"acquire", "decode"} else "")
        for part in PART_NAMES
        for sleeve in sleeves
    )
    parts = {name: PartState(name, "running") for name in names}
    return tuple((parts | {part.name: part for part in other}).values())


def _observe(
    sleeve: WornSleeve, wearer_seed: int, done: Sequence[tuple[str, float]]
) -> tuple[Seen, Float32Array]:
    """Return what an observer has seen, and the newest EMG, at the end of what a simulated wearer did."""
    wearer = SimulatedWearer(WearerSettings(seed=wearer_seed))
    info = wearer.info
    pipeline, monitor = DecoderPipeline(sleeve.decoder, info), QualityMonitor(info.fs_hz, info.n_channels)
    history, reports = [], []
    recent = RecentSignal(round(RECENT_S * info.fs_hz), info.n_channels)
    for gesture, seconds in done:
        wearer.set_intention(gesture)
        emg_uv = wearer.read(round(seconds * info.fs_hz))
        recent.add(emg_uv)
        reports += monitor.process(emg_uv)
        history += [replace(one, t_lsl_s=one.sample_index / info.fs_hz) for one in pipeline.process(emg_uv)]
    lately = tuple(one for one in history if one.t_lsl_s >= history[-1].t_lsl_s - HISTORY_S)
    seen = Seen(sleeve.name, info, reports[-1], 0.02, 0.02, 0, pipeline.gestures, lately)
    return seen, recent.newest(np.arange(info.n_channels))
