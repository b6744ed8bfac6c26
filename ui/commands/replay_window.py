"""``hdemg replay --window``."""

import argparse
import math

from emg_acquisition.errors import InputError
from ui.commands.options import margins_given
from ui.console import ProgressBar, interrupt_on_sigterm, stop_on_signals

WINDOW_SPEED = 1.0


def run_window(args: argparse.Namespace) -> int:
    """Show a session until its window is closed; errors are reported before a window opens.

    Without a decoder file the session's own decisions are shown alone.
    """
    from calibration.train_settings import Margins
    from decoding.decoder_file import load_decoder
    from decoding.pipeline import DecoderPipeline
    from emg_acquisition.recording.session_parts import open_session
    from evaluation.session_decoders import find_decoders
    from ui.screen import require_screen
    from ui.view_models.replay import ReplaySettings

    _refuse(args)
    chosen = [(args.emg, args.decoder)] if args.decoder else find_decoders(args.session, args.emg)
    # Of several sleeves one is looked at: opening the session says that --emg chooses it.
    path = chosen[0][1]
    if path is not None and not args.decoder and not path.exists():
        path = None
    with interrupt_on_sigterm(), ProgressBar("replay") as progress:
        progress("opening the session", 0.0)
        session = open_session(args.session, args.emg)
        decoder = load_decoder(path) if path is not None else None
        if decoder is not None:
            DecoderPipeline(decoder, session.emg.info)
    require_screen("or leave out --window")
    from ui.windows.replay import run_replay_window

    margins = Margins(**margins_given(args))
    settings = ReplaySettings(
        session,
        decoder,
        judges_replay=args.decoder is not None,
        after_cue_s=margins.after_cue_s,
        before_next_s=margins.before_next_s,
        speed=args.speed or WINDOW_SPEED,
    )
    with stop_on_signals() as stop:
        print(f"showing {args.session}", flush=True)
        run_replay_window(settings, stop)
    return 0


def _refuse(args: argparse.Namespace) -> None:
    """Refuse what has no meaning for a window."""
    given = {"--robot": args.robot, "--seconds": args.seconds, "--json": args.json}
    for option, value in given.items():
        if value:
            raise InputError(f"{option} is for a replay without a window; leave out {option} or --window")
    if args.speed == math.inf:
        raise InputError("--speed max is for decoding alone; a window plays at a number, or leave it out")
