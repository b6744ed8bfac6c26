"""What a teleoperation session is made of: from ``session.yaml``, from the command line, or both."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from emg_acquisition.errors import InputError
from emg_acquisition.settings_file import load_settings
from emg_acquisition.sources.amplifier_names import AMPLIFIERS

SIMULATED = "simulated"
Robot = Literal["sim", "ros"]
Feedback = Literal["off", "beeps", "speech"]


class TeleopSettings(BaseModel):
    """One session. What is given once a sleeve is in the order of the map's sleeves; for one sleeve it need be no list.

    Parameters
    ----------
    decoder : tuple of Path
        Decoder files, one a sleeve.
    source : tuple of str
        What follows ``hdemg acquire``: ``simulated --wearer 7``, ``muovi+ --emulate``, a recorded session's folder.
        Once a sleeve, or once for all that one source offers. Empty where the EMG streams are there already (``emg``
        names them).
    emg : tuple of str
        ``source_id`` of the EMG streams, one a sleeve; empty for the sources' own.
    robot : str
        ``sim`` starts a simulated Stretch; ``ros`` drives the one whose stretch_driver runs.
    robot_options : str
        What follows ``hdemg sim-robot``.
    map : str
        Gesture map: a bundled name or a YAML file.
    namespace : str
        ROS namespace of a robot that is there already.
    lsl_session : str or None
        LSL session of an EMG stream that is there already.
    participant : str
        Participant code.
    out : Path
        Folder that receives ``sub-<participant>/ses-<time>``.
    record : bool
        Whether the session is recorded.
    tasks : Path or None
        YAML list of the study's tasks.
    events : tuple of str
        Further LSL Markers streams to record, by ``source_id``.
    feedback : str
        Mode changes and stops ``beeps``, ``speech`` or ``off``.
    script : str or None
        A task that a scripted wearer does by itself, on a simulated robot only: it arms the robot again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decoder: tuple[Path, ...] = Field(min_length=1)
    source: tuple[str, ...] = Field(default=(SIMULATED,), min_length=1)
    emg: tuple[str, ...] = ()
    robot: Robot = "sim"
    robot_options: str = ""
    map: str = "ten_gestures"
    namespace: str = ""
    lsl_session: str | None = None
    participant: str = Field(default="P00", pattern=r"^[A-Za-z0-9]{1,64}$")
    out: Path = Path("data")
    record: bool = True
    tasks: Path | None = None
    events: tuple[str, ...] = ()
    feedback: Feedback = "off"
    script: str | None = None

    @field_validator("decoder", "source", "emg", mode="before")
    @classmethod
    def _one_sleeve_s(cls, given: object, info: ValidationInfo) -> object:
        if isinstance(given, (str, Path)):
            return (given,)
        if given is None and info.field_name == "emg":
            return ()  # as in a file that leaves it empty
        if not isinstance(given, (list, tuple)):
            # Not a set either: which sleeve is whose goes by the order.
            msg = "one text is required, or with several sleeves a list of texts in their order"
            raise ValueError(msg)  # noqa: TRY004 - pydantic's way to refuse
        return given

    @field_validator("source", "robot_options")
    @classmethod
    def _splits(cls, given: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for text in (given,) if isinstance(given, str) else given:
            _words(text)
        return given

    @property
    def sources(self) -> tuple[tuple[str, ...], ...]:
        """Arguments of ``hdemg acquire``, a source each; none where the streams are there already."""
        return tuple(tuple(words) for words in map(_words, self.source) if words)

    @property
    def emg_source_ids(self) -> tuple[str | None, ...]:
        """EMG stream of each sleeve; None takes the only one that there is."""
        return self.emg or (None,) * len(self.decoder)

    @property
    def robot_arguments(self) -> tuple[str, ...] | None:
        """Arguments of ``hdemg sim-robot``; None for a robot that is there already."""
        return tuple(shlex.split(self.robot_options)) if self.robot == "sim" else None

    @property
    def holds_start(self) -> bool:
        """Whether the sources wait with their first sample until they are told to start."""
        return bool(self.sources) and not any(words[0] in AMPLIFIERS for words in self.sources)

    def check(self) -> None:
        """Refuse what cannot be, before anything is started.

        Raises
        ------
        InputError
            With what to change.
        """
        self._check_sleeves()
        if self.sources and self.lsl_session is not None:
            raise InputError(
                "--lsl-session is for a stream that is there already (--source '' --emg SOURCE_ID)"
            )
        if self.robot == "sim" and self.namespace:
            raise InputError(
                "--namespace is for a robot that is there (--robot ros); a simulated one has its own"
            )
        if self.robot == "ros" and self.robot_options:
            raise InputError("--robot-options are for the simulated robot (--robot sim)")

    def _check_sleeves(self) -> None:
        n = len(self.decoder)
        if not self.sources and not self.emg:
            raise InputError(
                "no source: give --source, or --emg with the source_id of a stream that is there"
            )
        if len(self.sources) not in {0, len(self.source)}:
            raise InputError(
                "an empty --source beside another one; give each sleeve one, or only --source ''"
            )
        if len(self.source) not in {1, n}:
            msg = (
                f"{len(self.source)} sources for {n} decoder(s): give --source once a sleeve, in their order"
            )
            raise InputError(msg)
        if self.emg and len(self.emg) != n:
            msg = f"{len(self.emg)} EMG streams for {n} decoder(s): give --emg once a sleeve, in their order"
            raise InputError(msg)
        if not self.emg and len(self.source) < n:
            msg = (
                f"{n} decoders need an EMG stream each: give --source once a sleeve, in their order; or, where one"
                " source offers all, --emg once a sleeve"
            )
            raise InputError(msg)
        if not self.emg and n > 1:
            msg = (
                "with several sleeves it must be clear which EMG stream is whose: give --emg once a sleeve, in the"
                " order of the decoders ('hdemg acquire' prints it)"
            )
            raise InputError(msg)
        for source_id in self.emg:
            if self.emg.count(source_id) > 1:
                msg = f"EMG stream {source_id!r} is given for more than one sleeve; each needs one of its own"
                raise InputError(msg)


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        msg = f"{text!r} cannot be split into words ({error})"
        raise ValueError(msg) from error


class _ConfigFile(BaseModel):
    """`TeleopSettings` as a file declares them: every key may be left out, the command line overrides."""

    model_config = ConfigDict(extra="allow")


def load_config(path: Path) -> dict[str, object]:
    """Read ``session.yaml``; its paths are relative to its folder.

    Raises
    ------
    InputError
        If it cannot be read, or holds a key that no session has; the message names it.
    """
    values = dict(load_settings(path, _ConfigFile).model_extra or {})
    unknown = sorted(set(values) - set(TeleopSettings.model_fields))
    if unknown:
        msg = f"{path}: {unknown[0]}: unknown; known are {', '.join(TeleopSettings.model_fields)}"
        raise InputError(msg)
    for key in ("decoder", "out", "tasks"):
        value = values.get(key)
        if isinstance(value, str):
            values[key] = path.parent / value
        elif key == "decoder" and isinstance(value, list):
            values[key] = [path.parent / one if isinstance(one, str) else one for one in value]
    return values


def new_folder(settings: TeleopSettings, now: datetime) -> Path:
    """Choose a session folder that does not exist yet, named by the time."""
    code = now.strftime("%Y%m%dT%H%M%S")
    folder = settings.out / f"sub-{settings.participant}" / f"ses-{code}"
    n = 1
    while folder.exists():
        n += 1
        folder = folder.with_name(f"ses-{code}n{n}")
    return folder
