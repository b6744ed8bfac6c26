"""Which options of ``hdemg acquire`` belong to which source; any other is refused by name."""

import argparse
from typing import Literal

from emg_acquisition.errors import InputError
from emg_acquisition.sources.amplifier_names import AMPLIFIERS

Kind = Literal["simulated", "recording", "amplifier", "emulated"]

WHAT = {
    "simulated": "the simulated wearer",
    "recording": "a recorded session",
    "amplifier": "an amplifier",
    "emulated": "an amplifier with --emulate",
}
_PLAYED: tuple[Kind, ...] = ("simulated", "recording")
_WORN: tuple[Kind, ...] = ("simulated", "emulated")
_AMPLIFIER: tuple[Kind, ...] = ("amplifier", "emulated")
BELONGS: dict[str, tuple[Kind, ...]] = {
    **dict.fromkeys(("speed", "chunk_ms", "wait_for_consumers", "start_with"), _PLAYED),
    **dict.fromkeys(("loop", "emg"), ("recording",)),
    **dict.fromkeys(("wearer", "donning", "impairment", "gestures", "intentions", "keyboard"), _WORN),
    **dict.fromkeys(("rate", "grid"), ("simulated", "amplifier", "emulated")),
    **dict.fromkeys(("host", "port", "serial", "set", "inputs", "emulate"), _AMPLIFIER),
    **dict.fromkeys(("board", "serial_port", "mac"), _AMPLIFIER),
}
# Of the amplifiers' options, those that not all of them have.
SOME_HAVE: dict[str, tuple[str, ...]] = {
    "inputs": ("syncstation", "quattrocento", "intan"),
    "emulate": AMPLIFIERS[:-1],
    "board": ("brainflow",),
    "serial_port": ("brainflow",),
    "mac": ("brainflow",),
}


def keep_defaults(parser: argparse.ArgumentParser) -> None:
    """Remember what each option is where it is not given; call it when all of them are declared."""
    parser.set_defaults(option_defaults={name: parser.get_default(name) for name in BELONGS})


def refuse_foreign_options(args: argparse.Namespace, kind: Kind) -> None:
    """Refuse an option that the chosen source does not have.

    Raises
    ------
    InputError
        If there is one; it names the option and what it is for.
    """
    for name, kinds in BELONGS.items():
        if getattr(args, name) == args.option_defaults[name]:
            continue
        flag = "--" + name.replace("_", "-")
        some = SOME_HAVE.get(name, AMPLIFIERS)
        if kind not in kinds:
            whom = " and ".join(WHAT[k] for k in kinds if k != "emulated" or "amplifier" not in kinds)
            raise InputError(f"{flag} is for {whom}, not for {args.source}: leave it out")
        if kind in _AMPLIFIER and args.source not in some:
            raise InputError(f"{flag} is for {', '.join(some)}, not for {args.source}: leave it out")
