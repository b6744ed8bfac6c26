"""``hdemg doctor``."""

import argparse
from dataclasses import asdict
from functools import partial

from ui.commands.options import add_json, search_time
from ui.console import print_json

NAME = "doctor"
HELP = "check what this machine has and lacks, with a remedy for each lack"
EXAMPLE = """hdemg doctor
         hdemg doctor --amplifier muovi+ --host 192.168.1.10
         hdemg doctor --amplifier 169.254.1.10:23456"""

_MARK = {True: "ok  ", None: "note", False: "FAIL"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--amplifier",
        metavar="NAME|HOST:PORT",
        help="also reach this amplifier and read from it (names: hdemg acquire --help)",
    )
    parser.add_argument("--host", help="with a name: where the amplifier is, as hdemg acquire takes it")
    parser.add_argument("--port", type=int, metavar="N", help="with a name: the port there")
    parser.add_argument(
        "--timeout",
        type=search_time,
        default=10.0,
        metavar="S",
        help="seconds to wait for the amplifier (default: %(default)g)",
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Run every check; 1 where one failed."""
    from ui import doctor

    asked = args.amplifier is not None
    more = (
        (partial(doctor.check_amplifier, args.amplifier, args.host, args.port, args.timeout),)
        if asked
        else ()
    )
    checks = []
    for check in doctor.run_checks(more):
        print(f"{_MARK[check.ok]}  {check.name}: {check.found}", flush=True)
        if check.remedy:
            print(f"      {check.remedy}", flush=True)
        checks.append(check)
    failed = any(check.ok is False for check in checks)
    if args.json:
        print_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    return int(failed)
