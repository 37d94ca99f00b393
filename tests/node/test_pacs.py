"""A real PACS sends studies to the node, and reads the reports that it sends back."""

import json
import re
from dataclasses import asdict

import pytest
from pydicom import dcmread

from pipeline.adapters.identity import KEY_VARIABLE
from pipeline.predicting.predictor import Predictor
from pipeline.releasing import read_release
from tests.node.orthanc import dumped, faults, needs_programs, orthanc
from tests.node.processes import free_port, released, running, wait_until
from tests.node.senders import PSEUDONYMS

pytestmark = [pytest.mark.pacs, needs_programs]

NUM_PATIENTS = 12


def undated(decision):
    return json.dumps(decision | {"decided_at": ""}, sort_keys=True)


def test_orthanc_gets_a_report_on_each_study_that_it_sends(
    tmp_path, small_study, small_release, monkeypatch
):
    monkeypatch.setenv(KEY_VARIABLE, PSEUDONYMS.key.decode())
    folders = sorted((small_study / "data/raw/phantom/images").glob("*/*"))[:NUM_PATIENTS]
    predictor = Predictor(read_release(small_release), pseudonyms=PSEUDONYMS)
    expected = {}
    for folder in folders:
        (decision,) = predictor.decide([folder])
        expected[dcmread(next(folder.glob("*.dcm"))).StudyInstanceUID] = decision
    assert {each.outcome for each in expected.values()} == {"answered", "referred"}

    port = free_port()
    with (
        orthanc(tmp_path / "orthanc", port) as pacs,
        running(
            tmp_path / "node",
            released(small_release, pacs.address, "--quiet-seconds=2", "--allow=ORTHANC"),
            port,
        ) as node,
    ):
        for folder in folders:
            for path in folder.glob("*.dcm"):
                pacs.keep(path)
        # Twice: the second time with the reports that came back.
        for _ in range(2):
            assert not any(pacs.send_to_node(study) for study in pacs.studies())
            wait_until(lambda: len(pacs.reports()) == NUM_PATIENTS)
        assert node.stop() == 0
        reports = [pacs.save(each) for each in pacs.reports()]

    assert len(reports) == NUM_PATIENTS
    decided = sorted(map(undated, node.decisions()))
    assert decided == sorted(undated(asdict(each)) for each in expected.values())
    for path in reports:
        report = dcmread(path)
        decision = expected.pop(report.StudyInstanceUID)
        assert faults(path) == []
        require_says(dumped(path), report, decision)


def require_says(shown, report, decision):
    """Assert that dcmtk reads a decision and its patient from a report."""
    assert re.search(r"^Patient +: SIMULATED\^PATIENT", shown, re.MULTILINE)
    assert f"#{report.PatientID})" in shown
    assert ("Answered by the model" in shown) == (decision.outcome == "answered")
    assert decision.detail in shown
    assert shown.count("Source of Measurement") == decision.num_images
    if decision.outcome == "answered":
        assert f'"{decision.predicted}")>' in shown
        assert re.search(rf'"Probability"\)="{round(decision.confidence, 6)}', shown)
