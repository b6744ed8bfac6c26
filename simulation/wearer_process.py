"""A simulated wearer in a process of its own, steered from here: what a calibration without an amplifier reads."""

import uuid
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from emg_acquisition.events import Event
from emg_acquisition.streams.lsl_config import ensure_configured
from emg_acquisition.streams.outlet import EventOutlet, lsl_clock_s
from simulation.forearm.settings import WearerSettings
from simulation.forearm.wearer import SimulatedWearer
from teleoperation.processes import ProcessGroup

STAGE = "acquire"


@dataclass(frozen=True)
class WearerProcess:
    """A wearer that runs.

    Parameters
    ----------
    source_id : str
        Of its EMG stream.
    intend : callable
        Told a gesture and an effort, 1 for a comfortable one.
    processes : ProcessGroup
        Holds it as the stage ``acquire``.
    """

    source_id: str
    intend: Callable[[str, float], None]
    processes: ProcessGroup


def wearer_source_id(seed: int) -> str:
    """Return which EMG stream the wearer of a seed has."""
    return SimulatedWearer(WearerSettings(seed=seed)).info.source_id


def start_wearer(
    seed: int, fs_hz: float | None, logs: Path, cleanup: ExitStack, cli_module: str
) -> WearerProcess:
    """Start a wearer in the LSL session that is configured; `cleanup` ends it.

    Parameters
    ----------
    seed : int
        Who it is.
    fs_hz : float or None
        Sampling rate; None: the wearer's own.
    logs : Path
        Folder for what the process says.
    cleanup : ExitStack
        Closes everything.
    cli_module : str
        Module that runs an ``hdemg`` command line.
    """
    intentions_id = f"calibrate-intentions-{uuid.uuid4().hex[:8]}"
    outlet = EventOutlet("calibration intentions", intentions_id)
    cleanup.callback(outlet.close)
    stages = ProcessGroup(logs, cli_module)
    cleanup.callback(stages.stop)
    rate = ("--rate", f"{fs_hz:g}") if fs_hz else ()
    arguments = (STAGE, "simulated", "--wearer", str(seed), "--intentions", intentions_id, *rate)
    stages.start(STAGE, (*arguments, "--lsl-session", ensure_configured()))

    def intend(gesture: str, effort: float) -> None:
        outlet.push(Event(lsl_clock_s(), "intention", {"gesture": gesture, "effort": effort}))

    return WearerProcess(wearer_source_id(seed), intend, stages)
