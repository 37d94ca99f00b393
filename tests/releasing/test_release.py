"""A released model says and does, in every program that runs it, what the study published."""

import hashlib
import json
import shutil
import subprocess
import sys

import monai.bundle
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from safetensors.torch import load_file

from pipeline.artifacts import load_prepared, read_log_probabilities, read_predictions
from pipeline.metrics.patient_units import whole_patients
from pipeline.releasing import INPUT, OUTPUTS, read_release
from pipeline.releasing.exporting import load_onnx, load_program
from pipeline.releasing.manifest import TIE
from tests.small_study import EXPERIMENT, FOUND_TARGET, LOSS, STUDY

SAME = 1e-5
"""Float32 sums in another order: what the release promises of its programs."""


@pytest.fixture(scope="module")
def released(small_release):
    return read_release(small_release)


@pytest.fixture(scope="module")
def images(small_study):
    prepared = load_prepared(small_study / "data/prepared/phantom")
    return prepared.images[prepared.rows("test")]


@pytest.fixture(scope="module")
def run(small_study):
    return small_study / f"data/logits/{STUDY}/{EXPERIMENT}/{LOSS}/seed-0"


@pytest.fixture(scope="module")
def published(small_study):
    folder = small_study / f"data/probabilities/{STUDY}/{EXPERIMENT}/{LOSS}/seed-0"
    return np.exp(read_log_probabilities(folder / "test.parquet")["ats"])


@pytest.fixture(scope="module")
def programs(released):
    return {"torch": load_program(released.program), "onnx": load_onnx(released.onnx)}


@pytest.fixture(scope="module")
def in_torch(programs, images):
    return programs["torch"](images)


def test_torch_gives_the_probabilities_that_the_study_evaluated(in_torch, published):
    np.testing.assert_allclose(in_torch["probabilities"], published, rtol=0, atol=SAME)


def test_onnx_runtime_gives_the_same_probabilities_and_decisions(programs, images, in_torch):
    found = programs["onnx"](images)
    for name in ("probabilities", "confidence", "scope_score"):
        np.testing.assert_allclose(found[name], in_torch[name], rtol=SAME, atol=SAME)
    np.testing.assert_array_equal(found["decision"], in_torch["decision"])


def test_onnx_runtime_alone_can_tell_inputs_and_outputs_by_their_names(released):
    session = onnxruntime.InferenceSession(released.onnx, providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == [INPUT]
    assert session.get_inputs()[0].shape[1:] == [1, 32, 32]
    assert tuple(each.name for each in session.get_outputs()) == OUTPUTS


def test_the_onnx_program_holds_both_thresholds_in_all_their_bits(released):
    release = released.release
    scalars = {
        float(onnx.numpy_helper.to_array(each))
        for each in onnx.load(released.onnx).graph.initializer
        if not each.dims
    }
    assert {release.rule.threshold - TIE, release.scope.threshold} <= scalars


@pytest.mark.parametrize("size", [1, 3])
def test_a_batch_of_any_size_gives_what_one_by_one_does(programs, images, in_torch, size):
    for program in programs.values():
        found = program(images[:size])
        np.testing.assert_allclose(
            found["probabilities"], in_torch["probabilities"][:size], rtol=0, atol=SAME
        )


@pytest.fixture
def bundle(released, images, tmp_path):
    """A copy of the release, for MONAI, with images to predict."""
    copy = tmp_path / "bundle"
    shutil.copytree(released.folder, copy)
    np.save(copy / "images.npy", images)
    return copy


VERIFIED = {
    "verify_metadata": {
        "meta_file": "configs/metadata.json",
        "filepath": "configs/metadata.schema.json",
    },
    "verify_net_in_out": {
        "net_id": "network_def",
        "meta_file": "configs/metadata.json",
        "config_file": "configs/inference.yaml",
        "device": "cpu",
    },
}


# MONAI warns of the schema that it does not fetch, and of its own deprecations.
@pytest.mark.filterwarnings("ignore")
def test_monai_gives_the_same_probabilities_and_decisions(released, bundle, in_torch, monkeypatch):
    monkeypatch.chdir(bundle)
    monai.bundle.run(config_file="configs/inference.yaml", meta_file="configs/metadata.json")
    require_same(bundle / "predictions.csv", released, in_torch)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("command", VERIFIED)
def test_monai_verifies_metadata_input_and_output(bundle, monkeypatch, command):
    monkeypatch.chdir(bundle)
    getattr(monai.bundle, command)(**VERIFIED[command])


@pytest.mark.filterwarnings("ignore")
def test_monai_sees_metadata_that_lack_a_key_or_state_another_output(bundle, monkeypatch):
    monkeypatch.chdir(bundle)
    path = bundle / "configs/metadata.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"task": ""}))
    with pytest.raises(ValueError, match="against schema"):
        monai.bundle.verify_metadata(**VERIFIED["verify_metadata"])
    content["network_data_format"]["outputs"]["pred"]["num_channels"] += 1
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="output channel number"):
        monai.bundle.verify_net_in_out(**VERIFIED["verify_net_in_out"])


@pytest.mark.slow
def test_plain_monai_runs_the_release_where_this_project_cannot_be_imported(
    released, bundle, in_torch
):
    verified = [
        (command, *(word for name, value in options.items() for word in (f"--{name}", value)))
        for command, options in VERIFIED.items()
    ]
    for arguments in (("run", "--config_file", "configs/inference.yaml"), *verified):
        done = subprocess.run(
            [sys.executable, "-P", "-m", "monai.bundle", *arguments],
            cwd=bundle,
            env={"PATH": "", "HOME": str(bundle), "https_proxy": "http://127.0.0.1:9"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
    require_same(bundle / "predictions.csv", released, in_torch)


def require_same(path, released, in_torch):
    """Hold MONAI's table, a row a case, to torch's outputs."""
    table = np.loadtxt(path, delimiter=",")
    num_classes = len(released.release.classes)
    assert table.shape == (len(in_torch["decision"]), num_classes + 3)
    np.testing.assert_allclose(table[:, :num_classes], in_torch["probabilities"], rtol=0, atol=SAME)
    np.testing.assert_array_equal(table[:, num_classes + 1], in_torch["decision"])


def test_the_rule_is_the_one_that_evaluate_published(small_study, released):
    path = small_study / f"data/scores/{STUDY}/{EXPERIMENT}/operating_points.csv"
    points = pd.read_csv(path)
    row = points[
        (points["seed"] == 0) & (points["calibrator"] == "ats") & (points["target"] == FOUND_TARGET)
    ].iloc[0]
    rule = released.release.rule
    assert rule.found
    assert rule.threshold == pytest.approx(row["threshold"], abs=1e-12)
    assert rule.num_patients == row["num_threshold_patients"]
    assert rule.expected_answered == row["answered"] / row["num_test"]
    assert "passes a threshold with true error above 40% at most 5% of the time" in rule.guarantee


def test_the_programs_answer_the_patients_whom_evaluate_answered(
    small_study, released, run, in_torch, published
):
    patients = read_predictions(run / "test.parquet").patients
    rule, scope = released.release.rule, released.release.scope
    here = whole_patients(in_torch["decision"], in_torch["decision"], patients).confidence
    units = whole_patients(
        published.max(axis=1), in_torch["scope_score"] < scope.threshold, patients
    )
    expected = (units.confidence >= rule.threshold - TIE) & ~units.losses
    np.testing.assert_array_equal(here, expected)
    assert 0 < here.sum() < len(here)


def test_foreign_images_are_out_of_scope_and_nearly_all_of_the_study_s_are_in(
    released, programs, images, in_torch
):
    rng = np.random.default_rng(0)
    threshold = released.release.scope.threshold
    foreign = {
        "noise": rng.integers(0, 256, (50, 32, 32, 1)),
        "black": np.zeros((1, 32, 32, 1)),
        "grey": np.full((1, 32, 32, 1), 128),
        "white": np.full((1, 32, 32, 1), 255),
        "inverted": 255 - images[:50],
        "a ramp": np.tile(np.linspace(0, 255, 32)[:, None], (1, 1, 32, 1)).reshape(1, 32, 32, 1),
    }
    for name, batch in foreign.items():
        found = programs["torch"](batch)
        assert (found["scope_score"] < threshold).all(), name
        assert not found["decision"].any(), name
    assert (in_torch["scope_score"] >= threshold).mean() > 0.95


def test_the_weights_are_the_trained_ones_and_nothing_is_a_pickle(released, run):
    weights = released.folder / released.release.members[0].weights
    assert weights.read_bytes() == (run / "weights.safetensors").read_bytes()
    assert load_file(weights)
    for path in released.folder.rglob("*"):
        assert path.suffix not in (".pt", ".pkl", ".bin"), path


def test_coreutils_checks_the_hashes(released):
    done = subprocess.run(
        ["sha256sum", "--strict", "--check", "SHA256SUMS"],
        cwd=released.folder,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    digest = hashlib.sha256((released.folder / "SHA256SUMS").read_bytes()).hexdigest()
    assert released.sha256 == digest


def test_no_file_says_where_it_was_made_or_whom_it_was_made_of(small_study, released, run):
    named = {*read_predictions(run / "test.parquet").patients.tolist()}
    for path in released.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert str(small_study).encode() not in content, path
            assert b"/pipeline/releasing" not in content, path
            assert not any(patient.encode() in content for patient in named), path


def test_groups_are_named_if_enough_patients_are_of_them_and_never_counted(small_study, released):
    cases = load_prepared(small_study / "data/prepared/phantom").cases
    limits = released.release.limits
    assert set(limits.sites) == {"north", "south"}
    assert set(limits.sexes) == set(cases["sex"])
    bands = {"<40": cases["age"] < 40, ">=80": cases["age"] >= 80}
    for band, inside in bands.items():
        if cases["patient"][inside].nunique() < limits.at_least:
            assert band not in limits.age_bands
    text = (released.folder / "release.json").read_text()
    assert json.loads(text)["limits"]["age_bands"] == limits.age_bands


def test_the_reference_is_of_the_patients_that_no_calibrator_saw(small_study, released, run):
    threshold = read_predictions(run / "threshold.parquet")
    reference = released.release.reference
    assert reference.split == "threshold"
    assert reference.num_patients == len(set(threshold.patients))
    log_probabilities = released.calibrator(threshold.logits)
    confidence = np.exp(log_probabilities).max(axis=1)
    units = whole_patients(confidence, confidence, threshold.patients)
    assert reference.confidence_quantiles[0] == pytest.approx(units.confidence.min())
    assert reference.confidence_quantiles[50] == pytest.approx(np.median(units.confidence))
    assert sum(reference.prevalence.values()) == pytest.approx(1)


def test_the_card_says_what_it_is_not_and_what_answered_means(released):
    card = (released.folder / "docs/README.md").read_text()
    for words in (
        "Not a medical device",
        "A patient is referred unless everything speaks for an answer",
        "It does not mean that the answer is right",
        released.release.rule.guarantee,
        "**Known failures.**",
    ):
        assert words in card


def test_every_class_has_a_private_code_of_its_own(released):
    codes = released.release.codes
    assert [codes[name].meaning for name in released.release.classes] == released.release.classes
    assert len({code.value for code in codes.values()}) == len(codes)
    assert {code.scheme for code in codes.values()} == {"99CALIMG"}
