"""Decisions as DICOM reports in a folder, for who sends them on or looks at them."""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

from pipeline.adapters.dicom.opening import quiet
from pipeline.predicting.predictor import Decided
from pipeline.predicting.private_files import write_private
from pipeline.predicting.report_headers import referable
from pipeline.predicting.structured_report import structured_report
from pipeline.releasing import Released

REPORTS = "reports"


def write_reports(decided: Iterable[Decided], released: Released, folder: Path) -> int:
    """Write ``reports/PATIENT-STUDY.dcm`` for every decision on files that can be referred to.

    A report names its patient, as everything a PACS stores does: its owner alone reads it.

    Returns
    -------
    int
        How many decisions have none, since no file of theirs can be referred to.
    """
    (folder / REPORTS).mkdir()
    num_without = 0
    for each in decided:
        sources = referable(each.sources)
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
