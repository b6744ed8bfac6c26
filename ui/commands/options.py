"""Options that several commands share, so that they read the same everywhere."""

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError

if TYPE_CHECKING:
    from calibration.signal_options import SignalOptions

MAX_TIMEOUT_S = 3600.0
# From the table of `benchmarks/wearer_difficulty.py`: a wearer of high skill, openly a good user.
DEFAULT_WEARER = 2
IMPAIRMENTS = ("none", "c5", "c6", "c7", "c8")
MAX_MARGIN_S = 60.0
# A ROS 2 name has at most 255 characters; the rest is for the topics' own.
MAX_NAMESPACE = 200
MAX_CODE = 64
_NAMESPACE = re.compile(r"/?[A-Za-z_][A-Za-z0-9_]*(/[A-Za-z_][A-Za-z0-9_]*)*")


def add_json(parser: argparse.ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object as the last line")


def add_lsl(parser: argparse.ArgumentParser) -> None:
    """``--lsl-session`` and ``--timeout``."""
    parser.add_argument(
        "--lsl-session",
        default="default",
        metavar="ID",
        help="see only streams of this LSL session (default: %(default)s, LSL's own)",
    )
    parser.add_argument(
        "--timeout",
        type=search_time,
        default=10.0,
        metavar="S",
        help=f"seconds to look for the streams, at most {MAX_TIMEOUT_S:g} (default: %(default)g)",
    )


def add_emg_choice(parser: argparse.ArgumentParser) -> None:
    """``--emg``, for recorded sessions."""
    parser.add_argument(
        "--emg",
        type=source_id,
        metavar="SOURCE_ID",
        help="which EMG stream of a session that holds several (default: the only one)",
    )


def add_ros(parser: argparse.ArgumentParser) -> None:
    """``--namespace``."""
    parser.add_argument(
        "--namespace", type=namespace, default="", metavar="NS", help="ROS 2 namespace (default: none)"
    )


def add_wearer(parser: argparse.ArgumentParser) -> None:
    """``--wearer``."""
    parser.add_argument(
        "--wearer",
        type=seed,
        default=DEFAULT_WEARER,
        metavar="SEED",
        help="which simulated wearer (default: %(default)s, one of the skilled)",
    )


def add_wearer_details(parser: argparse.ArgumentParser) -> None:
    """``--impairment`` and ``--gestures`` of a simulated wearer."""
    parser.add_argument(
        "--impairment",
        choices=IMPAIRMENTS,
        default="none",
        help="motor level of an injury of the simulated wearer's cervical cord (default: %(default)s)",
    )
    parser.add_argument(
        "--gestures",
        type=file_path,
        metavar="YAML",
        help="gestures that the simulated wearer knows, as muscle synergies (default: the ten)",
    )


def add_signal(parser: argparse.ArgumentParser) -> None:
    """``--signal`` and ``--powerline``."""
    parser.add_argument(
        "--signal",
        type=folder,
        metavar="YAML",
        help="filter, window, spatial filter and features of the decoder; hdemg init writes such a file with every key "
        "(default: 20-400 Hz, 200 ms; held-out repetitions choose features and spatial filter)",
    )
    parser.add_argument(
        "--powerline",
        choices=("50", "60", "none"),
        help="mains frequency in Hz to notch out (default: that of --signal, or none)",
    )


def signal_given(args: argparse.Namespace) -> "SignalOptions":
    """Return the options of `add_signal`."""
    from calibration.signal_options import SignalOptions

    return SignalOptions(str(args.signal or ""), args.powerline or "")


def add_margins(parser: argparse.ArgumentParser) -> None:
    """``--after-cue`` and ``--before-next``."""
    parser.add_argument(
        "--after-cue",
        type=margin,
        metavar="S",
        help="seconds left out at the start of a trial, while the muscle reacts (default: 1; less for trials "
        "that were cut out of a recording)",
    )
    parser.add_argument(
        "--before-next",
        type=margin,
        metavar="S",
        help="seconds left out before the next cue (default: 1)",
    )


def margins_given(args: argparse.Namespace) -> dict[str, float]:
    """Return the margins of `add_margins` that were given, as settings name them."""
    margins = {"after_cue_s": args.after_cue, "before_next_s": args.before_next}
    return {name: value for name, value in margins.items() if value is not None}


def margin(text: str) -> float:
    """Read seconds, from 0 to `MAX_MARGIN_S`."""
    value = float(text)
    if not 0 <= value <= MAX_MARGIN_S:
        raise argparse.ArgumentTypeError(f"0 to {MAX_MARGIN_S:g} seconds are allowed, got {text}")
    return value


def positive_number(text: str) -> float:
    """Read a finite number above zero, for argparse."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a finite number above 0 is required, got {text}")
    return value


def integer(minimum: int, maximum: int) -> Callable[[str], int]:
    """Return a reader of integers from `minimum` to `maximum`, for argparse."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if not minimum <= value <= maximum:
            raise argparse.ArgumentTypeError(
                f"an integer from {minimum} to {maximum} is required, got {text!r}"
            )
        return value

    return read


def search_time(text: str) -> float:
    """Read seconds to look for a stream."""
    value = positive_number(text)
    if value > MAX_TIMEOUT_S:
        raise argparse.ArgumentTypeError(f"at most {MAX_TIMEOUT_S:g} seconds are allowed, got {text}")
    return value


def seed(text: str) -> int:
    """Read an integer of at least 0."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"an integer of at least 0 is required, got {text}")
    return value


def source_id(text: str) -> str:
    """Read the ``source_id`` of an LSL stream."""
    if not text.strip() or "'" in text:
        raise argparse.ArgumentTypeError(f"it must not be empty or hold an apostrophe, got {text!r}")
    return text


def code(text: str) -> str:
    """Read the code of a participant or a session, which becomes part of folder names."""
    if not (text.isascii() and text.isalnum() and len(text) <= MAX_CODE):
        raise argparse.ArgumentTypeError(
            f"a code of letters and digits is required, {MAX_CODE} at most, got {text!r}"
        )
    return text


def namespace(text: str) -> str:
    """Read a ROS 2 namespace; empty for none."""
    if text and (len(text) > MAX_NAMESPACE or not _NAMESPACE.fullmatch(text)):
        raise argparse.ArgumentTypeError(
            f"letters, digits and underscores are allowed, with slashes between names that begin with no digit, "
            f"{MAX_NAMESPACE} characters in all; got {text!r}"
        )
    return text


def playback_speed(text: str) -> float:
    """Read a playback speed: a number above zero, or ``max`` (infinity)."""
    return float("inf") if text == "max" else positive_number(text)


def file_path(text: str) -> Path:
    """Read the path of a file, or of a file or folder, as an absolute one, for child processes."""
    return Path(text).expanduser().resolve()


def folder(text: str) -> Path:
    """Read the path of a folder as an absolute one, for child processes; shells complete folders only."""
    return file_path(text)


def check_decoder_place(out: Path) -> None:
    """Refuse a place that no decoder file can be written to, before any work is done."""
    if not out.parent.is_dir():
        raise InputError(f"{out.parent} is no folder: make it first, or choose another --out")
    if out.is_dir():
        raise InputError(f"{out} is a folder: --out names the decoder file, for example {out}/decoder.onnx")
