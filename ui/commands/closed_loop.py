"""``hdemg closed-loop``."""

import argparse
import logging
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui.commands.options import IMPAIRMENTS, add_json, file_path, folder, integer, seed
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

if TYPE_CHECKING:
    from simulation.closed_loop.campaign import CampaignSettings, Participant
    from simulation.closed_loop.figures import Estimate, Summary

NAME = "closed-loop"
HELP = "a virtual user drives a simulated robot through the whole chain, in simulated time"
EXAMPLE = (
    "hdemg closed-loop decoder.onnx --emg-bank data/sub-001/ses-Session1Test --map four_gestures --out fitts"
)
MAX_COUNT = 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "decoder",
        type=file_path,
        nargs="?",
        metavar="DECODER",
        help="the decoder to drive with; without one, each simulated wearer is calibrated first",
    )
    muscle = parser.add_mutually_exclusive_group(required=True)
    muscle.add_argument(
        "--emg-bank",
        type=folder,
        nargs="+",
        metavar="SESSION",
        help="recorded sessions whose trials are the user's muscle; use others than the decoder was trained on",
    )
    muscle.add_argument(
        "--wearer",
        type=seed,
        nargs="+",
        metavar="SEED",
        help="simulated wearers; one with a DECODER of their own, any number without",
    )
    parser.add_argument(
        "--repetitions",
        type=seed,
        nargs="+",
        default=[],
        metavar="N",
        help="only these repetitions of the recorded sessions (default: all)",
    )
    parser.add_argument(
        "--impairment",
        choices=IMPAIRMENTS,
        default="none",
        help="motor level of an injury of the simulated wearers' cervical cord (default: %(default)s)",
    )
    parser.add_argument(
        "--task",
        choices=("fitts", "tac", "household"),
        default="fitts",
        help="targets on one DoF, postures of several (target achievement), or everyday tasks (default: %(default)s)",
    )
    parser.add_argument("--map", default="ten_gestures", help="gesture map (default: %(default)s)")
    parser.add_argument(
        "--dof", nargs="+", default=[], metavar="DOF", help="only these DoF (default: all of the map)"
    )
    parser.add_argument(
        "--trials",
        type=integer(1, MAX_COUNT),
        default=10,
        metavar="N",
        help="targets a condition, postures a number of DoF, or times of each task (default: %(default)s)",
    )
    parser.add_argument(
        "--physics",
        action="store_true",
        help="simulate weight and contact; household tasks run in MuJoCo's small home (default: kinematic)",
    )
    parser.add_argument("--user", type=file_path, metavar="YAML", help="the virtual user's settings")
    parser.add_argument("--seed", type=seed, default=0, metavar="N", help="random seed (default: 0)")
    parser.add_argument(
        "--out", type=folder, required=True, metavar="OUT", help="folder for CSV, JSON and HTML"
    )
    parser.add_argument(
        "--jobs",
        type=integer(1, MAX_COUNT),
        default=1,
        metavar="N",
        help="participants at the same time (default: 1)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run the campaign and say what was completed, how fast, and what failed."""
    from simulation.closed_loop.campaign import run_campaigns
    from simulation.closed_loop.figures import by_label, summarise
    from simulation.closed_loop.results import condition_of, write_results

    participants, settings = _participants(args), _settings(args)
    # Every gesture arms and moves the robot; stops are counted and shown, and need no line each.
    logging.getLogger("robot_bridge").setLevel(logging.ERROR)
    began_s = time.monotonic()
    with interrupt_on_sigterm(), ProgressBar(NAME) as progress:
        results = run_campaigns(participants, settings, args.out, args.jobs, progress)
    seconds = time.monotonic() - began_s
    written = write_results(results, settings, args.out)
    attempts = [one for result in results for one in result.attempts]
    groups = (
        [summarise(r.participant, r.attempts, settings.seed) for r in results] if len(results) > 1 else []
    )
    overall = summarise("all", attempts, settings.seed)
    for summary in (*by_label(attempts, condition_of, settings.seed), *groups, overall):
        print(_line(summary))
    for result in results:
        for one in result.attempts:
            if not one.completed:
                print(f"  not completed: {result.participant}, {one.label}: {one.reason}")
    simulated_s = sum(result.simulated_s for result in results)
    print(f"{simulated_s:.0f} s of simulated time in {seconds:.0f} s; {written.report}")
    if args.json:
        print_json(
            {
                "task": settings.task,
                "attempts": overall.attempts,
                "completed": overall.completed,
                "completion": _triple(overall.completion),
                "time_s": _triple(overall.time_s),
                "throughput_bit_s": _triple(overall.throughput_bit_s),
                "stops": overall.stops,
                "simulated_s": round(simulated_s, 1),
                "seconds": round(seconds, 1),
                "report": str(written.report),
            }
        )
    return 0


def _participants(args: argparse.Namespace) -> "list[Participant]":
    from simulation.closed_loop.campaign import Participant
    from simulation.closed_loop.trial_bank import BankSettings
    from simulation.forearm.settings import WearerSettings

    if args.emg_bank:
        if args.decoder is None:
            raise InputError(
                "--emg-bank needs a DECODER, trained on other sessions: hdemg train SESSION -o DECODER"
            )
        bank = BankSettings(repetitions=tuple(args.repetitions))
        return [Participant(_participant_code(args.emg_bank[0]), args.decoder, tuple(args.emg_bank), bank)]
    if args.repetitions:
        raise InputError("--repetitions is for --emg-bank")
    if args.decoder is not None and len(args.wearer) > 1:
        raise InputError(
            "a DECODER is one wearer's own: give one --wearer, or no DECODER and each is calibrated first"
        )
    if len(set(args.wearer)) != len(args.wearer):
        raise InputError("--wearer: name each wearer once")
    return [
        Participant(
            f"W{number:02d}", args.decoder, wearer=WearerSettings(seed=number, impairment=args.impairment)
        )
        for number in args.wearer
    ]


def _participant_code(session: Path) -> str:
    from emg_acquisition.recording.session import read_session_info

    return read_session_info(session).participant


def _settings(args: argparse.Namespace) -> "CampaignSettings":
    from emg_acquisition.settings_file import load_settings
    from simulation.closed_loop.campaign import CampaignSettings
    from simulation.closed_loop.user_settings import UserSettings

    user = load_settings(args.user, UserSettings) if args.user else UserSettings()
    return CampaignSettings(
        task=args.task,
        gesture_map=args.map,
        trials=args.trials,
        seed=args.seed,
        user=user,
        dof=tuple(args.dof),
        physics=args.physics,
    )


def _line(summary: "Summary") -> str:
    rate = summary.completion
    line = f"{summary.label}: {summary.completed} of {summary.attempts} completed ({rate.value:.1%}, "
    line += f"95 % {rate.low:.1%} to {rate.high:.1%})"
    if summary.completed:
        line += f", median {summary.time_s.value:.1f} s, path efficiency {summary.path_efficiency:.2f}"
    throughput = summary.throughput_bit_s
    if throughput is not None and summary.completed:
        line += f", {throughput.value:.2f} bit/s ({throughput.low:.2f} to {throughput.high:.2f})"
    line += f", {summary.overshoots:.2f} overshoots, {summary.mode_switches:.1f} mode switches"
    return line + (f", {summary.stops} stops" if summary.stops else "")


def _triple(estimate: "Estimate | None") -> dict[str, float] | None:
    if estimate is None or not math.isfinite(estimate.value):
        return None
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high}
