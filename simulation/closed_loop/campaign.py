"""A task for a participant: makes the muscle, the chain and the user, and collects the attempts.

Everything follows from the seeds: the same participant and settings give the same attempts, bit for bit.
"""

import logging
import multiprocessing
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, get_args

from decoding.decoder_file import DecoderFile, load_decoder
from emg_acquisition.errors import InputError
from emg_acquisition.recording.session import load_session
from robot_bridge.gesture_map import GestureMap, load_gesture_map
from robot_bridge.robot_model import RobotModel, load_robot_model
from simulation.closed_loop.achievement import run_achievement
from simulation.closed_loop.attempt import Attempt, Rig
from simulation.closed_loop.fitts import run_fitts
from simulation.closed_loop.household import draw_task, run_household, start_of
from simulation.closed_loop.household_tasks import Task
from simulation.closed_loop.loop import ClosedLoop
from simulation.closed_loop.muscle import Muscle, WearerMuscle
from simulation.closed_loop.trial_bank import BankMuscle, BankSettings, TrialBank
from simulation.closed_loop.user_settings import UserSettings
from simulation.closed_loop.virtual_user import VirtualUser
from simulation.forearm.settings import WearerSettings
from simulation.stretch.kinematic_stretch import KinematicStretch
from simulation.stretch.stretch_body import StretchBody

TaskName = Literal["fitts", "tac", "household"]
TASK_NAMES: tuple[TaskName, ...] = get_args(TaskName)
Progress = Callable[[str, float], None]
# In the middle of its reach, so that targets lie on either side.
START = {
    "lift": 0.55,
    "arm": 0.26,
    "wrist_yaw": 1.5,
    "wrist_pitch": -0.5,
    "wrist_roll": 0.0,
    "gripper": 0.14,
}
# Of a simulated wearer's calibration.
CALIBRATION_REPETITIONS = 5


@dataclass(frozen=True)
class Participant:
    """Who drives: a decoder, and either recorded sessions or a simulated wearer as the muscle.

    Parameters
    ----------
    name : str
        For tables.
    decoder : Path or None
        The decoder's file; None calibrates the simulated wearer first.
    bank : tuple of Path
        Sessions whose trials are the muscle.
    bank_settings : BankSettings
        What is used of them.
    wearer : WearerSettings or None
        The simulated wearer.
    """

    name: str
    decoder: Path | None
    bank: tuple[Path, ...] = ()
    bank_settings: BankSettings = field(default_factory=BankSettings)
    wearer: WearerSettings | None = None


@dataclass(frozen=True)
class CampaignSettings:
    """What is to be done; ``trials`` are targets a condition, postures a number of DoF, or times of each task.

    With ``physics`` the robot stands in MuJoCo's small home and has weight and contact; otherwise it is kinematic.
    """

    task: TaskName
    gesture_map: str
    trials: int
    seed: int = 0
    user: UserSettings = field(default_factory=UserSettings)
    dof: tuple[str, ...] = ()
    physics: bool = False


@dataclass(frozen=True)
class CampaignResult:
    """What a participant did, and in how much simulated time."""

    participant: str
    attempts: tuple[Attempt, ...]
    simulated_s: float


class _Bench:
    """What a participant's attempts share."""

    def __init__(self, participant: Participant, settings: CampaignSettings, decoder: DecoderFile) -> None:
        self.model: RobotModel = load_robot_model()
        self.map: GestureMap = load_gesture_map(settings.gesture_map, decoder.metadata.gestures, self.model)
        self._participant, self._settings, self._decoder = participant, settings, decoder
        self._loops: list[ClosedLoop] = []
        self._make_muscle = _muscle_maker(participant, self.map)

    def rig(self, body: StretchBody, number: int) -> Rig:
        """Make a fresh loop, muscle and user, the same for the same number; armed."""
        seed = 1000 * self._settings.seed + number
        muscle = self._make_muscle(seed)
        loop = ClosedLoop(muscle, self._decoder, self.map, self.model, body)
        loop.begin()
        self._loops.append(loop)
        return Rig(loop, VirtualUser(self._settings.user, self.map, self.model, seed), self.model)

    def household(self, name: str, number: int) -> tuple[Rig, Task]:
        """Set up an everyday task, by rules of geometry or by physics."""
        if not self._settings.physics:
            task = draw_task(name, self._settings.seed, number)
            return self.rig(KinematicStretch(self.model, start_of(name)), number), task
        # Here, so that everything else runs where MuJoCo is not installed.
        from simulation.closed_loop.physics_tasks import PhysicsHome  # noqa: PLC0415

        home = PhysicsHome(self.model)
        task = home.set_up(name, 1000 * self._settings.seed + number)
        return self.rig(home.robot, number), task

    def body(self) -> StretchBody:
        """Return a robot in the middle of its reach."""
        if not self._settings.physics:
            return KinematicStretch(self.model, START)
        from simulation.stretch.mujoco_stretch import MujocoStretch  # noqa: PLC0415

        return MujocoStretch(self.model, START, "empty")

    @property
    def simulated_s(self) -> float:
        """Simulated time of all loops so far."""
        return sum(loop.t_s for loop in self._loops)


def run_campaign(
    participant: Participant,
    settings: CampaignSettings,
    folder: Path,
    progress: Progress = lambda _step, _share: None,
) -> CampaignResult:
    """Let one participant do a task.

    Parameters
    ----------
    participant : Participant
        Who.
    settings : CampaignSettings
        What.
    folder : Path
        Where a calibration and its decoder are put, if one is needed.
    progress : callable
        Told what happens and the share done.

    Raises
    ------
    InputError
        If decoder, map and muscle do not fit each other.
    StreamLostError
        If the bridge does not arm.
    """
    decoder_path = participant.decoder
    if decoder_path is None:
        progress("calibrating", 0.0)
        decoder_path = _calibrated(participant, folder)
    decoder = load_decoder(decoder_path)
    bench = _Bench(participant, settings, decoder)
    if settings.task == "household":
        attempts = tuple(run_household(bench.household, bench.map, settings.trials, progress))
    else:
        dof = _dof_of(settings, bench.map)
        rig = bench.rig(bench.body(), 0)
        if settings.task == "fitts":
            attempts = tuple(run_fitts(rig, dof, settings.trials, progress))
        else:
            attempts = tuple(run_achievement(rig, dof, settings.trials, settings.seed, progress))
    return CampaignResult(participant.name, attempts, bench.simulated_s)


def run_campaigns(
    participants: Sequence[Participant],
    settings: CampaignSettings,
    folder: Path,
    jobs: int,
    progress: Progress = lambda _step, _share: None,
) -> list[CampaignResult]:
    """Let several participants do a task, at most `jobs` of them at the same time; the result does not depend on it."""
    if jobs == 1 or len(participants) == 1:
        results = []
        for index, participant in enumerate(participants):
            told = _share_of(progress, participant.name, index, len(participants))
            results.append(run_campaign(participant, settings, folder, told))
        return results
    # Workers leave Ctrl-C to this process, which ends them; a fresh interpreter each: no thread is copied.
    context = multiprocessing.get_context("spawn")
    arguments = [(participant, settings, folder) for participant in participants]
    by_name: dict[str, CampaignResult] = {}
    with context.Pool(min(jobs, len(participants)), initializer=_leave_interrupts) as pool:
        for done, result in enumerate(pool.imap_unordered(_run_one, arguments), start=1):
            by_name[result.participant] = result
            progress(result.participant, done / len(participants))
    return [by_name[participant.name] for participant in participants]


def _calibrated(participant: Participant, folder: Path) -> Path:
    """Calibrate a simulated wearer; returns the decoder's file."""
    # Only here: a decoder that is there already is run without what trains one (the extra `train`).
    from simulation.recorded_wearer import calibrate_wearer  # noqa: PLC0415

    if participant.wearer is None:
        msg = f"{participant.name}: a recorded arm needs a decoder; train one on other sessions first"
        raise InputError(msg)
    session = folder / f"sub-{participant.name}" / "ses-calibration"
    if session.exists():
        msg = f"{session} exists: a session is never overwritten; choose another folder"
        raise InputError(msg)
    return calibrate_wearer(
        participant.wearer,
        session,
        participant=participant.name,
        repetitions=CALIBRATION_REPETITIONS,
        seed=participant.wearer.seed,
    ).decoder


def _dof_of(settings: CampaignSettings, gesture_map: GestureMap) -> tuple[str, ...]:
    strangers = [dof for dof in settings.dof if dof not in gesture_map.covers]
    if strangers:
        moves = ", ".join(gesture_map.covers)
        msg = f"the map {gesture_map.name} does not move {', '.join(strangers)}; it moves {moves}"
        raise InputError(msg)
    return settings.dof or gesture_map.covers


def _muscle_maker(participant: Participant, gesture_map: GestureMap) -> Callable[[int], Muscle]:
    if participant.wearer is not None:
        wearer = participant.wearer
        # Another recording of the same donning: other trials, other noise, posture a little changed.
        return lambda seed: WearerMuscle(replace(wearer, session=seed + 1))
    bank = TrialBank([load_session(path) for path in participant.bank], participant.bank_settings)
    bank.require({gesture_map.rest, *(g for acts in gesture_map.modes.values() for g in acts)})
    return lambda seed: BankMuscle(bank, seed, gesture_map.rest)


def _share_of(progress: Progress, name: str, index: int, count: int) -> Progress:
    return lambda step, share: progress(f"{name}, {step}", (index + share) / count)


def _run_one(argument: tuple[Participant, CampaignSettings, Path]) -> CampaignResult:
    return run_campaign(*argument)


def _leave_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("robot_bridge").setLevel(logging.ERROR)
