"""``hdemg quality``."""

import argparse
from typing import TYPE_CHECKING

from ui.commands.options import add_json, add_lsl, source_id
from ui.console import print_json, stop_on_signals

if TYPE_CHECKING:
    from rich.text import Text

    from emg_acquisition.quality.live import QualityUpdate

NAME = "quality"
HELP = "signal quality of each electrode of an LSL stream of type EMG, once a second"
EXAMPLE = """hdemg quality --once
         hdemg quality --emg simulated-2"""
# The slowest states take 1.1 s to show; less than this would call them good.
ONCE_AFTER_S = 2.0
SILENT_S = 1.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's options."""
    parser.add_argument(
        "--emg", type=source_id, metavar="SOURCE_ID", help="EMG stream (default: the only one there is)"
    )
    parser.add_argument(
        "--once", action="store_true", help=f"judge {ONCE_AFTER_S:g} s, print the result and exit"
    )
    add_lsl(parser)
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Show the quality until stopped; with ``--once``, one time."""
    from rich.console import Console
    from rich.live import Live

    from emg_acquisition.quality.live import watch_quality
    from emg_acquisition.streams.inlet import EmgInlet
    from emg_acquisition.streams.lsl_config import configure_lsl

    configure_lsl(args.lsl_session)
    console = Console(highlight=False)
    # A terminal wraps at words; a file or a pipe keeps every line whole.
    console.soft_wrap = not console.is_terminal
    update: QualityUpdate | None = None
    with stop_on_signals() as stop:
        inlet = EmgInlet(args.emg, args.timeout, stop=stop)
        redraw = Live(console=console, auto_refresh=False) if console.is_terminal and not args.once else None
        try:
            if redraw is not None:
                redraw.start()
            for update in watch_quality(inlet, stop):
                if args.once:
                    if _is_enough(update):
                        console.print(_drawn(update))
                        break
                elif redraw is not None:
                    redraw.update(_drawn(update), refresh=True)
                else:
                    console.print(_drawn(update))
        finally:
            if redraw is not None:
                redraw.stop()
    if args.json:
        print_json(_figures(update))
    return 0


def _is_enough(update: "QualityUpdate") -> bool:
    report = update.report
    return report is not None and report.sample_index >= ONCE_AFTER_S * update.info.fs_hz


def _drawn(update: "QualityUpdate") -> "Text":
    from rich.text import Text

    from emg_acquisition.quality.monitor import ChannelState
    from emg_acquisition.quality.picture import SYMBOLS, advice_lines, grid_picture

    text = Text(f"{update.info.name} ({update.info.source_id}): ")
    if update.silent_s > SILENT_S:
        text.append(f"no samples for {update.silent_s:.0f} s\n", style="bold red")
        return text
    if update.report is None:
        text.append(f"waiting for half a second of signal, {update.gaps} gaps\n")
        return text
    report = update.report
    good = report.counts[ChannelState.GOOD]
    text.append(
        f"quality {report.summary:.2f}, {good} of {len(report.states)} electrodes good, {update.gaps} gaps\n"
    )
    picture = Text(grid_picture(update.info.grid, report.states) + "\n")
    picture.highlight_words([SYMBOLS[ChannelState.GOOD]], style="green")
    bad = [symbol for state, symbol in SYMBOLS.items() if state is not ChannelState.GOOD]
    picture.highlight_regex(rf"(?<= )[{''.join(bad)}](?=\s|$)", style="bold red")
    for line in advice_lines(update.info.channel_labels, report.states) or ["all good"]:
        text.append(line + "\n")
    text.append_text(picture)
    return text


def _figures(update: "QualityUpdate | None") -> dict[str, object]:
    from emg_acquisition.quality.picture import bad_electrodes

    if update is None or update.report is None:
        return {"summary": None, "counts": {}, "bad": {}, "gaps": update.gaps if update else 0}
    report = update.report
    bad = bad_electrodes(update.info.channel_labels, report.states)
    return {
        "source_id": update.info.source_id,
        "summary": report.summary,
        "counts": {state.name.lower(): n for state, n in report.counts.items()},
        "bad": {label: state.name.lower() for state, labels in bad.items() for label in labels},
        "gaps": update.gaps,
    }
