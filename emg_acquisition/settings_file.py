"""YAML file -> frozen pydantic model; every error is one line that names the file and the key."""

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
}


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML that refuses a key given twice: plain YAML keeps the last and drops the first in silence."""


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


def load_settings(path: Path, model: type[Model]) -> Model:
    """Read a YAML file into a pydantic model.

    Raises
    ------
    InputError
        If the file is missing, is no YAML, repeats a key or does not fit the model.
    """
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a SafeLoader
    except InputError as error:
        msg = f"{path}: {error}"
        raise InputError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise InputError(msg) from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        msg = f"{path}: is no YAML: {' '.join(str(error).split())}"
        raise InputError(msg) from error
    try:
        return model.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        said = _PLAIN_WORDS.get(first["type"]) or first["msg"].removeprefix("Value error, ")
        msg = f"{path}: {key or 'file'}: {said}"
        raise InputError(msg) from error
