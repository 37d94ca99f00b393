"""Read one YAML file into one checked model; every fault is a line that names file and key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.config.bounded_yaml import parse_yaml
from pipeline.errors import InputError, located


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Strict)


MAX_BYTES = 1_000_000
"""What a config may hold; the longest here has 15,000."""


def read_config(path: Path, model: type[Model]) -> Model:
    """Return the model held in a YAML file.

    Raises `InputError` if the file is absent, is no YAML mapping, or a key is unknown, missing or
    of the wrong type; the message names the file, the key and, for an unknown key, the known ones.
    """
    return check_config(read_yaml(path), model, place=path)


def read_yaml(path: Path, *, max_bytes: int = MAX_BYTES) -> dict[str, Any]:
    """Return a YAML file's mapping; raise `InputError` naming the file where it holds none."""
    if not path.is_file():
        neighbours = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml"))) or "none"
        message = f"{path}: no such file; {path.parent} has: {neighbours}"
        raise InputError(message)
    text = read_text(path, max_bytes=max_bytes)
    with located(path):
        content = parse_yaml(text)
    if not isinstance(content, dict):
        message = f"{path}: a mapping of keys expected, got {type(content).__name__}"
        raise InputError(message)
    return content


def read_text(path: Path, *, max_bytes: int) -> str:
    """Return a file's text.

    Raises `InputError`, naming the file, if it cannot be read, is larger, or is no UTF-8.
    """
    try:
        if (size := path.stat().st_size) > max_bytes:
            message = f"{path}: at most {max_bytes:,} bytes expected, got {size:,}"
            raise InputError(message)
        content = path.read_bytes()
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise InputError(message) from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{path}: text in UTF-8 expected, got other bytes in line {line}"
        raise InputError(message) from error


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes; both that are given stay as they are.

    Mappings merge key by key, null takes a key of the base away, anything else replaces it. A null
    whose key the base lacks is kept, so that a misspelt key is not passed over.

    >>> merge({"a": {"b": 1, "c": 2}, "d": [3]}, {"a": {"b": None}, "d": [4, 5]})
    {'a': {'c': 2}, 'd': [4, 5]}
    """
    merged = dict(base)
    for key, value in changes.items():
        if value is None and key in base:
            del merged[key]
        elif isinstance(value, dict) and isinstance(base.get(key), dict):
            merged[key] = merge(base[key], value)
        else:
            merged[key] = value
    return merged


def check_config(content: dict[str, Any], model: type[Model], *, place: object) -> Model:
    """Return the model of a mapping, or raise one `InputError` line for its first fault."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        message = f"{place}: {first_fault(error, tuple(model.model_fields))}"
        raise InputError(message) from error


def first_fault(error: ValidationError, known: Sequence[str] = ()) -> str:
    """Return the first fault as a line that names its key, and how many more there are.

    `known` are the keys there are, for whoever stated another.
    """
    faults = error.errors()
    fault = faults[0]
    key = ".".join(str(part) for part in fault["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    if fault["type"] == "extra_forbidden":
        listed = f"; known keys: {', '.join(known)}" if known and len(fault["loc"]) == 1 else ""
        return f"unknown key '{key}'{listed}{more}"
    if fault["type"] == "missing":
        return f"missing key '{key}'{more}"
    at = f"key '{key}': " if key else ""
    return f"{at}{fault['msg'].removeprefix('Value error, ')}{_got(fault['input'])}{more}"


def _got(value: object) -> str:
    """Return what came, where that is a word or a number: a mapping or a list says too much."""
    return "" if isinstance(value, dict | list) else f", got {value!r:.80}"
