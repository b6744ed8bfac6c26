"""``hdemg replay``."""

import argparse
from collections import defaultdict
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui.commands.options import add_emg_choice, add_json, add_margins, folder, playback_speed, positive_number
from ui.commands.replay_decode import EXIT_DIFFERS, bridge_figures, bridge_lines, decode_only
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

if TYPE_CHECKING:
    from teleoperation.robot_replay import TrialMotion

NAME = "replay"
HELP = "a recorded session through a decoder, and on through bridge and simulated robot"
EXAMPLE = """hdemg replay data/sub-001/ses-Session1Test --decoder decoder.onnx --robot sim --map lift_and_gripper
         hdemg replay data/sub-P01/ses-20261123T101500 --window"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("session", type=folder, metavar="SESSION", help="folder of a recorded session")
    parser.add_argument(
        "--decoder", type=folder, metavar="DECODER", help="default: the session's own, of each sleeve"
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
    parser.add_argument(
        "--seconds", type=positive_number, help="with a robot: play only the first so many seconds"
    )
    parser.add_argument(
        "--window",
        action="store_true",
        help="look at the session in a window instead: --speed is the playing's",
    )
    add_emg_choice(parser)
    add_margins(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Replay and say what was decided, and what moved; 1 where live decisions and replay differ."""
    if args.window:
        from ui.commands.replay_window import run_window

        return run_window(args)
    return _with_robot(args) if args.robot else decode_only(args)


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
            speed=speed,
            progress=progress,
            max_seconds=args.seconds,
            sleeve=emg,
        )
    for line in bridge_lines(result.bridge):
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
                **bridge_figures(result.bridge),
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
