"""Reports before software that is not ours: dcmtk reads them, dicom3tools finds no error."""

from dataclasses import replace

import pytest

from pipeline.predicting.decisions import REASONS
from pipeline.predicting.report_headers import reference_to
from pipeline.predicting.structured_report import structured_report
from tests.dicom_files import uid
from tests.node.orthanc import dumped, faults, needs_programs
from tests.predicting.examples import ANSWERED, GUARANTEE, REFERRED, headers, make_released

pytestmark = [pytest.mark.pacs, needs_programs]

BLIND = replace(REFERRED, predicted="", probabilities={}, confidence=None, threshold=None)
BEFORE = reference_to(uid("study"), uid("series"), uid("report"))
CASES = {
    "answered": (ANSWERED, headers(), {}),
    "answered, many images": (ANSWERED, headers(300), {}),
    "answered again": (ANSWERED, headers(), {"predecessors": [BEFORE]}),
    "another character set": (
        ANSWERED,
        headers(PatientName="Müller^Jürgen", SpecificCharacterSet="ISO_IR 100"),
        {},
    ),
    "odd text": (replace(ANSWERED, detail="odd\x00\x1b \\ \u2028ü"), headers(), {}),
    **{f"referred, {each}": (replace(BLIND, reason=each), headers(), {}) for each in REASONS},
    "not confident": (REFERRED, headers(), {}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_report_is_valid_and_can_be_read(tmp_path, case):
    decision, sources, options = CASES[case]
    report = structured_report(decision, make_released(), sources, **options)
    path = tmp_path / "report.dcm"
    report.save_as(path, enforce_file_format=True)
    assert faults(path) == []
    shown = dumped(path)
    assert GUARANTEE in shown
    assert ("Predicted class" in shown) == (decision.outcome == "answered")
    assert "UNVERIFIED" in shown
    assert "PRELIMINARY" in shown
    assert shown.count("Source of Measurement") == len(sources)


def test_the_judges_find_what_is_wrong(tmp_path):
    report = structured_report(ANSWERED, make_released(), headers())
    del report.CompletionFlag
    path = tmp_path / "report.dcm"
    report.save_as(path, enforce_file_format=True)
    assert [each for each in faults(path) if "CompletionFlag" in each.replace(" ", "")]
