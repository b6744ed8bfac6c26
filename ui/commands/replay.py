"""``hdemg replay``: a recorded session through its decoders, through a simulated robot, or in a window."""

import argparse
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui import CLI_MODULE
from ui.commands.options import (
    add_emg_choice,
    add_json,
    add_margins,
    file_path,
    folder,
    margins_given,
    playback_speed,
    positive_number,
)
from ui.console import ProgressBar, interrupt_on_sigterm, print_json, stop_on_signals

if TYPE_CHECKING:
    from calibration.outcomes import TrialOutcome
    from calibration.train_settings import Margins
    from evaluation.bridge_replay import BridgeReplay
    from evaluation.replay import Replay
    from teleoperation.robot_replay import TrialMotion

NAME = "replay"
HELP = "a recorded session through a decoder, and on through bridge and simulated robot"
EXAMPLE = """hdemg replay data/sub-001/ses-Session1Test --decoder decoder.onnx
         hdemg replay data/sub-001/ses-Session1Test --decoder decoder.onnx --robot sim --map lift_and_gripper
         hdemg replay data/sub-001/ses-Session1Test --decoder decoder.onnx --window"""
EXIT_DIFFERS = 1
WINDOW_SPEED = 1.0


@dataclass(frozen=True)
class _SleeveReplay:
    """One sleeve's replay: the EMG stream's ``source_id``, what was decided, and how the trials came out."""

    emg_source_id: str
    result: "Replay"
    outcomes: "tuple[TrialOutcome, ...]"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("session", type=folder, metavar="SESSION", help="folder of a recorded session")
    parser.add_argument(
        "--decoder", type=file_path, metavar="DECODER", help="default: the session's own, of each sleeve"
    )
    parser.add_argument(
        "--robot", choices=("sim",), help="also drive a simulated Stretch through LSL and ROS 2"
    )
    parser.add_argument(
        "--map", default="ten_gestures", help="gesture map for the robot (default: %(default)s)"
    )
    parser.add_argument(
        "--speed",
        type=playback_speed,
        metavar="N|max",
        help="times real time (default: max, with a robot 1)",
    )
    parser.add_argument("--seconds", type=positive_number, help="with a robot: play only the first seconds")
    parser.add_argument(
        "--window",
        action="store_true",
        help="show the session in a window; --speed sets its playback speed",
    )
    add_emg_choice(parser)
    add_margins(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Replay and say what was decided, and what moved; 1 where live decisions and replay differ."""
    if args.window:
        return _in_window(args)
    return _with_robot(args) if args.robot else _decode_only(args)


# ---- through a simulated robot


def _with_robot(args: argparse.Namespace) -> int:
    from calibration.outcomes import trial_accuracy
    from calibration.train_settings import CUE_MARGIN_S
    from emg_acquisition.streams.publisher import MAX_SPEED
    from evaluation.session_decoders import decoders_of
    from teleoperation.robot_replay import replay_through_robot

    speed = 1.0 if args.speed is None else args.speed
    if (args.after_cue, args.before_next) != (None, None):
        raise InputError("--after-cue and --before-next are for decoding alone; with a robot 1 s is left out")
    if speed == float("inf"):
        raise InputError(
            "--speed max is for decoding alone: a robot takes its time; give a number or leave it out"
        )
    if speed > MAX_SPEED:
        raise InputError(f"--speed: at most {MAX_SPEED:g} times real time with a robot, got {speed:g}")
    chosen = [(args.emg, args.decoder)] if args.decoder else decoders_of(args.session, args.emg)
    if len(chosen) > 1:
        names = ", ".join(str(emg) for emg, _ in chosen)
        msg = f"--robot sim replays one sleeve; choose one of {names} with --emg, or leave out --robot"
        raise InputError(msg)
    ((emg, decoder),) = chosen
    with interrupt_on_sigterm(), ProgressBar("replay") as progress:
        result = replay_through_robot(
            args.session,
            decoder,
            args.map,
            cli_module=CLI_MODULE,
            speed=speed,
            progress=progress,
            max_seconds=args.seconds,
            sleeve=emg,
        )
    for line in _bridge_lines(result.bridge):
        print(line)
    accuracy = trial_accuracy(result.outcomes) if result.outcomes else None
    exact = sum(motion.exact for motion in result.motions)
    if accuracy is not None:
        print(
            f"{accuracy:.3f} of {len(result.outcomes)} trials right, outside {CUE_MARGIN_S:g} s of a cue change"
        )
    print(f"{exact} of {len(result.motions)} trials moved exactly what the map says")
    for line in _motion_lines(result.motions):
        print(line)
    final = result.final
    print(
        f"latency: median {final.latency_ms_median:.1f} ms, p99 {final.latency_ms_p99:.1f} ms; stops: {result.stops}"
    )
    if result.stops:
        print(f"the robot stood, and stayed so until the end: {final.reason}")
    if args.json:
        print_json(
            {
                "decisions": result.decisions,
                "real_time_factor": round(result.real_time_factor, 3),
                "identical_to_recording": result.identical_to_recording,
                "trial_accuracy": accuracy,
                "trials": len(result.outcomes),
                "trials_exact_motion": exact,
                "latency_ms": {"median": final.latency_ms_median, "p99": final.latency_ms_p99},
                "stops": result.stops,
                **_bridge_figures(result.bridge),
            }
        )
    differs = result.identical_to_recording is False or (
        result.bridge is not None and result.bridge.identical is False
    )
    return EXIT_DIFFERS if differs else 0


def _motion_lines(motions: "tuple[TrialMotion, ...]") -> list[str]:
    """One line a gesture: what it should move, and in how many trials just that moved."""
    by_gesture: dict[str, list[TrialMotion]] = defaultdict(list)
    for motion in motions:
        by_gesture[motion.outcome.trial.gesture].append(motion)
    lines = []
    for gesture, group in sorted(by_gesture.items()):
        expected = group[0].expected
        says = f"{expected.dof} {'+' if expected.sign > 0 else '-'}" if expected else "nothing"
        at_limit = sum(motion.at_limit and not motion.moved for motion in group)
        others = sorted({dof for motion in group if not motion.exact for dof in motion.moved})
        line = f"  {gesture}: {says} in {sum(m.exact for m in group)} of {len(group)} trials"
        line += f", {at_limit} of them at its limit" if at_limit else ""
        line += f"; otherwise {', '.join(others) or 'no motion'}" if not all(m.exact for m in group) else ""
        lines.append(line)
    return lines


# ---- each sleeve through its decoder, the bridge from its journal, all compared


def _decode_only(args: argparse.Namespace) -> int:
    """Replay and say what was decided; 1 where decisions or commands differ from those recorded."""
    from evaluation.bridge_replay import replay_bridge
    from evaluation.session_decoders import decoders_of
    from evaluation.session_latency import latency_figures, latency_lines, session_latency
    from robot_bridge.robot_model import load_robot_model

    _refuse_robot_options(args)
    chosen = [(args.emg, args.decoder)] if args.decoder else decoders_of(args.session, args.emg)
    with interrupt_on_sigterm(), ProgressBar("replay") as progress:
        sleeves = [_replay(args, emg, decoder, progress) for emg, decoder in chosen]
    bridge = replay_bridge(args.session)
    latency = session_latency(args.session, load_robot_model())
    for sleeve in sleeves:
        whose = f"{sleeve.emg_source_id}: " if len(sleeves) > 1 else ""
        for line in _lines(sleeve, args):
            print(f"{whose}{line}")
    for line in (*_bridge_lines(bridge), *(() if latency is None else latency_lines(latency))):
        print(line)
    if args.json:
        print_json(
            {
                **_figures(sleeves),
                **_bridge_figures(bridge),
                "recorded_latency_ms": latency_figures(latency),
                "sleeves": {sleeve.emg_source_id: _figures([sleeve]) for sleeve in sleeves},
            }
        )
    differs = _identical(sleeves) is False or (bridge is not None and bridge.identical is False)
    return EXIT_DIFFERS if differs else 0


def _refuse_robot_options(args: argparse.Namespace) -> None:
    if args.speed not in {None, math.inf}:
        raise InputError(
            "--speed N paces a replay with a robot (--robot sim); without one it runs as fast as it goes"
        )
    if args.seconds is not None:
        raise InputError(
            "--seconds shortens a replay with a robot (--robot sim); without one the whole session is decoded"
        )


def _replay(
    args: argparse.Namespace, emg: str | None, decoder: Path, progress: Callable[[str, float], None]
) -> _SleeveReplay:
    from decoding.decoder_file import load_decoder
    from decoding.windows import window_spec
    from emg_acquisition.recording.session import open_session
    from evaluation.decisions import Decided, session_outcomes
    from evaluation.replay import replay_session

    decoder_file = load_decoder(decoder)
    session = open_session(args.session, emg)
    result = replay_session(session, decoder_file, progress)
    about = decoder_file.metadata
    outcomes = session_outcomes(
        session,
        Decided(result.sample_index, result.gesture_index),
        about.gestures,
        window_spec(about.signal, about.fs_hz).window_samples,
        _margins(args),
    )
    return _SleeveReplay(session.emg.info.source_id, result, outcomes)


def _margins(args: argparse.Namespace) -> "Margins":
    from calibration.train_settings import Margins

    return Margins(**margins_given(args))


def _lines(sleeve: _SleeveReplay, args: argparse.Namespace) -> Iterator[str]:
    from calibration.outcomes import trial_accuracy

    result, outcomes = sleeve.result, sleeve.outcomes
    yield f"{len(result.values)} decisions, {result.real_time_factor:.0f} x real time"
    if outcomes:
        left_out = _margins(args)
        margins = (
            f"outside {left_out.after_cue_s:g} s after a cue and {left_out.before_next_s:g} s before the next"
        )
        yield f"{trial_accuracy(outcomes):.3f} of {len(outcomes)} trials right, {margins}"
    if result.identical_to_recording is not None:
        which = "identical to" if result.identical_to_recording else "DIFFER from"
        yield f"decisions {which} those recorded"
    if result.not_compared:
        yield (
            f"the last {result.not_compared} not compared: their decoder was started again, and the recording ended "
            "before it said since when it decodes"
        )


def _figures(sleeves: Sequence[_SleeveReplay]) -> dict[str, object]:
    """Return the figures of one sleeve, or of all: the slowest's speed, and no trials, which are a sleeve's."""
    from calibration.outcomes import trial_accuracy

    outcomes = sleeves[0].outcomes if len(sleeves) == 1 else ()
    return {
        "decisions": sum(len(sleeve.result.values) for sleeve in sleeves),
        "real_time_factor": round(min(sleeve.result.real_time_factor for sleeve in sleeves), 1),
        "identical_to_recording": _identical(sleeves),
        "not_compared": sum(sleeve.result.not_compared for sleeve in sleeves),
        "trial_accuracy": trial_accuracy(outcomes) if outcomes else None,
    }


def _identical(sleeves: Sequence[_SleeveReplay]) -> bool | None:
    """Whether every sleeve's decisions are those recorded; None where that cannot be known of each."""
    every = [sleeve.result.identical_to_recording for sleeve in sleeves]
    if False in every:
        return False
    return None if None in every else True


def _bridge_lines(bridge: "BridgeReplay | None") -> list[str]:
    """Say whether the commands that the bridge gave were computed again; nothing where no bridge was recorded."""
    if bridge is None:
        return []
    if bridge.identical is None:
        return [f"commands not compared: {bridge.unknown_why}"]
    which = "identical to" if bridge.identical else "DIFFER from"
    return [f"{bridge.commands} commands in {len(bridge.ticks)} ticks of the bridge {which} those recorded"]


def _bridge_figures(bridge: "BridgeReplay | None") -> dict[str, object]:
    """Return how many commands were given and whether they were computed again, for JSON."""
    if bridge is None:
        return {"commands": None, "commands_identical_to_recording": None}
    return {"commands": bridge.commands, "commands_identical_to_recording": bridge.identical}


# ---- in a window


def _in_window(args: argparse.Namespace) -> int:
    """Show a session until its window is closed; errors are reported before a window opens.

    Without a decoder file the session's own decisions are shown alone.
    """
    from decoding.decoder_file import load_decoder
    from decoding.pipeline import DecoderPipeline
    from emg_acquisition.recording.session import open_session
    from evaluation.session_decoders import find_decoders
    from ui.screen import require_screen
    from ui.view_models.replay import ReplaySettings

    _refuse_with_window(args)
    chosen = [(args.emg, args.decoder)] if args.decoder else find_decoders(args.session, args.emg)
    # Of several sleeves one is looked at: opening the session says that --emg chooses it.
    path = chosen[0][1]
    if path is not None and not args.decoder and not path.exists():
        path = None
    with interrupt_on_sigterm(), ProgressBar("replay") as progress:
        progress("opening the session", 0.0)
        session = open_session(args.session, args.emg)
        decoder = load_decoder(path) if path is not None else None
        if decoder is not None:
            DecoderPipeline(decoder, session.emg.info)
    require_screen("or leave out --window")
    from ui.windows.replay import run_replay_window

    margins = _margins(args)
    settings = ReplaySettings(
        session,
        decoder,
        judges_replay=args.decoder is not None,
        after_cue_s=margins.after_cue_s,
        before_next_s=margins.before_next_s,
        speed=args.speed or WINDOW_SPEED,
    )
    with stop_on_signals() as stop:
        print(f"showing {args.session}", flush=True)
        run_replay_window(settings, stop)
    return 0


def _refuse_with_window(args: argparse.Namespace) -> None:
    """Refuse what has no meaning for a window."""
    given = {"--robot": args.robot, "--seconds": args.seconds, "--json": args.json}
    for option, value in given.items():
        if value:
            raise InputError(f"{option} is for a replay without a window; leave out {option} or --window")
    if args.speed == math.inf:
        raise InputError("--speed max is for decoding alone; a window plays at a number, or leave it out")
