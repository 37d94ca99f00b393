"""Decisions as DICOM reports in a folder, for who sends them on or looks at them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import UID_dictionary

from pipeline.adapters.dicom.elements import text
from pipeline.adapters.dicom.opening import quiet
from pipeline.adapters.refused import Refused
from pipeline.predicting.predictor import Decided
from pipeline.predicting.private_files import write_private
from pipeline.predicting.report_headers import KEYS, report_header
from pipeline.predicting.structured_report import structured_report
from pipeline.releasing import Released

REPORTS = "reports"


def write_reports(decided: Iterable[Decided], released: Released, folder: Path) -> int:
    """Write ``reports/PATIENT-STUDY.dcm`` for every decision on files that can be referred to.

    A report names its patient, as everything a PACS stores does: its owner alone reads it.

    Returns
    -------
    int
        How many decisions have none, since no file of theirs states what it is.
    """
    (folder / REPORTS).mkdir()
    num_without = 0
    for each in decided:
        sources = [header for path in each.sources if (header := _referable(path))]
        if not sources:
            num_without += 1
            continue
        with quiet():
            report = structured_report(each.decision, released, sources)
            buffer = BytesIO()
            report.save_as(buffer, enforce_file_format=True)
        name = f"{each.decision.patient}-{each.decision.study}.dcm"
        write_private(buffer.getvalue(), folder / REPORTS / name)
    return num_without


def _referable(path: Path) -> Dataset | None:
    """Return the header of an object that states all UIDs a reference needs."""
    if not path.is_file():  # A pipe would be waited for.
        return None
    try:
        with quiet():
            header = report_header(path)
            stated = [text(header, keyword) for keyword in KEYS]
            # Of a class that no standard has the library cannot tell what to copy.
            return header if all(stated) and header.SOPClassUID in UID_dictionary else None
    except (Refused, OSError):
        return None
