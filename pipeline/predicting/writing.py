"""The folder of a prediction: decisions, images, files, the page, and who they are if asked."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from pipeline.errors import InputError
from pipeline.folders import whole_folder
from pipeline.outgoing_text import csv_text
from pipeline.predicting.accounting import FileFate
from pipeline.predicting.decisions import write_decisions
from pipeline.predicting.dicom_files import stated_by
from pipeline.predicting.inputs import find_files
from pipeline.predicting.page import render_page, summary
from pipeline.predicting.predictor import Decided, Predictor
from pipeline.predicting.private_files import write_private
from pipeline.releasing import Release

IDENTIFIED = "identified.csv"

_IDENTITY = ("PatientID", "StudyInstanceUID", "AccessionNumber")


def predict(
    predictor: Predictor,
    inputs: Sequence[Path],
    out: Path,
    *,
    identified: bool = False,
    reports: bool = False,
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
    reports : bool
        Also write a DICOM Structured Report a decision, which names its patient.

    Returns
    -------
    str
        How many were answered, and why others were referred.

    Raises
    ------
    InputError
        If there is nothing to decide upon, reports are asked for on what is no DICOM, or `out`
        cannot be written.
    """
    released = predictor.released
    if reports:
        _require_reports(released.release)
    without_report = 0
    with whole_folder(out, new=True) as folder:
        # Within it, since what a kill leaves of it goes with it.
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            files = find_files(inputs, Path(scratch))
            predicted = predictor.predict(files)
            if identified:
                _write_identified(predicted.fates, folder / IDENTIFIED)
            if reports:
                # Imported here: only who asks for reports needs the library.
                from pipeline.predicting.reports import write_reports

                without_report = write_reports(predicted.decided, released, folder)
        write_decisions(predicted.decisions, folder)
        classes = released.release.classes
        _write_table(_images(predicted.decided, classes), folder / "images.csv")
        _write_table(_files(predicted.fates), folder / "files.csv")
        page = render_page(predicted.decisions, predicted.fates, predictor.rule)
        (folder / "index.html").write_text(page, encoding="utf-8")
    line = summary(predicted.decisions)
    return f"{line}; {without_report} without a report" if without_report else line


def _require_reports(release: Release) -> None:
    if release.preprocessing.reader != "dicom":
        message = "--sr refers to DICOM images, which this release does not read"
        raise InputError(message)
    if find_spec("highdicom") is None:
        message = "--sr needs highdicom: pip install 'calibrated-imaging[node]'"
        raise InputError(message)


def _write_identified(fates: Sequence[FileFate], path: Path) -> None:
    """Tie hashes to files, and of DICOM files to what their headers say of patient and study."""
    rows = [
        (*(each.study or ("", "")), each.file.name, *stated_by(each.file.path, *_IDENTITY))
        for each in fates
    ]
    table = pd.DataFrame(rows, columns=["patient", "study", "file", *_IDENTITY])
    # A name may hold bytes that are no text.
    write_private(csv_text(table).encode("utf-8", "backslashreplace"), path)


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
