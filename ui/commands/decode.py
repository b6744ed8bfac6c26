"""``hdemg decode``."""

import argparse

from ui.commands.options import add_json, add_lsl, file_path, source_id
from ui.console import print_json, stop_on_signals

NAME = "decode"
HELP = "LSL stream of type EMG -> decoder -> LSL stream of type Gesture"
EXAMPLE = """hdemg decode decoder.onnx
         hdemg decode decoder.onnx --emg simulated-2 --source-id hdemg-decoder"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument("decoder", type=file_path, metavar="DECODER", help="decoder.onnx")
    parser.add_argument(
        "--emg", type=source_id, metavar="SOURCE_ID", help="EMG stream (default: the only one there is)"
    )
    parser.add_argument(
        "--source-id",
        type=source_id,
        default="hdemg-decoder",
        metavar="ID",
        help="source_id of the Gesture stream, to which the bridge is bound (default: %(default)s)",
    )
    add_lsl(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Decode until stopped."""
    from decoding.live import LiveDecoderSettings, run_live_decoder
    from emg_acquisition.streams.lsl_config import configure_lsl

    configure_lsl(args.lsl_session)
    settings = LiveDecoderSettings(args.decoder, args.emg, args.source_id, args.timeout)
    with stop_on_signals() as stop:
        report = run_live_decoder(settings, stop)
    print(f"{report.decisions} decisions, {report.gaps} gaps in the EMG")
    if args.json:
        print_json({"decisions": report.decisions, "gaps": report.gaps})
    return 0
