"""``hdemg train``."""

import argparse

from ui.commands.options import (
    add_emg_choice,
    add_json,
    add_margins,
    add_signal,
    check_decoder_place,
    file_path,
    folder,
    margins_given,
    signal_given,
)
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

NAME = "train"
HELP = "recorded sessions -> decoder.onnx, with an estimate on held-out repetitions"
EXAMPLE = """hdemg train data/sub-001/ses-Session1Train -o decoder.onnx
         hdemg train data/sub-001/ses-Session1Train -o decoder.onnx --signal my-study/signal.yaml --powerline 60"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "sessions", type=folder, nargs="+", metavar="SESSION", help="folder of a recorded session"
    )
    parser.add_argument(
        "-o", "--out", type=file_path, required=True, metavar="DECODER", help="decoder file to write"
    )
    add_emg_choice(parser)
    add_signal(parser)
    parser.add_argument(
        "--model",
        choices=("auto", "lda", "cnn"),
        default="auto",
        help="classifier; auto: LDA or, with the extra network, the network if held-out repetitions favour it "
        "(default: %(default)s)",
    )
    add_margins(parser)
    parser.add_argument(
        "--reject-unknown",
        action="store_true",
        help="make no decision on patterns unlike the training data; strict when muscles or skin have changed since",
    )
    parser.add_argument(
        "--temporal",
        action="store_true",
        help="smooth decisions over time with an HMM (fewer false transitions, more latency)",
    )
    parser.add_argument(
        "--drop",
        action="append",
        default=[],
        metavar="GESTURE",
        help="leave this gesture out of the decoder; repeatable",
    )
    parser.add_argument(
        "--merge",
        action="append",
        default=[],
        type=gesture_pair,
        metavar="FIRST=SECOND",
        help="count trials of SECOND as FIRST; repeatable",
    )
    add_json(parser)


def gesture_pair(text: str) -> tuple[str, str]:
    """Read ``first=second``."""
    first, _, second = text.partition("=")
    if not first or not second or first == second:
        raise argparse.ArgumentTypeError(f"two different gestures as FIRST=SECOND are required, got {text!r}")
    return first, second


def run(args: argparse.Namespace) -> int:
    """Train, and print how well held-out repetitions are decoded."""
    from calibration.train import train_decoder
    from calibration.train_settings import TrainSettings
    from decoding.temporal import TemporalSettings
    from emg_acquisition.recording.session import load_session

    check_decoder_place(args.out)
    signal = signal_given(args).settings()
    with interrupt_on_sigterm(), ProgressBar("train") as progress:
        progress("reading", 0.0)
        sessions = [load_session(path, args.emg) for path in args.sessions]
        settings = TrainSettings(
            model=args.model,
            reject_unknown=args.reject_unknown,
            temporal=TemporalSettings() if args.temporal else None,
            drop=tuple(args.drop),
            merge=tuple(args.merge),
            **signal,
            **margins_given(args),
        )
        report = train_decoder(sessions, args.out, settings, progress)
    held_out = {"window_accuracy": report.window_accuracy, "trial_accuracy": report.trial_accuracy}
    print(f"{report.decoder}: {report.made_of}, gestures {', '.join(report.gestures)}")
    if report.trial_accuracy is None:
        print("held out: not estimated, a second repetition of each gesture is needed")
    else:
        print(
            f"held-out repetitions: {report.trial_accuracy:.3f} of trials, "
            f"{report.window_accuracy:.3f} of windows right"
        )
    if args.json:
        print_json(
            {
                "decoder": str(report.decoder),
                "model": report.model,
                "held_out": held_out,
                "seconds": round(report.seconds, 3),
            }
        )
    return 0
