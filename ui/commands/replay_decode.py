"""``hdemg replay`` without a robot: each sleeve through its decoder, the bridge from its journal, all compared."""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui.commands.options import margins_given
from ui.console import ProgressBar, interrupt_on_sigterm, print_json

if TYPE_CHECKING:
    from calibration.outcomes import TrialOutcome
    from calibration.train_settings import Margins
    from evaluation.bridge_replay import BridgeReplay
    from evaluation.replay import Replay

EXIT_DIFFERS = 1


@dataclass(frozen=True)
class SleeveReplay:
    """One sleeve's replay: the EMG stream's ``source_id``, what was decided, and how the trials came out."""

    emg_source_id: str
    result: "Replay"
    outcomes: "tuple[TrialOutcome, ...]"


def decode_only(args: argparse.Namespace) -> int:
    """Replay and say what was decided; 1 where decisions or commands differ from those recorded."""
    from evaluation.bridge_replay import replay_bridge
    from evaluation.session_decoders import decoders_of
    from evaluation.session_latency import latency_figures, latency_lines, session_latency
    from robot_bridge.robot_model import load_robot_model

    _refuse(args)
    chosen = [(args.emg, args.decoder)] if args.decoder else decoders_of(args.session, args.emg)
    with interrupt_on_sigterm(), ProgressBar("replay") as progress:
        sleeves = [_replay(args, emg, decoder, progress) for emg, decoder in chosen]
    bridge = replay_bridge(args.session)
    latency = session_latency(args.session, load_robot_model())
    for sleeve in sleeves:
        whose = f"{sleeve.emg_source_id}: " if len(sleeves) > 1 else ""
        for line in _lines(sleeve, args):
            print(f"{whose}{line}")
    for line in (*bridge_lines(bridge), *(() if latency is None else latency_lines(latency))):
        print(line)
    if args.json:
        print_json(
            {
                **_figures(sleeves),
                **bridge_figures(bridge),
                "recorded_latency_ms": latency_figures(latency),
                "sleeves": {sleeve.emg_source_id: _figures([sleeve]) for sleeve in sleeves},
            }
        )
    differs = _identical(sleeves) is False or (bridge is not None and bridge.identical is False)
    return EXIT_DIFFERS if differs else 0


def _refuse(args: argparse.Namespace) -> None:
    if args.speed not in {None, math.inf}:
        raise InputError(
            "--speed N paces a replay with a robot (--robot sim); without one it runs as fast as it goes"
        )
    if args.seconds is not None:
        raise InputError(
            "--seconds shortens a replay with a robot (--robot sim); without one the whole session is decoded"
        )


def _replay(
    args: argparse.Namespace, emg: str | None, decoder: Path, progress: Callable[[str, float], None]
) -> SleeveReplay:
    from decoding.decoder_file import load_decoder
    from decoding.windows import window_spec
    from emg_acquisition.recording.session_parts import open_session
    from evaluation.decisions import Decided, session_outcomes
    from evaluation.replay import replay_session

    decoder_file = load_decoder(decoder)
    session = open_session(args.session, emg)
    result = replay_session(session, decoder_file, progress)
    about = decoder_file.metadata
    outcomes = session_outcomes(
        session,
        Decided(result.sample_index, result.gesture_index),
        about.gestures,
        window_spec(about.signal, about.fs_hz).window_samples,
        _margins(args),
    )
    return SleeveReplay(session.emg.info.source_id, result, outcomes)


def _margins(args: argparse.Namespace) -> "Margins":
    from calibration.train_settings import Margins

    return Margins(**margins_given(args))


def _lines(sleeve: SleeveReplay, args: argparse.Namespace) -> Iterator[str]:
    from calibration.outcomes import trial_accuracy

    result, outcomes = sleeve.result, sleeve.outcomes
    yield f"{len(result.values)} decisions, {result.real_time_factor:.0f} x real time"
    if outcomes:
        left_out = _margins(args)
        margins = (
            f"outside {left_out.after_cue_s:g} s after a cue and {left_out.before_next_s:g} s before the next"
        )
        yield f"{trial_accuracy(outcomes):.3f} of {len(outcomes)} trials right, {margins}"
    if result.identical_to_recording is not None:
        which = "identical to" if result.identical_to_recording else "DIFFER from"
        yield f"decisions {which} those recorded"
    if result.not_compared:
        yield (
            f"the last {result.not_compared} not compared: their decoder was started again, and the recording ended "
            "before it said since when it decodes"
        )


def _figures(sleeves: Sequence[SleeveReplay]) -> dict[str, object]:
    """Return the figures of one sleeve, or of all: the slowest's speed, and no trials, which are a sleeve's."""
    from calibration.outcomes import trial_accuracy

    outcomes = sleeves[0].outcomes if len(sleeves) == 1 else ()
    return {
        "decisions": sum(len(sleeve.result.values) for sleeve in sleeves),
        "real_time_factor": round(min(sleeve.result.real_time_factor for sleeve in sleeves), 1),
        "identical_to_recording": _identical(sleeves),
        "not_compared": sum(sleeve.result.not_compared for sleeve in sleeves),
        "trial_accuracy": trial_accuracy(outcomes) if outcomes else None,
    }


def _identical(sleeves: Sequence[SleeveReplay]) -> bool | None:
    """Whether every sleeve's decisions are those recorded; None where that cannot be known of each."""
    every = [sleeve.result.identical_to_recording for sleeve in sleeves]
    if False in every:
        return False
    return None if None in every else True


def bridge_lines(bridge: "BridgeReplay | None") -> list[str]:
    """Say whether the commands that the bridge gave were computed again; nothing where no bridge was recorded."""
    if bridge is None:
        return []
    if bridge.identical is None:
        return ["commands not compared: the recording began after the bridge did"]
    which = "identical to" if bridge.identical else "DIFFER from"
    return [f"{bridge.commands} commands in {len(bridge.ticks)} ticks of the bridge {which} those recorded"]


def bridge_figures(bridge: "BridgeReplay | None") -> dict[str, object]:
    """Return how many commands were given and whether they were computed again, for JSON."""
    if bridge is None:
        return {"commands": None, "commands_identical_to_recording": None}
    return {"commands": bridge.commands, "commands_identical_to_recording": bridge.identical}
