"""Read one YAML file into one checked model; every fault is a line that names file and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import InputError


class Strict(BaseModel):
    """A frozen model that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=Strict)


def read_config(path: Path, model: type[Model]) -> Model:
    """Return the model held in a YAML file.

    Raises
    ------
    InputError
        If the file is absent, is no YAML mapping, or a key is unknown, missing or of the wrong
        type; the message names the file, the key and, for an unknown key, the known ones.
    """
    return check_config(read_yaml(path), model, place=path)


def read_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping; raise `InputError` naming the file where it holds none."""
    if not path.is_file():
        neighbours = ", ".join(sorted(each.stem for each in path.parent.glob("*.yaml"))) or "none"
        message = f"{path}: no such file; {path.parent} has: {neighbours}"
        raise InputError(message)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        message = f"{path}: not valid YAML: {' '.join(str(error).split())}"
        raise InputError(message) from error
    if not isinstance(content, dict):
        message = f"{path}: a mapping of keys expected, got {type(content).__name__}"
        raise InputError(message)
    return content


def merge(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a mapping with changes; both that are given stay as they are.

    Mappings merge key by key, null takes a key of the base away, anything else replaces it. A null
    whose key the base lacks is kept, so that a misspelt key is not passed over.

    Examples
    --------
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
        message = f"{place}: {_first_fault(error, model)}"
        raise InputError(message) from error


def _first_fault(error: ValidationError, model: type[Strict]) -> str:
    faults = error.errors()
    fault = faults[0]
    key = ".".join(str(part) for part in fault["loc"])
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    if fault["type"] == "extra_forbidden":
        known = f"; known keys: {', '.join(model.model_fields)}" if len(fault["loc"]) == 1 else ""
        return f"unknown key '{key}'{known}{more}"
    if fault["type"] == "missing":
        return f"missing key '{key}'{more}"
    at = f"key '{key}': " if key else ""
    return f"{at}{fault['msg'].removeprefix('Value error, ')}, got {fault['input']!r:.80}{more}"
