"""Any file of the MedMNIST layout: one .npz with images and labels of train, val and test.

Layout: Yang et al., Scientific Data 10:41 (2023). Images are (cases, height, width), the same with
three channels, or (cases, depth, height, width); labels are (cases, 1), or (cases, findings) for a
multi-label set. A file may add a text array a split, such as ``train_lesion_id``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.acquiring import file_digest
from pipeline.adapters.case import Case
from pipeline.adapters.folder_listing import only_file
from pipeline.adapters.npz import keys, open_archive, open_member
from pipeline.adapters.resizing import resize
from pipeline.config import Dataset
from pipeline.config.reading import Strict
from pipeline.errors import InputError

SPLITS = ("train", "val", "test")


class Arguments(Strict):
    """What a data set of this format may state.

    `patient_key` names the text array that tells patients apart (``lesion_id`` stands for
    ``train_lesion_id``, ...); without it every image is a patient of its own. `case_key` names the
    one that holds the images' own keys. `label_column` picks one finding of a multi-label file.
    """

    patient_key: str | None = None
    case_key: str | None = None
    label_column: int | None = None


@dataclass(frozen=True)
class _Split:
    """The small tables of one split; its images are streamed."""

    name: str
    labels: np.ndarray
    cases: np.ndarray
    patients: np.ndarray


def read(raw: Path, dataset: Dataset) -> Iterator[Case]:
    """Yield the cases of train, val and test in the file's order, resized to the set's size.

    Raises `InputError` if the file is damaged, lacks a key, holds a pickle, or a key has another
    shape than the data set states; the message names the file and the key.
    """
    arguments = dataset.arguments_as(Arguments)
    path = only_file(raw, ".npz")
    digest = file_digest(path)
    names = SPLITS if not dataset.splits.test_only else ("test",)
    with open_archive(path) as archive:
        _require_class_names(archive, dataset)
        splits = [_read_tables(archive, name, arguments) for name in names]
        for split in splits:
            images = _read_images(archive, split, dataset)
            for image, label, case, patient in zip(
                images, split.labels, split.cases, split.patients, strict=True
            ):
                yield Case(
                    case=str(case),
                    image=image,
                    label=int(label),
                    patient=str(patient),
                    source=path.name,
                    source_sha256=digest,
                    split=split.name,
                )


def _require_class_names(archive: zipfile.ZipFile, dataset: Dataset) -> None:
    if "class_names" not in keys(archive):
        return
    with open_member(archive, "class_names") as member:
        names = [str(name) for name in member.whole()]
        if names != dataset.classes:
            message = f"the file's classes are {names}, the data set states {dataset.classes}"
            raise InputError(message)


def _read_tables(archive: zipfile.ZipFile, name: str, arguments: Arguments) -> _Split:
    labels = _read_labels(archive, f"{name}_labels", arguments.label_column)
    cases = np.array([f"{name}-{number:06d}" for number in range(len(labels))])
    if arguments.case_key is not None:
        cases = _read_texts(archive, f"{name}_{arguments.case_key}", len(labels))
    patients = cases
    if arguments.patient_key is not None:
        patients = _read_texts(archive, f"{name}_{arguments.patient_key}", len(labels))
    return _Split(name, labels, cases, patients)


def _read_labels(archive: zipfile.ZipFile, key: str, column: int | None) -> np.ndarray:
    with open_member(archive, key) as member:
        labels = member.whole()
        if not np.issubdtype(labels.dtype, np.integer) or labels.ndim not in (1, 2):
            message = f"whole numbers of shape (cases, 1) expected, got {_describe(labels)}"
            raise InputError(message)
        table = labels.reshape(len(labels), -1)
        if table.shape[1] != 1 and column is None:
            message = f"{table.shape[1]} findings a case: the argument 'label_column' must pick one"
            raise InputError(message)
        if column is not None and not 0 <= column < table.shape[1]:
            message = f"label_column must lie in [0, {table.shape[1]}), got {column}"
            raise InputError(message)
        return table[:, column or 0]


def _read_texts(archive: zipfile.ZipFile, key: str, num_cases: int) -> np.ndarray:
    with open_member(archive, key) as member:
        texts = member.whole()
        if texts.shape != (num_cases,):
            message = f"one text a case expected, ({num_cases},), got {_describe(texts)}"
            raise InputError(message)
        return texts


def _read_images(archive: zipfile.ZipFile, split: _Split, dataset: Dataset) -> Iterator[np.ndarray]:
    with open_member(archive, f"{split.name}_images") as member:
        num_axes = len(dataset.image_size)
        channels = (*member.shape[1 + num_axes :], 1)[0]
        if (
            member.shape[0] != len(split.labels)
            or len(member.shape) not in (num_axes + 1, num_axes + 2)
            or channels != dataset.channels
        ):
            message = (
                f"{len(split.labels)} images of {num_axes} axes and {dataset.channels} channels "
                f"expected, got shape {member.shape}"
            )
            raise InputError(message)
        for image in member.rows():
            yield resize(
                image.reshape(*member.shape[1 : num_axes + 1], channels),
                tuple(dataset.image_size),
            )


def _describe(array: np.ndarray) -> str:
    return f"{array.dtype} of shape {array.shape}"
