"""A recorded session in real time through the whole live chain, and what each trial made the robot do."""

import math
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from calibration.outcomes import TrialOutcome
from calibration.train_settings import CUE_MARGIN_S, Margins
from decoding.decoder_file import load_decoder
from decoding.pipeline import DecoderPipeline
from decoding.windows import window_spec
from emg_acquisition.recording.session import Session, load_session
from emg_acquisition.sources.recording import RecordingSource
from emg_acquisition.streams.lsl_config import configure_lsl
from evaluation.bridge_replay import BridgeReplay, replay_bridge
from evaluation.decisions import recorded_decisions, session_outcomes
from evaluation.replay import replay_session
from robot_bridge.gesture_map import GestureMap, Move, load_gesture_map
from robot_bridge.operator_link import RobotSnapshot
from robot_bridge.robot_model import RobotModel, load_robot_model
from robot_bridge.stretch_interface import DOF_NAMES
from teleoperation.chain import ChainSettings, LiveChain, Sleeve, isolate, running_chain
from teleoperation.robot_log import RobotLog, RobotTrack, moved_dof

POLL_S = 0.1
# A whole session is played until its source has ended; no longer than this after its length.
END_MARGIN_S = 5.0
LIMIT_TOLERANCE = 0.01


@dataclass(frozen=True)
class TrialMotion:
    """What the robot did in a trial, against what the map says.

    Parameters
    ----------
    outcome : TrialOutcome
        What was decided.
    expected : Move or None
        DoF and direction of the cued gesture in the mode of that moment; None where it moves nothing.
    moved : dict of str to int
        DoF that moved, with their directions.
    at_limit : bool
        Whether the expected DoF already stood at the end of its range in that direction.
    """

    outcome: TrialOutcome
    expected: Move | None
    moved: dict[str, int]
    at_limit: bool

    @property
    def exact(self) -> bool:
        """Whether just the expected DoF moved, in the expected direction (or could not, at its limit)."""
        if self.expected is None:
            return not self.moved
        return self.moved == {self.expected.dof: self.expected.sign} or (self.at_limit and not self.moved)


@dataclass(frozen=True)
class RobotReplay:
    """Result of a replay through the robot.

    ``stops`` are those before the recording's end, which is one too; ``bridge`` compares every command that was given
    with one computed again from what the bridge was told.
    """

    outcomes: tuple[TrialOutcome, ...]
    motions: tuple[TrialMotion, ...]
    decisions: int
    identical_to_recording: bool | None
    real_time_factor: float
    stops: int
    final: RobotSnapshot
    bridge: BridgeReplay | None


def replay_through_robot(
    folder: Path,
    decoder: Path,
    gesture_map: str,
    *,
    cli_module: str,
    speed: float = 1.0,
    progress: Callable[[str, float], None],
    max_seconds: float | None = None,
    sleeve: str | None = None,
) -> RobotReplay:
    """Play a session into the live chain with a simulated Stretch and judge every trial.

    Parameters
    ----------
    folder, decoder : Path
        Session folder and decoder file.
    gesture_map : str
        Name of a ready-made map or a YAML file.
    cli_module : str
        Module that runs an ``hdemg`` command line.
    speed : float
        Times the recording's own rate.
    progress : callable
        Told what happens and the fraction done.
    max_seconds : float, optional
        Play no more than so many recorded seconds.
    sleeve : str, optional
        ``source_id`` of the EMG stream; needed only where the session holds several.

    Raises
    ------
    InputError
        If session, decoder and map do not fit each other; nothing is started then.
    StreamLostError
        If a stage ends in mid-session.
    """
    session = load_session(folder, sleeve)
    decoder_file = load_decoder(decoder)
    DecoderPipeline(decoder_file, session.emg.info)
    model = load_robot_model()
    chosen_map = load_gesture_map(gesture_map, decoder_file.metadata.gestures, model)
    emg_source_id = RecordingSource(session).info.source_id
    length_s = len(session.emg.emg_uv) / session.emg.info.fs_hz
    length_s = min(length_s + END_MARGIN_S, max_seconds or math.inf)
    names = isolate()
    configure_lsl(names.lsl_session)
    with tempfile.TemporaryDirectory(prefix="hdemg-replay-") as temporary:
        settings = ChainSettings(
            sources=((str(folder), "--speed", str(speed), *((f"--emg={sleeve}",) if sleeve else ())),),
            sleeves=(Sleeve(decoder, emg_source_id),),
            gesture_map=gesture_map,
            out=Path(temporary),
            cli_module=cli_module,
            record_to=Path(temporary) / "recorded",
            event_source_ids=(f"{emg_source_id}-events",),
            robot=("--scene", "empty"),
        )
        started = time.monotonic()
        with running_chain(settings, names) as chain:
            track, final = _play(chain, length_s / speed, progress)
        took_s = time.monotonic() - started
        recorded = load_session(Path(temporary) / "recorded")
        live = replay_session(recorded, decoder_file)
        bridge = replay_bridge(recorded.folder)
    judged = session_outcomes(
        recorded,
        recorded_decisions(recorded),
        decoder_file.metadata.gestures,
        window_spec(decoder_file.metadata.signal, decoder_file.metadata.fs_hz).window_samples,
        Margins(),
    )
    outcomes = tuple(outcome for outcome in judged if _whole(recorded, outcome))
    motions = tuple(_judge(outcome, recorded, track, chosen_map, model) for outcome in outcomes)
    played_s = len(recorded.emg.emg_uv) / recorded.emg.info.fs_hz
    return RobotReplay(
        outcomes,
        motions,
        len(live.values),
        live.identical_to_recording,
        played_s / took_s,
        track.stops[track.at(float(recorded.emg.t_lsl_s[-1]))],
        final,
        bridge,
    )


def _play(
    chain: LiveChain, wall_s: float, progress: Callable[[str, float], None]
) -> tuple[RobotTrack, RobotSnapshot]:
    progress("starting the chain", 0.0)
    chain.wait_until_ready()
    log = RobotLog(chain.link)
    started = time.monotonic()
    try:
        chain.arm()
        while (gone_s := time.monotonic() - started) < wall_s and not chain.source_ended:
            chain.check()
            progress("playing", min(1.0, gone_s / wall_s))
            time.sleep(POLL_S)
        final = chain.link.snapshot()
    finally:
        track = log.stop()
    return track, final


def _whole(recorded: Session, outcome: TrialOutcome) -> bool:
    """Whether a trial was played to its end, or at least beyond its middle: a last one may have been cut off."""
    seconds = (outcome.trial.stop - outcome.trial.start) / recorded.emg.info.fs_hz
    return outcome.trial.stop < len(recorded.emg.emg_uv) or seconds >= 3 * CUE_MARGIN_S


def _judge(
    outcome: TrialOutcome, recorded: Session, track: RobotTrack, gesture_map: GestureMap, model: RobotModel
) -> TrialMotion:
    trial, t_lsl_s = outcome.trial, recorded.emg.t_lsl_s
    margin = round(CUE_MARGIN_S * recorded.emg.info.fs_hz)
    begin, end = float(t_lsl_s[trial.start + margin]), float(t_lsl_s[trial.stop - 1])
    looked = track.at(begin)
    acts = gesture_map.acts(track.modes[looked], trial.gesture)
    expected = acts.move if acts is not None else None
    moved = moved_dof(track.displacement(begin, end), model)
    return TrialMotion(outcome, expected, moved, _at_limit(expected, track, looked, model))


def _at_limit(expected: Move | None, track: RobotTrack, looked: int, model: RobotModel) -> bool:
    if expected is None:
        return False
    dof = model.dof[expected.dof]
    limit = dof.upper if expected.sign > 0 else dof.lower
    position = track.positions[looked][DOF_NAMES.index(expected.dof)]
    return limit is not None and bool(abs(position - limit) < LIMIT_TOLERANCE)
