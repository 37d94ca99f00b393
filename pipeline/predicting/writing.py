"""The folder of a prediction: decisions, images, files, the page, and who they are if asked."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from pipeline.folders import whole_folder
from pipeline.outgoing_text import csv_text
from pipeline.predicting.accounting import FileFate
from pipeline.predicting.decisions import write_decisions
from pipeline.predicting.dicom_files import stated_by
from pipeline.predicting.inputs import find_files
from pipeline.predicting.page import render_page, summary
from pipeline.predicting.predictor import Decided, Predictor

IDENTIFIED = "identified.csv"
OWNER_ALONE = 0o600

_IDENTITY = ("PatientID", "StudyInstanceUID", "AccessionNumber")


def predict(
    predictor: Predictor, inputs: Sequence[Path], out: Path, *, identified: bool = False
) -> str:
    """Decide upon every study among some inputs and write a folder, whole or not at all.

    Parameters
    ----------
    predictor : Predictor
    inputs : sequence of Path
        Files, folders and zip archives.
    out : Path
        A new folder: decisions, images, files and a page; they name nobody.
    identified : bool
        Also write who is who, for the owner of the file alone.

    Returns
    -------
    str
        How many were answered, and why others were referred.

    Raises
    ------
    InputError
        If there is nothing to decide upon, or `out` cannot be written.
    """
    with whole_folder(out) as folder:
        # Within it, since what a kill leaves of it goes with it.
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            files = find_files(inputs, Path(scratch))
            predicted = predictor.predict(files)
            if identified:
                _write_identified(predicted.fates, folder / IDENTIFIED)
        write_decisions(predicted.decisions, folder)
        classes = predictor.released.release.classes
        _write_table(_images(predicted.decided, classes), folder / "images.csv")
        _write_table(_files(predicted.fates), folder / "files.csv")
        page = render_page(predicted.decisions, predicted.fates, predictor.rule)
        (folder / "index.html").write_text(page, encoding="utf-8")
    return summary(predicted.decisions)


def _write_identified(fates: Sequence[FileFate], path: Path) -> None:
    """Tie hashes to files, and of DICOM files to what their headers say of patient and study."""
    rows = [
        (*(each.study or ("", "")), each.file.name, *stated_by(each.file.path, *_IDENTITY))
        for each in fates
    ]
    table = pd.DataFrame(rows, columns=["patient", "study", "file", *_IDENTITY])
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ALONE)
    with os.fdopen(descriptor, "wb") as file:
        # A name may hold bytes that are no text.
        file.write(csv_text(table).encode("utf-8", "backslashreplace"))


def _files(fates: Sequence[FileFate]) -> pd.DataFrame:
    rows = [(each.source, *(each.study or ("", "")), each.fate, each.advice) for each in fates]
    return pd.DataFrame(rows, columns=["file", "patient", "study", "fate", "advice"])


def _images(decided: Sequence[Decided], classes: list[str]) -> pd.DataFrame:
    rows = [
        (
            each.decision.patient,
            each.decision.study,
            image.source,
            classes[image.predicted],
            image.confidence,
            image.scope_score,
            *image.probabilities.tolist(),
        )
        for each in decided
        for image in each.images
    ]
    names = ["patient", "study", "file", "predicted", "confidence", "scope_score"]
    return pd.DataFrame(rows, columns=[*names, *(f"probability_{name}" for name in classes)])


def _write_table(table: pd.DataFrame, path: Path) -> None:
    path.write_text(csv_text(table), encoding="utf-8")
