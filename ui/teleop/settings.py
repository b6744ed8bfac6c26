"""What a teleoperation session is made of: from ``session.yaml``, from the command line, or both."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from emg_acquisition.amplifier_names import AMPLIFIERS
from emg_acquisition.errors import InputError
from emg_acquisition.settings_file import load_settings
from evaluation.cup_task import MAP as CUP_MAP

SIMULATED = "simulated"
Robot = Literal["sim", "ros"]
Feedback = Literal["off", "beeps", "speech"]
Script = Literal["cup"]


class TeleopSettings(BaseModel):
    """One session.

    Parameters
    ----------
    decoder : Path
        Decoder file.
    source : str
        What follows ``hdemg acquire``: ``simulated --wearer 7``, ``muovi+ --emulate``, a recorded session's folder.
        Empty where the EMG stream is there already (``emg`` names it).
    emg : str or None
        ``source_id`` of the EMG stream.
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
        A task that the simulated wearer does by itself, on a simulated robot only: it arms the robot again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    decoder: Path
    source: str = SIMULATED
    emg: str | None = None
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
    script: Script | None = None

    @field_validator("source", "robot_options")
    @classmethod
    def _splits(cls, text: str) -> str:
        try:
            shlex.split(text)
        except ValueError as error:
            msg = f"{text!r} cannot be split into words ({error})"
            raise ValueError(msg) from error
        return text

    @property
    def source_arguments(self) -> tuple[str, ...] | None:
        """Arguments of ``hdemg acquire``; None where the stream is there already."""
        return tuple(shlex.split(self.source)) or None

    @property
    def robot_arguments(self) -> tuple[str, ...] | None:
        """Arguments of ``hdemg sim-robot``; None for a robot that is there already."""
        return tuple(shlex.split(self.robot_options)) if self.robot == "sim" else None

    @property
    def holds_start(self) -> bool:
        """Whether the source waits with its first sample until it is told to start."""
        return self.source_arguments is not None and self.source_arguments[0] not in AMPLIFIERS

    def check(self) -> None:
        """Refuse what cannot be, before anything is started.

        Raises
        ------
        InputError
            With what to change.
        """
        if self.source_arguments is None and self.emg is None:
            raise InputError(
                "no source: give --source, or --emg with the source_id of a stream that is there"
            )
        if self.source_arguments is not None and self.lsl_session is not None:
            raise InputError(
                "--lsl-session is for a stream that is there already (--source '' --emg SOURCE_ID)"
            )
        if self.robot == "sim" and self.namespace:
            raise InputError(
                "--namespace is for a robot that is there (--robot ros); a simulated one has its own"
            )
        if self.robot == "ros" and self.robot_options:
            raise InputError("--robot-options are for the simulated robot (--robot sim)")
        if self.script is not None:
            self._check_script()

    def _check_script(self) -> None:
        source = self.source_arguments or ("",)
        if self.robot != "sim" or source[0] != SIMULATED or "--intentions" in source:
            raise InputError(
                "--script is for the simulated wearer and robot: --robot sim, --source 'simulated ...' without"
                " --intentions"
            )
        if self.map != CUP_MAP:
            msg = f"--script cup is written for --map {CUP_MAP}, got {self.map}"
            raise InputError(msg)


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
        if isinstance(values.get(key), str):
            values[key] = path.parent / str(values[key])
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
