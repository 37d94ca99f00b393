"""What a report calls a class: text and codes that DICOM can write."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError

from pipeline.config.reading import Strict, first_fault, read_yaml
from pipeline.errors import InputError
from pipeline.outgoing_text import printable

PRIVATE_SCHEME = "99CALIMG"
"""Of codes that no standard has: DICOM gives private schemes names that begin with 99."""

MEANING = 64
"""Most characters of a code's meaning (PS3.5, LO)."""


def _text(text: str) -> str:
    """Return what DICOM writes as one text: a backslash would part it in two (PS3.5, 6.2)."""
    is_control = any(unicodedata.category(each) == "Cc" for each in text)
    if is_control or "\\" in text or text != text.strip() or not text:
        message = "text expected, without a backslash, a control character or a blank at its ends"
        raise ValueError(message)
    return text


Text = Annotated[str, AfterValidator(_text)]


class Code(Strict):
    """A coded concept of DICOM (PS3.3 table 8.8-1): value, scheme and meaning."""

    scheme: Annotated[Text, Field(max_length=16)]
    value: Annotated[Text, Field(max_length=16)]
    meaning: Annotated[Text, Field(max_length=MEANING)]


def codes_of(path: Path | None, classes: Sequence[str]) -> dict[str, Code]:
    """Return each class's code: as a YAML file states it, or a private one.

    Raises `InputError` if the file states another class, lacks one, or a code is none.
    """
    if path is None:
        return {name: private_code(name) for name in classes}
    try:
        codes = TypeAdapter(dict[str, Code]).validate_python(read_yaml(path))
    except ValidationError as error:
        message = f"{path}: {first_fault(error)}"
        raise InputError(message) from error
    if set(codes) != set(classes):
        message = (
            f"{path}: a code for each of {', '.join(classes)} expected, got {', '.join(codes)}"
        )
        raise InputError(message)
    return codes


def private_code(name: str) -> Code:
    """Return the code that a class's name determines; it means that name as far as DICOM can."""
    value = hashlib.sha256(name.encode()).hexdigest()[:12].upper()
    meaning = printable(name).replace("\\", "/").strip()[:MEANING].strip()
    return Code(scheme=PRIVATE_SCHEME, value=value, meaning=meaning or value)
