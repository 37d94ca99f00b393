"""Sources of cases: each reads one format and yields `Case` or, with a reason, `Quarantined`.

`ADAPTERS` reads what was acquired. `ACQUIRERS` is for the formats whose files are not simply those
that the data set's config lists.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from pydantic import TypeAdapter

from pipeline.adapters import (
    cifar,
    derived,
    dicom,
    digits,
    image_folder,
    medmnist,
    nifti,
    phantom,
    svhn,
    tiny_imagenet,
)
from pipeline.adapters.case import NOT_RECORDED, Adapter, Case, Quarantined
from pipeline.adapters.dicom.arguments import DicomArguments
from pipeline.adapters.nifti import NiftiArguments
from pipeline.adapters.windowing import WindowChoice
from pipeline.config import Dataset
from pipeline.config.reading import Strict
from pipeline.errors import InputError


class Acquirer(Protocol):
    """Fill a raw folder with what the adapter of the same name reads."""

    def __call__(self, raw: Path, dataset: Dataset) -> None:
        """Put files into an empty folder; raise `InputError` where one is absent or wrong."""
        ...


ADAPTERS: dict[str, Adapter] = {
    "cifar": cifar.read,
    "derived": derived.read,
    "dicom": dicom.read,
    "digits": digits.read,
    "image_folder": image_folder.read,
    "medmnist": medmnist.read,
    "nifti": nifti.read,
    "phantom": phantom.read,
    "svhn": svhn.read,
    "tiny_imagenet": tiny_imagenet.read,
}

ACQUIRERS: dict[str, Acquirer] = {
    "derived": derived.acquire,
    "dicom": dicom.acquire,
    "digits": digits.acquire,
    "image_folder": image_folder.acquire,
    "nifti": nifti.acquire,
    "phantom": phantom.acquire,
    "tiny_imagenet": tiny_imagenet.acquire,
}


EMBEDDED = ("digits", "phantom")
"""Sources that need neither a mirror nor a network."""


def find_adapter(name: str) -> Adapter:
    """Return the adapter of a name; raise `InputError` naming the known ones where there is none.

    >>> find_adapter("tarot")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    pipeline.errors.InputError: adapter must be one of cifar, derived, ..., got 'tarot'
    """
    if name not in ADAPTERS:
        message = f"adapter must be one of {', '.join(ADAPTERS)}, got '{name}'"
        raise InputError(message)
    return ADAPTERS[name]


def default_window(adapter: str, arguments: Mapping[str, Any]) -> Any:
    """Return the window that an adapter shows cases in where its arguments state none, else None.

    >>> default_window("dicom", {"folder": "in"}), default_window("medmnist", {})
    ('tag', None)
    """
    windowed: dict[str, type[Strict]] = {"dicom": DicomArguments, "nifti": NiftiArguments}
    if adapter not in windowed or "window" in arguments:
        return None
    default = windowed[adapter].model_fields["window"].default
    return TypeAdapter(WindowChoice).dump_python(default, mode="json")


__all__ = [
    "ACQUIRERS",
    "ADAPTERS",
    "EMBEDDED",
    "NOT_RECORDED",
    "Acquirer",
    "Adapter",
    "Case",
    "Quarantined",
    "default_window",
    "find_adapter",
]
