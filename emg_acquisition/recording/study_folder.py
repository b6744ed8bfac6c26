"""A study's folder: ``sub-<participant>/ses-<session>`` for every participant, and ``study.yaml`` about all of them."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from emg_acquisition.errors import InputError

STUDY_FILE = "study.yaml"
# The calibration, the same donning an hour later, and a new donning.
SESSIONS = ("calibration", "recalibration", "donning2")


def read_study(folder: Path) -> dict[str, object]:
    """Return what ``study.yaml`` says of the protocol and the participants; nothing where there is no such file.

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    path = folder / STUDY_FILE
    if not path.is_file():
        return {}
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        msg = f"{path} cannot be read: {' '.join(str(error).split())}"
        raise InputError(msg) from error
    return content if isinstance(content, dict) else {}


def write_study(folder: Path, content: Mapping[str, object]) -> None:
    """Write ``study.yaml``, whole or not at all."""
    new = folder / f".{STUDY_FILE}.new"
    new.write_text(yaml.safe_dump(dict(content), sort_keys=False), encoding="utf-8")
    new.replace(folder / STUDY_FILE)
