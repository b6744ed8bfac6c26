"""YAML file -> frozen pydantic model; every error is one line that names the file and the key.

A file may come from anybody: it is read as plain data, and what would make reading it long or deep is refused.
"""

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from emg_acquisition.errors import InputError

Model = TypeVar("Model", bound=BaseModel)
# What pydantic says of these names Python's types and our classes, which the file's author has never seen.
_PLAIN_WORDS = {
    "model_type": "a mapping of keys is required",
    "mapping_type": "a mapping of keys is required",
    "dict_type": "a mapping of keys is required",
    "tuple_type": "a list is required",
    "path_type": "a path is required",
    "too_short": "must not be empty",
}
# The largest own file is a session.yaml of a hundred streams: some 50 kB, four deep.
MAX_BYTES = 4 * 1024**2
MAX_DEPTH = 50
# Values that look like a date, a number or a tagged type and are none end in these inside PyYAML.
_NO_VALUE = (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError)


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice: plain YAML keeps the last and drops the first in silence.

    It also refuses aliases (``*name``), by which a file of a few lines can stand for more than a memory holds.
    """

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose as PyYAML does, neither an alias nor deeper than `MAX_DEPTH`."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            msg = f"line {line}: aliases (*{event.anchor}) are not read; write the value out"
            raise InputError(msg)
        if self._depth >= MAX_DEPTH:
            raise InputError(
                f"line {line}: lists and mappings lie more than {MAX_DEPTH} deep; write it flatter"
            )
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _mapping_without_duplicates(loader: _UniqueKeyLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    pairs = [
        (loader.construct_object(key, deep=True), loader.construct_object(value, deep=True))
        for key, value in node.value
    ]
    keys = [key for key, _ in pairs]
    for position, key in enumerate(keys):
        if key in keys[:position]:
            line = node.value[position][0].start_mark.line + 1
            msg = f"line {line}: {key!r} stands here twice; keep one"
            raise InputError(msg)
    return dict(pairs)


_UniqueKeyLoader.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG,
    _mapping_without_duplicates,
)


def yaml_value(text: str) -> object:
    """Return the value that a YAML text stands for: plain data only.

    Raises
    ------
    InputError
        If it is no YAML, repeats a key, holds an alias or is nested too deeply; the message says where.
    """
    try:
        return yaml.load(text, Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except InputError:
        raise
    except (yaml.YAMLError, *_NO_VALUE) as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"is no YAML: {said}") from error


def load_settings(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into a pydantic model.

    Raises
    ------
    InputError
        If the file is missing, too large, no YAML, repeats a key, holds an alias or does not fit the model.
    """
    values = _values(path)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        msg = f"{path}: {first_problem(error)}"
        raise InputError(msg) from error


def first_problem(error: ValidationError) -> str:
    """Say in plain words what pydantic found first: the key, and what is wrong with it."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    said = _PLAIN_WORDS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
    return f"{key or 'file'}: {said}"


def _values(path: Path) -> object:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{path}: has more than {MAX_BYTES // 1024**2} MiB; it is no settings file")
    try:
        return yaml_value(content.decode("utf-8"))
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"{path}: is no YAML: {error}"
        raise InputError(msg) from error
