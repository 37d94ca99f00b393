"""What studies, experiments, data sets, losses are called: names become commands and paths."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from pipeline.errors import InputError

PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]*"
"""A shell and a file system read it as one word that leads nowhere else."""

MAX_LENGTH = 100
"""Two names and what stages add to them still fit into a file's name."""

RULE = f"which matches {PATTERN} and has at most {MAX_LENGTH} characters"

UNDOTTED = "without '.', which DVC takes for the end of a key"


def require_name(name: object, of: str) -> str:
    """Return what may become a command and a path; raise `InputError` for anything else.

    `of` is what is called so, with its article.

    >>> require_name("busi-2.1", of="a data set")
    'busi-2.1'
    >>> require_name("../busi", of="a data set")
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: a data set's name expected, which matches [A-Za-z0-9][A-Za-z0-9._-]*
    and has at most 100 characters, got '../busi'
    """
    if isinstance(name, str) and _is_name(name):
        return name
    message = f"{of}'s name expected, {RULE}, got {name!r:.80}"
    raise InputError(message)


def require_key(name: object, of: str) -> str:
    """Return a name by which DVC finds a row of the plan; raise `InputError` for anything else."""
    found = require_name(name, of)
    if "." in found:
        message = f"{of}'s name expected {UNDOTTED}, got {found!r}"
        raise InputError(message)
    return found


def _is_name(text: str) -> bool:
    return len(text) <= MAX_LENGTH and re.fullmatch(PATTERN, text) is not None


def _name(text: str) -> str:
    if not _is_name(text):
        message = f"a name expected, {RULE}"
        raise ValueError(message)
    return text


def _undotted(text: str) -> str:
    if "." in text:
        message = f"a name expected {UNDOTTED}"
        raise ValueError(message)
    return text


Name = Annotated[str, AfterValidator(_name)]
"""Of a data set, network, recipe, loss or calibrator."""

Key = Annotated[Name, AfterValidator(_undotted)]
"""Of a study or an experiment: DVC finds its row of the plan by ``table.KEY``."""
