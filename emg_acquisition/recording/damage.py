"""Turns whatever reading a damaged file may raise into one line."""

import struct
import tarfile
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import scipy.io

from emg_acquisition.errors import InputError

# What a library raises depends on where in the file the damage is.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    RuntimeError,
    MemoryError,
    ArithmeticError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    ET.ParseError,
    scipy.io.matlab.MatReadError,
)


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """Turn whatever reading `path` raises into one line that says what it should have been.

    Parameters
    ----------
    path : Path
        The file that is read.
    kind : str
        What it should be, with its article: ``a .mat file``.

    Raises
    ------
    InputError
        In place of anything that a library raises; an `InputError` itself passes.
    """
    try:
        yield
    except InputError:
        raise
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:80] or type(error).__name__
        msg = f"{path} cannot be read as {kind}: it is damaged, cut short or of another kind ({reason})"
        raise InputError(msg) from error
