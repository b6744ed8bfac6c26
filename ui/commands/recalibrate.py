"""``hdemg recalibrate``."""

import argparse
from typing import TYPE_CHECKING

from ui.commands.options import (
    add_emg_choice,
    add_json,
    add_margins,
    check_decoder_place,
    file_path,
    folder,
    margins_given,
)
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

if TYPE_CHECKING:
    from calibration.recalibrate import RecalibrationReport

NAME = "recalibrate"
HELP = "an older decoder + a new donning -> decoder that fits it, from 1-3 repetitions or without labels"
EXAMPLE = "hdemg recalibrate decoder.onnx data/sub-001/ses-Session3Train -o new.onnx --unlabelled"
_WAYS = {
    "afresh": "trained afresh: nothing shows that the old decoder adds to the new repetitions",
    "pooled": "old decoder and new repetitions together",
    "carried": "old decoder carried over to how the electrodes lie now",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "decoder", type=file_path, metavar="DECODER", help="decoder to start from; not changed"
    )
    parser.add_argument(
        "sessions", type=folder, nargs="+", metavar="SESSION", help="session folder of the new donning"
    )
    parser.add_argument(
        "-o", "--out", type=file_path, required=True, metavar="NEW", help="decoder file to write"
    )
    parser.add_argument(
        "--unlabelled",
        action="store_true",
        help="ignore cues: find the sleeve's position from rest and two or more gestures, in any order",
    )
    parser.add_argument(
        "--follow-drift",
        action="store_true",
        help="the new decoder also follows slow drift in use, from confident decisions and within bounds",
    )
    add_emg_choice(parser)
    add_margins(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Recalibrate and say how; refused, with the reason, where the evidence does not bear it."""
    from calibration.recalibrate import carry_over, recalibrate
    from calibration.train_settings import TrainSettings
    from decoding.decoder_file import load_decoder
    from emg_acquisition.recording.session import load_session

    check_decoder_place(args.out)
    decoder = load_decoder(args.decoder)
    margins = TrainSettings(**margins_given(args))
    with interrupt_on_sigterm(), ProgressBar("recalibrate") as progress:
        progress("reading", 0.0)
        sessions = [load_session(path, args.emg) for path in args.sessions]
        if args.unlabelled:
            report = carry_over(decoder, sessions, args.out, progress, follow_drift=args.follow_drift)
        else:
            report = recalibrate(
                decoder, sessions, args.out, progress, follow_drift=args.follow_drift, margins=margins
            )
    _print_summary(report)
    if args.json:
        print_json(
            {
                "decoder": str(report.decoder),
                "model": report.model,
                "held_out": {
                    "window_accuracy": report.window_accuracy,
                    "trial_accuracy": report.trial_accuracy,
                },
                "seconds": round(report.seconds, 3),
                "way": report.way,
                "shift": {"rows": report.shift.rows, "columns": report.shift.columns},
                "similarity": round(report.shift.similarity, 4),
            }
        )
    return 0


def _print_summary(report: "RecalibrationReport") -> None:
    shift = report.shift
    print(f"{report.decoder}: {_WAYS[report.way]}")
    print(
        f"the pattern lies {shift.rows:+d} rows and {shift.columns:+d} columns from where it lay "
        f"(similarity {shift.similarity:.2f})"
    )
    if report.trial_accuracy is None:
        print("held out: not estimated, two labelled repetitions are needed")
    else:
        print(
            f"held-out repetitions: {report.trial_accuracy:.3f} of trials, "
            f"{report.window_accuracy:.3f} of windows right"
        )
