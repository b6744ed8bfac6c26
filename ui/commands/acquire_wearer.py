"""The simulated wearer of ``hdemg acquire``, on its own or with an emulated amplifier."""

import argparse
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from emg_acquisition.errors import InputError
from ui.commands.options import add_wearer, add_wearer_details, seed, source_id

if TYPE_CHECKING:
    from emg_acquisition.stream_info import EmgStreamInfo
    from simulation.forearm.settings import WearerSettings
    from simulation.forearm.wearer import SimulatedWearer


def add_wearer_options(parser: argparse.ArgumentParser) -> None:
    """Declare who wears what, and who steers them."""
    add_wearer(parser)
    parser.add_argument(
        "--donning",
        type=seed,
        default=1,
        metavar="N",
        help="which time the simulated wearer put the sleeve on: it lies elsewhere each time (default: 1)",
    )
    add_wearer_details(parser)
    parser.add_argument(
        "--intentions",
        type=source_id,
        metavar="SOURCE_ID",
        help="the simulated wearer follows 'intention' events of this LSL Markers stream (otherwise it rests)",
    )
    parser.add_argument(
        "--keyboard", action="store_true", help="steer the simulated wearer by the keys listed at the start"
    )


def simulated_wearer(args: argparse.Namespace) -> "SimulatedWearer":
    """Return the simulated wearer that the options describe."""
    from emg_acquisition.grid_library import load_grid
    from simulation.forearm.wearer import SimulatedWearer

    settings = _settings(args)
    if args.grid and len(args.grid) > 1:
        raise InputError(
            f"the simulated wearer wears one sleeve: give --grid once, not {len(args.grid)} times"
        )
    grid = load_grid(args.grid[0]) if args.grid else settings.grid
    return SimulatedWearer(replace(settings, fs_hz=args.rate or settings.fs_hz, grid=grid))


def wearers_of(infos: "Sequence[EmgStreamInfo]", args: argparse.Namespace) -> "list[SimulatedWearer]":
    """Return who wears the electrodes of each of an amplifier's streams; several are of several people."""
    from simulation.forearm.wearer import SimulatedWearer

    first = _settings(args)
    return [
        SimulatedWearer(replace(first, seed=first.seed + k, fs_hz=info.fs_hz, grid=info.grid))
        for k, info in enumerate(infos)
    ]


def _settings(args: argparse.Namespace) -> "WearerSettings":
    from simulation.forearm.settings import WearerSettings
    from simulation.forearm.synergies import TEN_GESTURES

    return WearerSettings(
        seed=args.wearer,
        donning=args.donning,
        impairment=args.impairment,
        gestures=args.gestures or TEN_GESTURES,
    )


def steer(
    wearers: "Sequence[SimulatedWearer]", args: argparse.Namespace, stop: threading.Event, cleanup: ExitStack
) -> None:
    """Let events or keys steer the wearers, until ``stop`` or `cleanup`, where that was asked for."""
    if args.intentions:
        from simulation.forearm.live_intention import follow_intentions

        for wearer in wearers:
            follow_intentions(wearer, args.intentions, stop)
    if args.keyboard:
        from ui.keyboard import keyboard_steering

        cleanup.enter_context(keyboard_steering(_Together(wearers), lambda text: print(text, flush=True)))


class _Together:
    """Several wearers who intend the same."""

    def __init__(self, wearers: "Sequence[SimulatedWearer]") -> None:
        self._wearers = wearers

    @property
    def gestures(self) -> tuple[str, ...]:
        return self._wearers[0].gestures

    def set_intention(self, gesture: str, effort: float = 1.0) -> None:
        for wearer in self._wearers:
            wearer.set_intention(gesture, effort)
