"""A simulated screening study, written as real DICOM files and read by the general reader.

Its label probabilities are known exactly, so calibration can be measured against the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pipeline.adapters.case import Case, Quarantined
from pipeline.adapters.dicom.arguments import ReadingArguments
from pipeline.adapters.dicom.header import HeaderScanner
from pipeline.adapters.dicom.reading import read_indexed
from pipeline.adapters.folder_cases import Folder
from pipeline.adapters.folder_index import write_index
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.label_table import LabelTableArguments
from pipeline.adapters.phantom.files import Examination, institution, write_image
from pipeline.adapters.phantom.images import draw_images
from pipeline.adapters.phantom.study import Study, StudyArguments, draw_study
from pipeline.config import Dataset
from pipeline.config.reading import check_config
from pipeline.errors import InputError

IMAGES = "images"
TABLE = "labels.csv"

# Nobody is protected by it: it makes the same study the same data set on every machine.
_PUBLIC = Pseudonyms(b"the patients of this study are simulated")


def acquire(raw: Path, dataset: Dataset) -> None:
    """Simulate the study into `raw`, then index it as any hospital's folder.

    Raises
    ------
    InputError
        If the law has not one row for each of the data set's classes.
    """
    arguments = _arguments(dataset)
    if len(arguments.law.intercepts) != len(dataset.classes):
        message = (
            f"{dataset.title}: the law has {len(arguments.law.intercepts)} classes, "
            f"the data set {len(dataset.classes)}"
        )
        raise InputError(message)
    simulate(raw, arguments, dataset.classes)
    reading = reading_arguments(arguments)
    scanner = HeaderScanner(raw / IMAGES, _PUBLIC, reading.site_names, reading.max_pixels)
    table = _table(raw, dataset.classes)
    write_index(raw, scanner, table, dataset.classes, is_public=True)


def read(raw: Path, dataset: Dataset) -> Iterator[Case | Quarantined]:
    """Yield the study's cases, the true label probabilities with each."""
    folder = Folder(raw / IMAGES, key="sop", pseudonyms=_PUBLIC)
    yield from read_indexed(raw, dataset, reading_arguments(_arguments(dataset)), folder)


def simulate(raw: Path, arguments: StudyArguments, classes: list[str]) -> None:
    """Write a study's DICOM files and its table of labels and true probabilities."""
    study = draw_study(arguments)
    examinations = [_examination(study, arguments, image) for image in range(len(study.labels))]
    for number, site in enumerate(arguments.sites):
        images = np.flatnonzero(study.sites[study.patients] == number)
        random = np.random.default_rng([arguments.seed, 1, number])
        values = draw_images(study.features[images], site, random)
        for image, each in zip(images, values, strict=True):
            write_image(raw / IMAGES, examinations[image], each)
    with (raw / TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sop_uid", "label", *_truth_columns(classes)])
        for examination, label, truth in zip(examinations, study.labels, study.truth, strict=True):
            # Short of the last bits, in which processors differ.
            writer.writerow([examination.sop_uid, classes[label], *truth.round(12).tolist()])


def _examination(study: Study, arguments: StudyArguments, image: int) -> Examination:
    patient = int(study.patients[image])
    return Examination(
        seed=arguments.seed,
        patient=arguments.first_patient + patient,
        number=int(study.numbers[image]),
        sex=str(study.sexes[patient]),
        age=int(study.ages[patient]),
        site=arguments.sites[study.sites[patient]],
        is_monochrome1=bool(study.is_monochrome1[image]),
        is_rle=bool(study.is_rle[image]),
    )


def _arguments(dataset: Dataset) -> StudyArguments:
    return check_config(dataset.arguments, StudyArguments, place=f"{dataset.title}: arguments")


def reading_arguments(arguments: StudyArguments) -> ReadingArguments:
    """Return how the study's files become images."""
    return ReadingArguments(site_names={institution(site): site.name for site in arguments.sites})


def _table(raw: Path, classes: list[str]) -> LabelTableArguments:
    return LabelTableArguments(
        table=str(raw / TABLE),
        key="sop",
        key_column="sop_uid",
        truth_columns=_truth_columns(classes),
    )


def _truth_columns(classes: list[str]) -> list[str]:
    return [f"probability of {name}" for name in classes]
