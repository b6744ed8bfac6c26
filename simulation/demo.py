"""The main job on this machine with nothing plugged in: calibrate, train, drive, stop, replay, report."""

import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from calibration.outcomes import TrialOutcome, trial_accuracy
from calibration.train import TrainReport
from calibration.train_settings import Margins
from decoding.decoder_file import load_decoder
from decoding.windows import window_spec
from emg_acquisition.events import REST, Event
from emg_acquisition.recording.session import load_session
from emg_acquisition.streams.lsl_config import configure_lsl
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from evaluation.decisions import recorded_decisions, session_outcomes
from evaluation.replay import replay_session
from robot_bridge.gesture_map import GestureMap, load_gesture_map
from robot_bridge.operator_link import RobotSnapshot
from robot_bridge.robot_model import RobotModel, load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from simulation.operator.every_dof import every_dof
from simulation.operator.gesture_operator import WITH_MUSCLES, GestureOperator, Hold
from simulation.operator.live_script import LIVE, perform, view_of
from simulation.recorded_wearer import AFTER_CUE_S, calibrate_wearer
from teleoperation.chain import ChainSettings, LiveChain, Sleeve, isolate, running_chain
from teleoperation.robot_log import RobotLog, RobotTrack

GESTURE_MAP = "ten_gestures"
REPETITIONS = 4
STOP_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class DemoResult:
    """What the demo measured; the report shows it."""

    folder: Path
    training: TrainReport
    outcomes: tuple[TrialOutcome, ...]
    holds: tuple[Hold, ...]
    track: RobotTrack
    final: RobotSnapshot
    identical: bool | None
    decisions: int
    model: RobotModel
    seconds: float

    @property
    def gestures(self) -> Sequence[str]:
        """Names of the classes."""
        return self.training.gestures

    @property
    def trial_accuracy(self) -> float:
        """Share of the live holds and rests that were decided right."""
        return trial_accuracy(self.outcomes)

    @property
    def dof_moved(self) -> list[str]:
        """DoF that moved both ways in coarse and in fine."""
        return [
            name
            for name in DOF_NAMES
            if {(h.direction, h.fine) for h in self.holds if h.dof == name and h.achieved}
            == {(1, False), (-1, False), (1, True), (-1, True)}
        ]

    @property
    def shortfalls(self) -> list[str]:
        """What the demo promises and did not show, a sentence each."""
        found = [hold.words for hold in self.holds if not hold.achieved]
        missing = [name for name in DOF_NAMES if name not in self.dof_moved]
        if missing and not found:
            found.append(f"{', '.join(missing)} did not move both ways, coarse and fine")
        if self.identical is False:
            found.append("replay decided otherwise than the live session")
        return found


def run_demo(
    folder: Path, wearer_seed: int, progress: Callable[[str, float], None], cli_module: str
) -> DemoResult:
    """Run the whole main job into `folder`.

    Parameters
    ----------
    folder : Path
        Receives the sessions, the decoder and the logs.
    wearer_seed : int
        Which simulated wearer.
    progress : callable
        Told what happens and the fraction done.
    cli_module : str
        Module that runs an ``hdemg`` command line.

    Raises
    ------
    StreamLostError
        If a stage ends, or the robot stops again and again; the message has its reason.
    CommandRejectedError
        If the robot cannot be armed.
    """
    started = time.monotonic()
    progress("calibrating a simulated wearer", 0.0)
    calibration, decoder = folder / "sub-DEMO" / "ses-calibration", folder / "decoder.onnx"
    training = calibrate_wearer(
        WearerSettings(seed=wearer_seed),
        calibration,
        decoder,
        participant="DEMO",
        repetitions=REPETITIONS,
        seed=wearer_seed,
        progress=lambda step, part: progress(f"training, {step}", 0.15 * part),
    )
    model = load_robot_model()
    holds, track, final = _drive(
        folder, decoder, wearer_seed, progress, training.gestures, cli_module=cli_module
    )
    progress("replaying what was recorded", 0.97)
    session = folder / "sub-DEMO" / "ses-live"
    shutil.copy2(decoder, session / "decoder.onnx")
    live = load_session(session)
    decoder_file = load_decoder(session / "decoder.onnx")
    replay = replay_session(live, decoder_file)
    window_samples = window_spec(decoder_file.metadata.signal, decoder_file.metadata.fs_hz).window_samples
    margins = Margins(after_cue_s=AFTER_CUE_S, before_next_s=0.0)
    progress("done", 1.0)
    return DemoResult(
        folder,
        training,
        session_outcomes(live, recorded_decisions(live), training.gestures, window_samples, margins),
        tuple(holds),
        track,
        final,
        replay.identical_to_recording,
        len(replay.values),
        model,
        time.monotonic() - started,
    )


def _drive(
    folder: Path,
    decoder: Path,
    wearer_seed: int,
    progress: Callable[[str, float], None],
    gestures: Sequence[str],
    *,
    cli_module: str,
) -> tuple[list[Hold], RobotTrack, RobotSnapshot]:
    gesture_map = load_gesture_map(GESTURE_MAP, gestures, load_robot_model())
    names = isolate()
    configure_lsl(names.lsl_session)
    intentions_id = f"demo-intentions-{uuid.uuid4().hex[:8]}"
    intentions = EventOutlet("demo intentions", intentions_id)
    settings = ChainSettings(
        sources=(("simulated", "--wearer", str(wearer_seed), "--intentions", intentions_id),),
        sleeves=(Sleeve(decoder, SimulatedWearer(WearerSettings(seed=wearer_seed)).info.source_id),),
        gesture_map=GESTURE_MAP,
        out=folder,
        cli_module=cli_module,
        record_to=folder / "sub-DEMO" / "ses-live",
        participant="DEMO",
        event_source_ids=(intentions_id,),
        robot=("--scene", "empty"),
    )
    progress("starting the live chain", 0.15)
    try:
        with running_chain(settings, names) as chain:
            chain.wait_until_ready()
            chain.arm()
            log = RobotLog(chain.link)
            try:
                holds = _touch_every_dof(chain, gesture_map, intentions, progress)
            finally:
                track = log.stop()
            final = _stop(chain)
    finally:
        intentions.close()
    return holds, track, final


def _touch_every_dof(
    chain: LiveChain,
    gesture_map: GestureMap,
    intentions: EventOutlet,
    progress: Callable[[str, float], None],
) -> list[Hold]:
    holds: list[Hold] = []
    total = 4 * len(gesture_map.covers)

    def tell(hold: Hold) -> None:
        holds.append(hold)
        progress(f"driving, {'fine' if hold.fine else 'coarse'} {hold.dof}", 0.2 + 0.75 * len(holds) / total)

    operator = GestureOperator(gesture_map, load_robot_model(), lambda: view_of(chain.link), WITH_MUSCLES)
    make = _Muscles(chain, intentions).make
    perform(every_dof(gesture_map, operator, tell), make, chain.link, rest=gesture_map.rest)
    return holds


class _Muscles:
    """Tells the simulated wearer what to intend, and the recording with it: there it is the truth, trial by trial."""

    def __init__(self, chain: LiveChain, intentions: EventOutlet) -> None:
        self._chain, self._intentions = chain, intentions
        self._said, self._trial = REST, 0

    def make(self, gesture: str) -> None:
        self._chain.check()
        if gesture == self._said:
            return
        self._said = gesture
        self._trial += 1
        now_s = lsl_clock_s()
        self._intentions.push(Event(now_s, "intention", {"gesture": gesture, "effort": 1.0}))
        self._intentions.push(
            Event(now_s, "cue", {"gesture": gesture, "repetition": 1, "trial": self._trial})
        )


def _stop(chain: LiveChain) -> RobotSnapshot:
    """Stop by the operator's link, as a caregiver would, and see that the bridge stands stopped."""
    chain.link.stop()
    return chain.link.wait_for(lambda now: now.safety_state not in LIVE, STOP_TIMEOUT_S)
