"""The command on a real release: the study's own patients get what the study published."""

import csv
import json
import shutil
import sys
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from pipeline import __main__ as command_line
from pipeline.adapters.phantom import _PUBLIC
from pipeline.artifacts import read_log_probabilities, read_predictions
from pipeline.calibrators import fit_calibrator
from pipeline.hashes import write_hashes
from pipeline.metrics.patient_units import whole_patients
from pipeline.metrics.top_label import top_label
from pipeline.releasing import read_release
from pipeline.releasing.from_study import Options, release_model
from pipeline.releasing.sources import Wanted
from tests.small_study import EXPERIMENT, LOSS, SEEDS, STUDY

RUN = f"{STUDY}/{EXPERIMENT}/{LOSS}/seed-0/test.parquet"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in a folder of its own, where the identity key is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IDENTITY_KEY", raising=False)
    return tmp_path


@pytest.fixture
def run(monkeypatch, capsys):
    """Run `pipeline predict`; return its exit code and what it printed."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["pipeline", "predict", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            command_line.main()
        printed = capsys.readouterr()
        return stopped.value.code, printed.out + printed.err

    return run


@pytest.fixture(scope="module")
def evaluated(small_study):
    """The test patients, and the lowest confidence that evaluate saw among each one's images."""
    predictions = read_predictions(small_study / "data/logits" / RUN)
    log_probabilities = read_log_probabilities(small_study / "data/probabilities" / RUN)["ats"]
    top = top_label(log_probabilities, predictions.labels)
    units = whole_patients(top.confidence, 1 - top.correct.astype(int), predictions.patients)
    return dict(zip(units.patients.tolist(), units.confidence.tolist(), strict=True))


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_test_patient_is_decided_as_evaluate_decided(
    run, small_study, small_release, evaluated, elsewhere
):
    images = small_study / "data/raw/phantom/images"
    code, printed = run(small_release, images, "--out", "out", "--identified")
    assert code == 0
    assert printed.startswith("answered ")
    ids = {row["patient"]: row["PatientID"] for row in rows(elsewhere / "out/identified.csv")}
    lines = (elsewhere / "out/decisions.jsonl").read_text().splitlines()
    decisions = [json.loads(line) for line in lines]
    # The study's own key is public, this place's is new: patients are matched by their IDs.
    found = {_PUBLIC("patient", ids[each["patient"]]): each for each in decisions}
    released = read_release(small_release)
    threshold = released.release.rule.threshold
    for patient, confidence in evaluated.items():
        decision = found[patient]
        # Batches of other sizes may change the last bits of float32.
        assert decision["confidence"] == pytest.approx(confidence, abs=1e-6)
        beyond_the_rule = decision["reason"] in ("out of scope", "outside limits")
        answered = confidence >= threshold and not beyond_the_rule
        assert (decision["outcome"] == "answered") == answered
        assert decision["release"] == released.sha256
    # Nearly all are: half a per cent of the study's own cases fall out of its scope.
    reasons = [found[patient]["reason"] for patient in evaluated]
    assert np.isin(reasons, ["", "not confident"]).mean() > 0.9


@pytest.mark.slow
def test_an_ensemble_decides_by_the_calibrated_mean_of_its_members(run, small_study, elsewhere):
    """Against each member's stored logits, averaged and calibrated here by hand."""
    wanted = Wanted(seeds=list(SEEDS))
    release_model(small_study, STUDY, EXPERIMENT, wanted, elsewhere / "ensemble", Options())
    images = small_study / "data/raw/phantom/images"
    code, _ = run(elsewhere / "ensemble", images, "--out", "out", "--identified")
    assert code == 0

    def mean_of_members(split):
        """Logarithms of mean probabilities, and of whose cases they are."""
        folder = small_study / f"data/logits/{STUDY}/{EXPERIMENT}/{LOSS}"
        stored = [read_predictions(folder / f"seed-{seed}/{split}.parquet") for seed in SEEDS]
        exponentials = [np.exp(each.logits - each.logits.max(1)[:, None]) for each in stored]
        shares = [each / each.sum(1)[:, None] for each in exponentials]
        return np.log(sum(shares) / len(shares)), stored[0]

    held_out, cases = mean_of_members("calibration")
    calibrator = fit_calibrator("ats", held_out, cases.labels)
    logits, cases = mean_of_members("test")
    probabilities = np.exp(calibrator(logits))
    released = read_release(elsewhere / "ensemble").release
    ids = {row["patient"]: row["PatientID"] for row in rows(elsewhere / "out/identified.csv")}
    seen = defaultdict(list)
    for row in rows(elsewhere / "out/images.csv"):
        shares = [float(row[f"probability_{name}"]) for name in released.classes]
        seen[_PUBLIC("patient", ids[row["patient"]])].append(shares)
    lines = (elsewhere / "out/decisions.jsonl").read_text().splitlines()
    decisions = {_PUBLIC("patient", ids[each["patient"]]): each for each in map(json.loads, lines)}
    answered = 0
    for patient in np.unique(cases.patients):
        own = probabilities[cases.patients == patient]
        # Batches of other sizes may change the last bits of float32.
        np.testing.assert_allclose(sorted(seen[patient]), sorted(own.tolist()), atol=1e-6)
        decision = decisions[patient]
        confidence = own.max(axis=1).min()
        assert decision["confidence"] == pytest.approx(confidence, abs=1e-6)
        if decision["reason"] not in ("out of scope", "outside limits"):
            sure = confidence >= released.rule.threshold
            assert (decision["outcome"] == "answered") == sure
            answered += sure
    assert 0 < answered < len(decisions)


def test_foreign_images_are_out_of_scope(run, small_study, small_release, elsewhere):
    from pydicom import dcmread

    path = small_study / "data/raw/phantom/images/00/00/1.dcm"
    dataset = dcmread(path)
    noise = np.random.default_rng(0).integers(0, 4096, dataset.pixel_array.shape, np.uint16)
    dataset.PixelData = noise.tobytes()
    dataset.save_as(elsewhere / "noise.dcm")
    code, printed = run(small_release, "noise.dcm", "--out", "out")
    assert (code, printed.splitlines()[0]) == (0, "answered 0, referred 1: 1 out of scope")


def test_reports_are_written_of_answers_and_referrals(run, small_study, small_release, elsewhere):
    from pydicom import dcmread

    source = small_study / "data/raw/phantom/images/00"
    shutil.copytree(source / "00", elsewhere / "in/00")
    shutil.copytree(source / "01", elsewhere / "in/01")
    damaged = elsewhere / "in/00/1.dcm"
    damaged.write_bytes(damaged.read_bytes()[:-100])
    (elsewhere / "in/no-header.dcm").write_bytes(b"damaged")
    code, printed = run(small_release, "in", "--out", "out", "--sr")
    assert code == 0
    assert "; 1 without a report" in printed
    reports = sorted((elsewhere / "out/reports").iterdir())
    assert [path.stat().st_mode & 0o777 for path in reports] == [0o600] * 2
    named = {dcmread(path).PatientID: path for path in reports}
    assert set(named) == {"SIM-0000", "SIM-0001"}
    assert b"pixel data cannot be decoded" in named["SIM-0000"].read_bytes()


def test_the_exported_program_which_could_run_code_is_never_opened(
    run, small_study, small_release, elsewhere
):
    release = shutil.copytree(small_release, elsewhere / "release")
    (release / "models/program.pt2").write_bytes(b"of a stranger")
    (release / "SHA256SUMS").unlink()
    write_hashes(release)
    images = small_study / "data/raw/phantom/images/00/00"
    code, printed = run(release, images, "--out", "out")
    assert (code, printed.splitlines()[0]) == (0, "answered 1, referred 0")


@pytest.mark.parametrize("spoil", ["weights", "manifest", "extra", "version"])
def test_a_release_that_is_not_as_it_was_packed_is_refused(
    run, small_release, elsewhere, monkeypatch, spoil
):
    release = shutil.copytree(small_release, elsewhere / "release")
    (elsewhere / "a.dcm").write_bytes(b"")
    if spoil == "weights":
        path = next((release / "models").glob("*.safetensors"))
        path.write_bytes(path.read_bytes()[:-1] + b"\1")
    elif spoil == "manifest":
        path = release / "release.json"
        path.write_text(path.read_text().replace('"gce"', '"brier"'))
    elif spoil == "extra":
        (release / "models/more.bin").write_bytes(b"more")
    else:
        path = release / "release.json"
        content = json.loads(path.read_text())
        content["provenance"]["versions"]["calibrated-imaging"] = "0.0.1"
        path.write_text(json.dumps(content))
        (release / "SHA256SUMS").unlink()
        write_hashes(release)
    code, printed = run(release, "a.dcm", "--out", "out")
    assert code == 2
    assert printed.startswith("error: ")
    assert len(printed.splitlines()) == 1
    assert not (elsewhere / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.dcm"], "nothing.dcm: no such file or folder"),
        (["empty"], "no image to decide upon: 0 files"),
        (["a.png"], "no image to decide upon: 1 files, of which none is a dicom image"),
        (["ct.dcm"], "the modality is CT, the release reads OT"),
        (["a.png", "--allowed-signers", "signers"], "is not signed: SHA256SUMS.sig expected"),
    ],
)
def test_what_cannot_be_decided_upon_is_one_line_and_nothing_is_written(
    run, small_study, small_release, elsewhere, arguments, message
):
    from pydicom import dcmread

    (elsewhere / "empty").mkdir()
    (elsewhere / "a.png").write_bytes(b"")
    (elsewhere / "signers").write_text("")
    dataset = dcmread(small_study / "data/raw/phantom/images/00/00/1.dcm")
    dataset.Modality = "CT"
    dataset.save_as(elsewhere / "ct.dcm")
    code, printed = run(small_release, *arguments, "--out", "out")
    assert code == 2
    assert message in printed
    assert len(printed.splitlines()) == 1
    assert not (elsewhere / "out").exists()


def test_reports_are_refused_where_no_dicom_is_read(small_release, elsewhere):
    from pipeline.errors import InputError
    from pipeline.predicting.predictor import Predictor
    from pipeline.predicting.writing import predict

    released = read_release(small_release)
    release = released.release
    pictures = release.preprocessing.model_copy(update={"reader": "picture"})
    released = replace(released, release=release.model_copy(update={"preprocessing": pictures}))
    with pytest.raises(InputError, match="--sr refers to DICOM images"):
        predict(Predictor(released), [elsewhere], elsewhere / "out", reports=True)
