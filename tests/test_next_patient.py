"""The walk-through of docs/next-patient.md, command by command, after a study of seconds."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from pydicom import dcmread

from tests.node.orthanc import dumped, faults, needs_programs
from tests.node.processes import free_port, is_open, wait_until
from tests.projects import ROOT
from tests.small_study import EXPERIMENT, STUDY
from tests.test_docs import FENCE

DOCUMENT = ROOT / "docs/next-patient.md"
EIGHT, LOOK, LABELS, DIAGNOSES = (
    block
    for kind, block in FENCE.findall(DOCUMENT.read_text(encoding="utf-8"))
    if kind in ("", "python")
)
REPRODUCE, RELEASE, ACQUIRE, PREDICT, PACS, NODE, SCANNER, FORWARD = EIGHT.splitlines()
NUM_PATIENTS, NUM_SENT = 400, 100
SR_STORAGE = "1.2.840.10008.5.1.4.1.1.88.34"


class Reader:
    """Somebody who does as the document says, with other ports and the name of a small study."""

    def __init__(self, folder):
        self.folder, self.log = folder, folder.with_suffix(".log")
        self.ports = {stated: free_port() for stated in ("4242", "8042", "11112")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)}
        self.environment.pop("PIPELINE_IDENTITY_KEY", None)

    def start(self, line, **options):
        for stated, here in self.ports.items():
            line = line.replace(stated, str(here))
        line = line.replace("quick phantom-thin_densenet", f"{STUDY} {EXPERIMENT}")
        return subprocess.Popen(
            ["bash", "-c", line], cwd=self.folder, env=self.environment, start_new_session=True,
            text=True, stderr=subprocess.STDOUT, **options,
        )  # fmt: skip

    def run(self, line):
        """Run a command, or a block of them, to its end; return what it printed."""
        process = self.start(line, stdout=subprocess.PIPE)
        printed = process.communicate(timeout=300)[0]
        assert process.returncode == 0, printed
        return printed

    @contextmanager
    def leaving(self, line, *ports):
        """Start what the document leaves running, until it listens at all of its ports."""
        with self.log.open("a") as log:
            process = self.start(line.removesuffix("&"), stdout=log)
        try:
            wait_until(lambda: all(is_open(self.ports[port]) for port in ports))
            yield
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)

    def num_reports(self):
        address = f"http://127.0.0.1:{self.ports['8042']}/tools/find"
        query = {"Level": "Instance", "Query": {"Modality": "SR"}}
        with urlopen(address, json.dumps(query).encode()) as answer:
            return len(json.loads(answer.read()))


@pytest.fixture(scope="module")
def reader(tmp_path_factory, small_study):
    """A reader who has packed a release, whose next patients have come."""
    folder = shutil.copytree(small_study, tmp_path_factory.mktemp("walk") / "project")
    shutil.copy(ROOT / "configs/datasets/phantom_next.yaml", folder / "configs/datasets")
    reader = Reader(folder)
    reader.run(RELEASE)
    reader.run(ACQUIRE)
    return reader


@pytest.mark.slow
def test_the_next_patients_are_decided_watched_and_fitted_to(reader):
    assert REPRODUCE == "make reproduce"
    assert reader.run(PREDICT).startswith("answered ")
    following = reader.folder.parent / "next"
    decisions = (following / "decisions/decisions.jsonl").read_text().splitlines()
    assert len(decisions) == NUM_PATIENTS
    reports = list((following / "decisions/reports").iterdir())
    assert len(reports) == NUM_PATIENTS
    reader.run(f"python -c '{LABELS}'")
    assert len((following / "labels.csv").read_text().splitlines()) == 1 + NUM_PATIENTS
    watched, fitted = DIAGNOSES.splitlines()
    # The small study promises at most 40 % wrong, and is wrong far more seldom.
    assert reader.run(watched).startswith("supported by ")
    assert (following / "monitor/index.html").is_file()
    assert "Threshold found" in reader.run(fitted)
    assert (following / "ours/release/release.json").is_file()


@pytest.mark.pacs
@needs_programs
def test_every_study_that_is_sent_gets_a_report_in_the_pacs(reader):
    with reader.leaving(PACS, "4242", "8042"), reader.leaving(NODE, "11112"):
        reader.run(SCANNER)
        assert '"FailedInstancesCount" : 0' in reader.run(FORWARD)
        wait_until(lambda: reader.num_reports() == NUM_SENT)
        assert "UNVERIFIED" in reader.run(LOOK)
    path = reader.folder.parent / "next/report.dcm"
    assert dcmread(path).SOPClassUID == SR_STORAGE
    assert faults(path) == []
    assert dumped(path)
    log = reader.folder / "data/node/decisions.jsonl"
    assert len(log.read_text().splitlines()) == NUM_SENT
