"""``hdemg doctor``."""

import argparse
from dataclasses import asdict

from ui.console import print_json

NAME = "doctor"
HELP = "say what this machine has and lacks: packages, LSL, ROS 2, screen, libraries, disk"
EXAMPLE = "hdemg doctor"

_MARK = {True: "ok  ", None: "note", False: "FAIL"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")


def run(args: argparse.Namespace) -> int:
    """Run every check; 1 where one failed."""
    from ui.doctor import run_checks

    checks = run_checks()
    for check in checks:
        print(f"{_MARK[check.ok]}  {check.name}: {check.found}")
        if check.remedy:
            print(f"      {check.remedy}")
    failed = any(check.ok is False for check in checks)
    if args.json:
        print_json({"ok": not failed, "checks": [asdict(check) for check in checks]})
    return int(failed)
