"""Our own JSON: written so that versions compare line by line, read so that damage is one line."""

from __future__ import annotations

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from pipeline.config.reading import first_fault, read_text
from pipeline.errors import InputError
from pipeline.json_forms import FORMS

MAX_BYTES = 100_000_000
"""What a file may hold; a card with a thousand sites has a tenth of a million."""

MAX_DEPTH = 50


class AbsentKeyError(InputError, KeyError):
    """A key that a file lacks; a `KeyError` as well, for templates that ask whether it is there."""

    __str__ = Exception.__str__


class Record(dict[str, Any]):
    """A JSON object that names its file where a key is asked for that it lacks.

    >>> Record({"seed": 0}, place="run.json: key 'loss'")["name"]
    Traceback (most recent call last):
    ...
    pipeline.json_files.AbsentKeyError: run.json: key 'loss': missing key 'name'
    """

    def __init__(self, content: dict[str, Any], *, place: str) -> None:
        super().__init__(content)
        self.place = place

    def __missing__(self, key: str) -> NoReturn:
        message = f"{self.place}: missing key '{key}'"
        raise AbsentKeyError(message)

    def __reduce__(self) -> Any:
        return _record, (dict(self), self.place)


def _record(content: dict[str, Any], place: str) -> Record:
    return Record(content, place=place)


def write_json(content: Any, path: Path) -> None:
    """Write JSON with sorted keys and a final newline, so that versions compare line by line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Return a JSON file's content.

    Raises `InputError`, naming the file, if it is absent or no JSON; and the key, if its value has
    another type than `FORMS` states for files of that name, or later, if a key is asked for that is
    not there.
    """
    if not path.is_file():
        message = f"{path}: no such file"
        raise InputError(message)
    content = _parse(read_text(path, max_bytes=MAX_BYTES), path)
    if path.name in FORMS:
        _require_form(content, path)
    return _named(content, str(path))


def _parse(text: str, path: Path) -> Any:
    try:
        content = json.loads(text, parse_constant=_refuse, object_pairs_hook=_distinct)
        if "\\u" in text:
            # Half a character, as an escape may name it, can be written nowhere.
            json.dumps(content, ensure_ascii=False).encode()
    except _TwiceError as error:
        message = f"{path}: key '{error}' is stated twice"
        raise InputError(message) from error
    except UnicodeEncodeError as error:
        message = f"{path}: not valid JSON: an escape that stands for no character"
        raise InputError(message) from error
    except json.JSONDecodeError as error:
        message = f"{path}: not valid JSON: line {error.lineno}: {error.msg}"
        raise InputError(message) from error
    except (ValueError, RecursionError) as error:
        message = f"{path}: not valid JSON: a number, or a nesting, that is too large"
        raise InputError(message) from error
    return content


class _TwiceError(Exception):
    """A key that an object states twice: which was meant nobody could say."""


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return content


def _refuse(constant: str) -> NoReturn:
    message = f"no number: {constant}"
    raise ValueError(message)


def _require_form(content: Any, path: Path) -> None:
    adapter = _adapter(path.name)
    try:
        adapter.validate_python(content)
    except ValidationError as error:
        message = f"{path}: {first_fault(error)}"
        raise InputError(message) from error


@cache
def _adapter(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(FORMS[name])


def _named(value: Any, place: str, keys: str = "", depth: int = 0) -> Any:
    """Return a value whose objects know the file, and the way to them, that they stand in."""
    if depth > MAX_DEPTH:
        message = f"{place}: at most {MAX_DEPTH} lists and objects within one another expected"
        raise InputError(message)
    if isinstance(value, dict):
        content = {
            key: _named(each, place, f"{keys}.{key}" if keys else key, depth + 1)
            for key, each in value.items()
        }
        return Record(content, place=f"{place}: key '{keys}'" if keys else place)
    if isinstance(value, list):
        return [_named(each, place, f"{keys}.{i}", depth + 1) for i, each in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        message = f"{place}: key '{keys}': a number expected, got one that is too large"
        raise InputError(message)
    return value
