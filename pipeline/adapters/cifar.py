"""CIFAR-10 and CIFAR-100 in their official layout: pickled batches in one .tar.gz.

Layout: https://www.cs.toronto.edu/~kriz/cifar.html. A batch is a dictionary with ``data``, uint8 of
shape (images, 3072), 1,024 red, then green, then blue values a row, and a list of labels. Batches
are read one after the other as the archive comes, so memory holds one.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pipeline.acquiring import file_digest
from pipeline.adapters.case import Case
from pipeline.adapters.folder_listing import only_file
from pipeline.adapters.plain_pickle import load_plain
from pipeline.adapters.refused import PARSER_ERRORS
from pipeline.config import Dataset
from pipeline.config.reading import Strict
from pipeline.errors import InputError, located

BATCH = re.compile(r"(?:data_batch_(?P<number>\d+)|(?P<name>train|test|test_batch))")
TABLES = ("batches.meta", "meta")
ROW_BYTES = 3 * 32 * 32
MAX_BATCH_BYTES = 2**28


class Arguments(Strict):
    """CIFAR-100 names every image twice: by one of 100 classes, and by one of 20 superclasses."""

    labels: Literal["fine", "coarse"] = "fine"


def read(raw: Path, dataset: Dataset) -> Iterator[Case]:
    """Yield the cases of the batches in the archive's order; splits are ``train`` and ``test``.

    Raises `InputError` if the archive or a batch is damaged, holds anything but plain data, or
    names other classes than the data set; the message names the archive and the member.
    """
    arguments = dataset.arguments_as(Arguments)
    path = only_file(raw, ".tar.gz")
    digest = file_digest(path)
    num_batches = 0
    for name, content in _members(path):
        with located(f"{path}: {name}"):
            if name in TABLES:
                _require_class_names(content, arguments, dataset)
                continue
            labels, images = _read_batch(content, arguments)
        num_batches += 1
        for number, (label, image) in enumerate(zip(labels, images, strict=True)):
            case = f"{name.replace('_', '-')}-{number:05d}"
            yield Case(
                case=case,
                image=image,
                label=label,
                patient=case,
                source=f"{path.name}/{name}",
                source_sha256=digest,
                split="test" if name.startswith("test") else "train",
            )
    if num_batches == 0:
        message = f"{path}: no batch found, such as data_batch_1 or train"
        raise InputError(message)


def _members(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield the name and the unpickled content of each batch and table of names."""
    with located(path):
        try:
            with tarfile.open(path, "r|gz") as archive:
                for member in archive:
                    name = Path(member.name).name
                    if not member.isfile() or not (BATCH.fullmatch(name) or name in TABLES):
                        continue
                    yield name, _load(archive, member)
        except InputError:
            raise
        except (*PARSER_ERRORS, tarfile.TarError) as error:
            message = f"damaged or no .tar.gz archive: {error}"
            raise InputError(message) from error


def _load(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Any:
    if member.size > MAX_BATCH_BYTES:
        message = f"{member.name} claims {member.size} bytes, at most {MAX_BATCH_BYTES} allowed"
        raise InputError(message)
    file = archive.extractfile(member)
    content = b"" if file is None else file.read()
    with located(member.name):
        return load_plain(content)


def _require_class_names(content: Any, arguments: Arguments, dataset: Dataset) -> None:
    content = _require_keys(content)
    key = (
        b"label_names" if b"label_names" in content else f"{arguments.labels}_label_names".encode()
    )
    listed = content.get(key)
    if not isinstance(listed, list) or not all(isinstance(name, bytes) for name in listed):
        message = f"key '{key.decode()}': a list of names expected"
        raise InputError(message)
    names = [name.decode("utf-8", "replace") for name in listed]
    if names != dataset.classes:
        message = f"the archive's classes are {names}, the data set states {dataset.classes}"
        raise InputError(message)


def _require_keys(content: Any) -> dict[Any, Any]:
    if not isinstance(content, dict):
        message = f"a dictionary expected, got {type(content).__name__}"
        raise InputError(message)
    return content


def _read_batch(content: Any, arguments: Arguments) -> tuple[list[int], np.ndarray]:
    content = _require_keys(content)
    key = b"labels" if b"labels" in content else f"{arguments.labels}_labels".encode()
    for each in (key, b"data"):
        if each not in content:
            message = f"key '{each.decode()}' missing; the batch has {len(content)} others"
            raise InputError(message)
    labels, data = content[key], content[b"data"]
    if not isinstance(labels, list) or not all(isinstance(label, int) for label in labels):
        message = f"key '{key.decode()}': a list of whole numbers expected"
        raise InputError(message)
    shape = (len(labels), ROW_BYTES)
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape != shape:
        found = (
            f"{data.dtype} of shape {data.shape}" if isinstance(data, np.ndarray) else type(data)
        )
        message = f"key 'data': uint8 of shape {shape} expected, got {found}"
        raise InputError(message)
    return labels, np.ascontiguousarray(data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
