"""``hdemg demo``."""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui import CLI_MODULE
from ui.commands.options import add_json, add_wearer, folder
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

if TYPE_CHECKING:
    from simulation.demo import DemoResult

NAME = "demo"
HELP = "the main job end to end on this machine, nothing to plug in"
EXAMPLE = "hdemg demo --out my-demo"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--out", type=folder, help="folder for sessions, decoder and report (default: a temporary one)"
    )
    add_wearer(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run the main job; 1 if not every DoF moved or replay differed from live."""
    from simulation.demo import run_demo
    from simulation.demo_report import write_report

    if args.out is not None and args.out.exists() and any(args.out.iterdir()):
        raise InputError(f"{args.out} is not empty: nothing is overwritten; choose another --out")
    out = args.out or Path(tempfile.mkdtemp(prefix="hdemg-demo-"))
    out.mkdir(parents=True, exist_ok=True)
    with interrupt_on_sigterm(), ProgressBar("demo") as progress:
        result = run_demo(out, args.wearer, progress, CLI_MODULE)
    report = write_report(result, out / "report.html")
    _print_summary(result)
    print(f"report: {report}")
    if args.json:
        print_json(_figures(result, report))
    shortfalls = result.shortfalls
    for shortfall in shortfalls:
        print(f"demo: {shortfall}", file=sys.stderr)
    return 1 if shortfalls else 0


def _print_summary(result: "DemoResult") -> None:
    final = result.final
    print(f"classes: {len(result.gestures)} ({', '.join(result.gestures)})")
    print(f"accuracy by trial: {result.trial_accuracy:.3f} live, over {len(result.outcomes)} trials")
    print(
        f"latency, newest electrode sample to ROS 2 command: median {final.latency_ms_median:.1f} ms, "
        f"p99 {final.latency_ms_p99:.1f} ms"
    )
    print(f"DoF moved both ways, coarse and fine: {len(result.dof_moved)} ({', '.join(result.dof_moved)})")
    print(f"stops: {final.stops}; decisions identical in replay: {result.identical}; {result.seconds:.0f} s")


def _figures(result: "DemoResult", report: Path) -> dict[str, object]:
    return {
        "classes": list(result.gestures),
        "trial_accuracy": result.trial_accuracy,
        "latency_ms": {"median": result.final.latency_ms_median, "p99": result.final.latency_ms_p99},
        "dof_moved": result.dof_moved,
        "stops": result.final.stops,
        "seconds": round(result.seconds, 1),
        "report": str(report),
        "identical_to_recording": result.identical,
    }
