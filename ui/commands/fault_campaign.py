"""``hdemg fault-campaign``."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError, StreamLostError
from ui import CLI_MODULE
from ui.commands.options import add_json, add_wearer, folder, integer, seed
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

if TYPE_CHECKING:
    from simulation.fault_campaign.outcome import Outcome

NAME = "fault-campaign"
HELP = "inject faults into the running chain and measure how the robot is stopped"
EXAMPLE = """hdemg fault-campaign --count 500 --out campaign --markdown
         hdemg fault-campaign --kinds source_killed,bridge_hung --count 20"""
MAX_COUNT = 100_000
MAX_JOBS = 16
EXIT_BROKEN = 1
EXIT_INTERRUPTED = 130
# Of the simulated wearer's calibration.
REPETITIONS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--count",
        type=integer(1, MAX_COUNT),
        default=66,
        metavar="N",
        help="faults to inject (default: %(default)s)",
    )
    parser.add_argument(
        "--kinds", metavar="KIND,KIND", help="only these kinds (default: all; 'list' names them)"
    )
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="SEED", help="random seed of the plan (default: 0)"
    )
    parser.add_argument(
        "--out",
        type=folder,
        metavar="DIR",
        help="folder for results and logs; one that holds a part of this campaign is continued "
        "(default: a temporary one)",
    )
    parser.add_argument(
        "--jobs",
        type=integer(1, MAX_JOBS),
        default=1,
        metavar="N",
        help="chains in parallel (default: %(default)s)",
    )
    parser.add_argument(
        "--markdown", action="store_true", help="print the tables as they stand in docs/safety.md"
    )
    add_wearer(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run the campaign; 1 if a fault was missed or a bound was broken."""
    from simulation.fault_campaign.campaign import (
        CampaignSettings,
        read_outcomes,
        run_campaign,
    )
    from simulation.fault_campaign.kinds import FAULT_KINDS

    if args.kinds == "list":
        for kind in FAULT_KINDS:
            print(f"{kind.name:22} {kind.what}")
        return 0
    settings = CampaignSettings(args.count, _kinds(args.kinds), args.seed, args.wearer)
    out = args.out or Path(tempfile.mkdtemp(prefix="hdemg-faults-"))
    status = 0
    try:
        with interrupt_on_sigterm(), ProgressBar(NAME) as progress:
            out.mkdir(parents=True, exist_ok=True)
            progress("training a decoder for the simulated wearer", 0.0)
            decoder = _decoder(out, args.wearer)
            outcomes = run_campaign(out, settings, decoder, args.jobs, progress, cli_module=CLI_MODULE)
    except KeyboardInterrupt:
        outcomes, status = read_outcomes(out), EXIT_INTERRUPTED
        print(
            f"interrupted after {len(outcomes)} of {args.count}; the same command with --out {out} continues"
        )
    except StreamLostError as error:
        # What was measured until then is reported all the same.
        outcomes, status = read_outcomes(out), EXIT_BROKEN
        print(f"{error}; the same command with --out {out} continues", file=sys.stderr)
    return _report(outcomes, out, args) or status


def _report(outcomes: "list[Outcome]", out: Path, args: argparse.Namespace) -> int:
    from simulation.fault_campaign import summary

    shown = summary.markdown if args.markdown else summary.plain
    if outcomes:
        print(shown(summary.kinds_table(outcomes)), end="\n\n")
        print(shown(summary.travel_table(outcomes)), end="\n\n")
    if voids := summary.void_attempts(outcomes):
        print(f"{voids} more faults do not count: the robot had stopped by itself just before them")
    for line in summary.broken(outcomes):
        print(line)
    print(f"results: {out}")
    if args.json:
        print_json(summary.figures(outcomes))
    return 0 if summary.all_in_bounds(outcomes) else EXIT_BROKEN


def _decoder(out: Path, wearer_seed: int) -> Path:
    """Return the decoder in `out`; calibrate the simulated wearer and train it, where there is none yet."""
    from simulation.forearm.settings import WearerSettings
    from simulation.recorded_wearer import calibrate_wearer

    decoder = out / "decoder.onnx"
    if not decoder.exists():
        wearer = WearerSettings(seed=wearer_seed)
        calibrate_wearer(wearer, out / "ses-calibration", decoder, repetitions=REPETITIONS, seed=wearer_seed)
    return decoder


def _kinds(text: str | None) -> tuple[str, ...]:
    from simulation.fault_campaign.kinds import KIND_OF_NAME

    if text is None:
        return tuple(KIND_OF_NAME)
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in KIND_OF_NAME]
    if unknown or not names:
        raise InputError(
            f"--kinds {text!r}: {', '.join(unknown) or 'nothing'} is no kind of fault; there are "
            f"{', '.join(KIND_OF_NAME)}"
        )
    return names
