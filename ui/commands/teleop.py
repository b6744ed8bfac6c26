"""``hdemg teleop``."""

import argparse
import math
from contextlib import ExitStack
from typing import TYPE_CHECKING

from pydantic import ValidationError

from emg_acquisition.errors import InputError
from ui.commands.options import add_json, code, file_path, folder, namespace, source_id
from ui.console import ProgressBar, interrupt_on_sigterm, print_json, stop_on_signals

if TYPE_CHECKING:
    from teleoperation.session import TeleopSession
    from teleoperation.settings import TeleopSettings

NAME = "teleop"
EXIT_FAILED = 1
HELP = (
    "a live session: acquisition, decoder, bridge, robot, recorder and window, started and watched together"
)
EXAMPLE = """hdemg teleop decoder.onnx --source "simulated --wearer 2" --robot-options="--camera"
         hdemg teleop decoder.onnx --source "sessantaquattro+ --grid GR08MM1305" --robot ros --participant P01
         hdemg teleop l.onnx r.onnx --map two_sleeves --source "simulated --wearer 2" --source "simulated --wearer 5"
         hdemg teleop --config my-study/session.yaml --headless"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options; what is left out comes from ``--config``, then from the defaults."""
    parser.add_argument(
        "decoder",
        type=file_path,
        nargs="*",
        metavar="DECODER",
        help="decoder file; with several sleeves once a sleeve, in the order of the map",
    )
    parser.add_argument(
        "--config", type=file_path, metavar="YAML", help="session.yaml with any of these options"
    )
    parser.add_argument(
        "--source",
        metavar="ARGUMENTS",
        action="append",
        help="what follows 'hdemg acquire', in quotes (default: simulated); '' for a stream that is there already; "
        "with several sleeves once a sleeve, in the order of the decoders",
    )
    parser.add_argument(
        "--emg",
        type=source_id,
        metavar="SOURCE_ID",
        action="append",
        help="EMG stream (default: the source's); with several sleeves once a sleeve, in the order of the decoders",
    )
    parser.add_argument("--lsl-session", metavar="ID", help="LSL session of a stream that is there already")
    parser.add_argument(
        "--robot", choices=("sim", "ros"), help="simulated robot, or the one that runs (default: sim)"
    )
    parser.add_argument(
        "--robot-options",
        metavar="ARGUMENTS",
        help="what follows 'hdemg sim-robot', behind a = and in quotes: --robot-options=\"--camera\"",
    )
    parser.add_argument("--map", help="gesture map: a bundled name or a YAML file (default: ten_gestures)")
    parser.add_argument(
        "--namespace", type=namespace, metavar="NS", help="ROS 2 namespace of a robot that is there"
    )
    parser.add_argument("--participant", type=code, metavar="CODE", help="participant code (default: P00)")
    parser.add_argument(
        "--out", type=folder, metavar="FOLDER", help="receives the session folder (default: ./data)"
    )
    parser.add_argument(
        "--no-record", dest="record", action="store_const", const=False, help="record nothing"
    )
    parser.add_argument("--tasks", type=file_path, metavar="YAML", help="task list of a study")
    parser.add_argument(
        "--events",
        type=source_id,
        action="append",
        metavar="SOURCE_ID",
        help="Markers stream to record; repeatable",
    )
    parser.add_argument(
        "--feedback",
        choices=("off", "beeps", "speech"),
        help="announce mode changes and stops (default: off)",
    )
    parser.add_argument(
        "--script",
        choices=("cup",),
        help="let the simulated wearer do this task unattended on the simulated robot; the session ends with it",
    )
    parser.add_argument("--headless", action="store_true", help="no window: a status line on this terminal")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run a session until its window is closed, ``q`` or Ctrl-C; the robot is stopped first."""
    from ui.live_session import checked, live_session

    settings = checked(_settings(args))
    if not args.headless:
        from ui.screen import require_screen

        require_screen()
    with ExitStack() as stack:
        with interrupt_on_sigterm(), ProgressBar("teleop") as progress:
            session = stack.enter_context(live_session(settings, progress))
        with stop_on_signals() as stop:
            print(f"ready: {session.recording or 'nothing is recorded'}", flush=True)
            print(f"incident log: {session.incidents.path or 'none, there is no home folder'}", flush=True)
            if args.headless:
                from ui.headless import run_headless

                run_headless(session, stop)
            else:
                from ui.windows.teleop import run_teleop_window

                run_teleop_window(session, stop)
            figures = _figures(session)
            # In here, so that an impatient second Ctrl-C does not cut the closing short.
            stack.close()
    print(f"stops: {figures['stops']}; recorded in {figures['session'] or 'nothing'}")
    if args.json:
        print_json(figures)
    return EXIT_FAILED if figures["script_success"] is False else 0


def _settings(args: argparse.Namespace) -> "TeleopSettings":
    from emg_acquisition.settings_file import first_problem
    from teleoperation.settings import TeleopSettings, load_config

    values: dict[str, object] = load_config(args.config) if args.config is not None else {}
    for key in TeleopSettings.model_fields:
        given = getattr(args, key)
        if given not in (None, []):
            values[key] = tuple(given) if isinstance(given, list) else given
    if "decoder" not in values:
        raise InputError("no decoder: name a decoder file (hdemg calibrate or hdemg train makes one)")
    try:
        return TeleopSettings.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{args.config or 'teleop'}: {first_problem(error)}") from error


def _figures(session: "TeleopSession") -> dict[str, object]:
    view, script = session.view(), session.script
    return {
        "session": str(view.recording) if view.recording is not None else None,
        "seconds": round(view.seconds, 1),
        "decisions": view.robot.decisions,
        "stops": view.robot.stops,
        "latency_ms": {
            "median": _known(view.robot.latency_ms_median),
            "p99": _known(view.robot.latency_ms_p99),
        },
        "trials": view.sheet.done,
        "script_success": None if script is None else script.success,
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
