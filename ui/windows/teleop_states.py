"""A session's view in each of its states, without a running session: for pictures and for tests of the windows.

Signal, quality and decisions are computed from a simulated wearer, and checks are judged by the preflight itself; what
only a running bridge knows (state, reason, joints, latency) is written down here.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from decoding.decoder_file import DecoderFile
from decoding.pipeline import DecoderPipeline
from emg_acquisition.arrays import Float32Array, IntArray
from emg_acquisition.errors import StreamLostError
from emg_acquisition.events import REST
from emg_acquisition.inlet import GestureSample
from emg_acquisition.quality import QualityMonitor
from emg_acquisition.quality_rules import ChannelState
from emg_acquisition.sources.simulated_forearm.settings import WearerSettings
from emg_acquisition.sources.simulated_forearm.wearer import SimulatedWearer
from robot_bridge.operator_link import RobotSnapshot
from robot_bridge.stretch_interface import DOF_NAMES
from ui.teleop.observer import HISTORY_S, RECENT_S, Seen
from ui.teleop.preflight import PreflightInputs, preflight
from ui.teleop.recent_signal import RecentSignal
from ui.teleop.session import Message, TeleopView
from ui.teleop.supervisor import PART_NAMES, PartState
from ui.teleop.trial_sheet import SheetView, Task

WEARER = 2
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
KILLED = "the decoder ended (status -9): (it wrote nothing); the robot is stopped, it is started again"


class States:
    """Views of a session in each of its states.

    Parameters
    ----------
    decoder : DecoderFile
        Decides on the wearer's signal.
    folder : Path
        Where the session says that it is recorded.
    positions : tuple of float
        Where the robot stands.
    """

    def __init__(self, decoder: DecoderFile, folder: Path, positions: Sequence[float]) -> None:
        self._decoder, self._folder = decoder, folder
        self._still = RobotSnapshot(
            positions=tuple(positions),
            velocities=STILL,
            mode="drive",
            fine=False,
            safety_state="disarmed",
            reason="not armed yet",
            gesture=REST,
            latency_ms_median=9.0,
            latency_ms_p99=14.0,
            decisions=1840,
            driver_mode="navigation",
            runstopped=False,
            battery_v=13.0,
        )
        self._rest, _ = _observe(decoder, (*DONE, (REST, 0.2)))
        self._extends, self._emg_uv = _observe(decoder, (*DONE, ("wrist_extension", 1.2)))

    def recent_emg(self, channels: IntArray) -> Float32Array:
        """Return the newest seconds of some channels while it moves."""
        return self._emg_uv[:, channels]

    def all(self) -> dict[str, TeleopView]:
        """Return every state by name."""
        still, rest = self._still, self._rest
        forward = (0.1, *STILL[1:])
        moving = replace(still, velocities=forward, safety_state="moving", reason="a gesture is held")
        stopped = replace(still, safety_state="stopped", reason="stopped by the operator", stops=1)
        hung = "the operator's window sends no heartbeat"
        silent = "no decision for 0.15 s"
        trial = replace(SHEET, running=True, seconds=41.0)
        return {
            "ready": self._view(still, rest, "all parts run"),
            "armed": self._view(
                replace(still, safety_state="armed", reason="no gesture is held"), rest, "armed", sheet=trial
            ),
            "moving": self._view(moving, self._extends, "armed", sheet=trial),
            "stopped": self._view(stopped, rest, "stopped"),
            "fault": self._view(replace(still, safety_state="fault", reason=hung, stops=2), rest, "armed"),
            "signal_lost": self._view(
                replace(still, safety_state="fault", reason=silent, stops=1),
                replace(rest, emg_silent_s=4.0, decision_silent_s=4.0),
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
        parts = _parts(PartState("decode", "restarting", detail="(it wrote nothing)"))
        seen = replace(self._rest, decision_silent_s=0.9)
        return self._view(robot, seen, KILLED, parts=parts)

    def _preflight_fails(self) -> TeleopView:
        """Show a sleeve that sits badly, a run-stop that is pressed, a disk that is full."""
        quality = self._rest.quality
        if quality is None:
            raise StreamLostError("the simulated wearer's signal was too short to be judged")
        states = quality.states.copy()
        states[::2] = ChannelState.DETACHED.value
        for channel, state in BAD.items():
            states[channel] = ChannelState[state].value
        seen = replace(self._rest, quality=replace(quality, states=states))
        robot = replace(self._still, runstopped=True)
        return self._view(robot, seen, "the run-stop was pressed", free_bytes=1.1e9)

    def _view(
        self,
        robot: RobotSnapshot,
        seen: Seen,
        message: str,
        *,
        sheet: SheetView = SHEET,
        parts: tuple[PartState, ...] | None = None,
        free_bytes: float = FREE_BYTES,
    ) -> TeleopView:
        parts = parts or _parts()
        quality = seen.quality
        inputs = PreflightInputs(
            parts=parts,
            decoder=self._decoder,
            emg_info=seen.info,
            emg_silent_s=seen.emg_silent_s,
            decision_silent_s=seen.decision_silent_s,
            quality=None if quality is None else quality.summary,
            bad_electrodes=seen.bad_electrodes,
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


def _parts(*other: PartState) -> tuple[PartState, ...]:
    """Return every part as running, but those that are given."""
    parts = {name: PartState(name, "running") for name in PART_NAMES}
    return tuple((parts | {part.name: part for part in other}).values())


def _observe(decoder: DecoderFile, done: Sequence[tuple[str, float]]) -> tuple[Seen, Float32Array]:
    """Return what an observer has seen, and the newest EMG, at the end of what a simulated wearer did."""
    wearer = SimulatedWearer(WearerSettings(seed=WEARER))
    info = wearer.info
    pipeline, monitor = DecoderPipeline(decoder, info), QualityMonitor(info.fs_hz, info.n_channels)
    history, reports = [], []
    recent = RecentSignal(round(RECENT_S * info.fs_hz), info.n_channels)
    for gesture, seconds in done:
        wearer.set_intention(gesture)
        emg_uv = wearer.read(round(seconds * info.fs_hz))
        recent.add(emg_uv)
        reports += monitor.process(emg_uv)
        history += [
            GestureSample(
                one.gesture_index,
                one.confidence,
                one.effort,
                one.quality,
                tuple(one.probabilities.tolist()),
                one.sample_index / info.fs_hz,
            )
            for one in pipeline.process(emg_uv)
        ]
    lately = tuple(one for one in history if one.t_lsl_s >= history[-1].t_lsl_s - HISTORY_S)
    seen = Seen(info, reports[-1], 0.02, 0.02, 0, pipeline.gestures, lately)
    return seen, recent.newest(np.arange(info.n_channels))
