"""Formats that have one recording a file: which files, and what codes their sessions get."""

from collections.abc import Sequence
from pathlib import Path

from emg_acquisition.errors import InputError


def recording_files(src: Path, suffixes: Sequence[str]) -> list[Path]:
    """Return the file that `src` is, or those with one of the suffixes that it holds, by name.

    Raises
    ------
    InputError
        If there are none.
    """
    if src.is_file():
        return [src]
    if not src.is_dir():
        msg = f"{src} does not exist: name a {' or '.join(suffixes)} file, or a folder of them"
        raise InputError(msg)
    found = sorted(path for path in src.iterdir() if path.is_file() and path.suffix.lower() in suffixes)
    if not found:
        msg = f"{src} holds no {' or '.join(suffixes)} file"
        raise InputError(msg)
    return found


def session_code(path: Path) -> str:
    """Return the letters and digits of a file's name, which become its session's code.

    Raises
    ------
    InputError
        If it has none.
    """
    code = "".join(letter for letter in path.stem if letter.isascii() and letter.isalnum())[:64]
    if not code:
        msg = f"{path}: its name holds no letter or digit to name the session by; rename it"
        raise InputError(msg)
    return code
