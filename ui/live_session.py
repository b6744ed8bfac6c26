"""A live session as a person starts one: whose EMG a simulated source offers, and who does a script, are known here."""

import argparse
import shlex
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

from emg_acquisition.errors import InputError
from simulation.forearm.settings import WearerSettings
from teleoperation.session import TeleopSession, running_session
from teleoperation.settings import SIMULATED, TeleopSettings
from ui import CLI_MODULE
from ui.commands.options import add_wearer


def live_session(
    settings: TeleopSettings, progress: Callable[[str, float], None], *, lsl_session: str | None = None
) -> AbstractContextManager[TeleopSession]:
    """Return a session to be entered, as `running_session` does; raises InputError where the settings do not fit."""
    settings = checked(settings)
    make_script = None
    if settings.script is not None:
        from simulation.operator.scripted_wearer import ScriptedWearer  # noqa: PLC0415 - ROS, which only it needs

        make_script = ScriptedWearer
    return running_session(settings, progress, CLI_MODULE, make_script=make_script, lsl_session=lsl_session)


def checked(settings: TeleopSettings) -> TeleopSettings:
    """Return the settings with every sleeve's EMG stream named where its source tells it.

    Raises
    ------
    InputError
        If something does not fit, with what to change.
    """
    settings = _with_emg_streams(settings)
    settings.check()
    if settings.script is not None:
        from simulation.operator.scripted_wearer import check_script  # noqa: PLC0415 - as above

        check_script(settings)
    return settings


def _with_emg_streams(settings: TeleopSettings) -> TeleopSettings:
    """Name the streams of several simulated wearers, or refuse names that are in another order than their sources."""
    n = len(settings.decoder)
    if n == 1 or len(settings.sources) != n or len(settings.emg) not in {0, n}:
        return settings
    offered = [_emg_of(source) for source in settings.sources]
    if not settings.emg:
        known = [source_id for source_id in offered if source_id is not None]
        return settings.model_copy(update={"emg": tuple(known)}) if len(known) == n else settings
    for source, offers, source_id in zip(settings.sources, offered, settings.emg, strict=True):
        if offers not in {None, source_id}:
            msg = (
                f"--source {shlex.join(source)!r} offers EMG {offers!r}, but --emg {source_id!r} stands in its place;"
                " give both in the order of the decoders, or leave out --emg"
            )
            raise InputError(msg)
    return settings


def _emg_of(source: Sequence[str]) -> str | None:
    """Return the ``source_id`` under which a simulated wearer's EMG comes; None for another source."""
    if source[0] != SIMULATED:
        return None
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    add_wearer(parser)
    try:
        known, _ = parser.parse_known_args(source[1:])
    except argparse.ArgumentError as error:
        msg = f"--source {shlex.join(source)!r}: {error}"
        raise InputError(msg) from error
    return WearerSettings(seed=known.wearer).source_id
