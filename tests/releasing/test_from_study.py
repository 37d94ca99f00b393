"""What is packed is what the study evaluated; what cannot be packed is a line and no folder."""

import json
import shutil
import sys

import numpy as np
import pytest
import yaml

from pipeline import __main__ as command_line
from pipeline.artifacts import read_log_probabilities, read_predictions
from pipeline.errors import InputError
from pipeline.hashes import write_hashes
from pipeline.releasing import from_study, packing, read_release
from pipeline.releasing.deciding import decide
from pipeline.releasing.exporting import load_program
from pipeline.releasing.from_study import Options, release_model
from pipeline.releasing.sources import Wanted, read_source
from tests.small_study import EXPERIMENT, STUDY, TOO_FEW_TARGET


@pytest.fixture
def refusals(small_study, tmp_path, monkeypatch, capsys):
    """Run the command with options; return the line that it ends with, nothing being written."""
    monkeypatch.chdir(small_study)

    def run(*options, root=small_study):
        monkeypatch.chdir(root)
        out = tmp_path / "out"
        arguments = ["pipeline", "release", STUDY, EXPERIMENT, "--out", str(out), *options]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as stopped:
            command_line.main()
        assert stopped.value.code == 2
        assert not out.exists()
        error = capsys.readouterr().err
        assert error.count("\n") == 1
        return error

    return run


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--loss", "focal"], "loss must be one of gce, got focal"),
        (["--seed", "7"], "seed must be one of 0, 1, got 7"),
        (["--seeds", "0,0"], "each seed once expected, got 0, 0"),
        (["--seed", "0", "--seeds", "0,1"], "either --seed or --seeds expected, got both"),
        (["--seeds", "0,one"], "--seeds: whole numbers expected, such as 0,1,2, got 0,one"),
        (["--calibrator", "bcts"], "calibrator must be one of identity, ats, isotonic, got bcts"),
        (["--target", "0.33"], "target must be one of 0.02, 0.4, got 0.33"),
        (["--modality", "computed tomography"], "the release: key 'modality'"),
        (["--sign", "nobody"], "nobody: no such file: a private SSH key expected"),
    ],
)
def test_refuses_what_the_study_has_not(refusals, options, fault):
    assert fault in refusals(*options)


def test_refuses_a_model_without_a_guarantee_unless_told(refusals):
    error = refusals("--target", str(TOO_FEW_TARGET))
    assert "Too few cases to tell at 2%: --without-guarantee packs a release that" in error


@pytest.mark.parametrize(
    ("codes", "fault"),
    [
        ({"benign": {"scheme": "SCT", "value": "30807003", "meaning": "Benign"}},
         "a code for each of no finding, benign, malignant expected, got benign"),
        ({"benign": {"scheme": "SCT", "value": "3" * 17, "meaning": "Benign"}},
         "key 'benign.value'"),
        ({"benign": {"scheme": "SCT", "value": "3", "meaning": "Be\\nign"}},
         "key 'benign.meaning'"),
        ({"benign": {"scheme": "S\nCT", "value": "3", "meaning": "Benign"}},
         "key 'benign.scheme'"),
    ],
)  # fmt: skip
def test_refuses_codes_that_are_none(refusals, tmp_path, codes, fault):
    path = tmp_path / "codes.yaml"
    path.write_text(yaml.safe_dump(codes))
    assert fault in refusals("--codes", str(path))


def test_refuses_another_study(small_study, tmp_path):
    with pytest.raises(InputError, match="no row 'large-phantom-small'"):
        release_model(small_study, "large", EXPERIMENT, Wanted(), tmp_path / "out", Options())


def test_refuses_packages_that_are_not_here(refusals, monkeypatch):
    monkeypatch.setattr(packing, "find_spec", lambda name: None if name == "onnx" else True)
    error = refusals()
    assert "a release needs onnx: pip install 'calibrated-imaging[release]'" in error


@pytest.fixture
def spoilt(small_study, tmp_path):
    """A copy of the study's outputs, for a test to change."""
    root = tmp_path / "study"
    shutil.copytree(small_study, root)
    return root


def test_refuses_weights_that_changed_since_they_were_trained(refusals, spoilt):
    folder = spoilt / f"data/logits/{STUDY}/{EXPERIMENT}"
    weights = folder / "gce/seed-0/weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    assert "weights.safetensors is not as it was written" in refusals(root=spoilt)


def test_refuses_a_threshold_that_is_not_the_published_one(refusals, spoilt):
    folder = spoilt / f"data/scores/{STUDY}/{EXPERIMENT}"
    path = folder / "operating_points.csv"
    threshold = str(decided(spoilt, Wanted())[0].threshold)
    assert threshold in path.read_text()
    path.write_text(path.read_text().replace(threshold, "0.9876"))
    (folder / "SHA256SUMS").unlink()
    write_hashes(folder)
    assert "threshold 0.9876 expected, got" in refusals(root=spoilt)


def decided(root, wanted):
    source = read_source(root, STUDY, EXPERIMENT, wanted)
    return (*decide(source, source.run(), "patients"), source)


def test_an_ensemble_calibrates_the_mean_of_its_members_probabilities(small_study):
    rule, _, source = decided(small_study, Wanted(seeds=[0, 1], calibrator="identity"))
    folder = small_study / f"data/logits/{STUDY}/{EXPERIMENT}/gce"
    logits = [read_predictions(folder / f"seed-{seed}/test.parquet").logits for seed in (0, 1)]
    exponentials = [np.exp(each - each.max(axis=1, keepdims=True)) for each in logits]
    mean = sum(each / each.sum(axis=1, keepdims=True) for each in exponentials) / 2
    log_probabilities = source.run().test.log_probabilities["identity"]
    np.testing.assert_allclose(np.exp(log_probabilities), mean, atol=1e-7)
    assert source.calibrator.notes == ()
    assert rule.num_patients == decided(small_study, Wanted())[0].num_patients


def test_a_single_seed_keeps_the_calibrator_that_was_stored(small_study):
    for seed in (0, 1):
        source = read_source(small_study, STUDY, EXPERIMENT, Wanted(seeds=[seed]))
        folder = small_study / f"data/probabilities/{STUDY}/{EXPERIMENT}/gce/seed-{seed}"
        stored = read_log_probabilities(folder / "test.parquet")["ats"]
        np.testing.assert_array_equal(source.run().test.log_probabilities["ats"], stored)


@pytest.mark.slow
def test_a_release_without_a_guarantee_refers_everybody(small_study, tmp_path):
    out = tmp_path / "out"
    wanted, options = Wanted(target=TOO_FEW_TARGET), Options(without_guarantee=True)
    line = release_model(small_study, STUDY, EXPERIMENT, wanted, out, options)
    assert "Too few cases to tell at 2%" in line
    released = read_release(out)
    assert not released.release.rule.found
    assert released.release.reference.referred == 1
    images = np.load(small_study / "data/prepared/phantom/images.npy")
    assert not load_program(released.program)(images)["decision"].any()
    assert "This release refers everybody" in (out / "docs/README.md").read_text()


@pytest.mark.slow
def test_two_releases_of_one_model_have_the_same_bytes(small_study, small_release, tmp_path):
    release_model(small_study, STUDY, EXPERIMENT, Wanted(), tmp_path / "again", Options())
    for name in ("SHA256SUMS", "release.json"):
        assert (tmp_path / "again" / name).read_bytes() == (small_release / name).read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("calibrator", ["ats", "isotonic"])
def test_an_ensemble_is_packed_with_each_member_s_weights(small_study, tmp_path, calibrator):
    wanted = Wanted(seeds=[0, 1], calibrator=calibrator)
    options = Options(without_guarantee=True, modality="MG")
    release_model(small_study, STUDY, EXPERIMENT, wanted, tmp_path / "out", options)
    release = read_release(tmp_path / "out").release
    assert [member.weights for member in release.members] == [
        "models/model-0.safetensors", "models/model-1.safetensors",
    ]  # fmt: skip
    assert release.name == "small-phantom-small-gce-of-2"
    assert release.modality == "MG"
    card = (tmp_path / "out/docs/README.md").read_text()
    assert "the mean probability of 2 networks is calibrated" in card
    assert "Model card of the study" not in card


@pytest.mark.parametrize(
    ("in_onnx", "fault"),
    [
        ({"probabilities": np.nan, "decision": 0}, "ONNX Runtime's probabilities must be within"),
        ({"probabilities": 0.0, "decision": 1}, "equal decisions expected of torch and ONNX Run"),
        ({"probabilities": 0.0, "decision": 0}, "the exported program's probabilities must be wi"),
    ],
)
def test_nothing_is_left_behind_where_the_programs_do_not_agree(
    small_study, tmp_path, monkeypatch, in_onnx, fault
):
    def outputs(values):
        return lambda path: (
            lambda images: {
                "probabilities": np.full((len(images), 3), values["probabilities"]),
                "decision": np.full(len(images), values["decision"]),
            }
        )

    # Tracing takes seconds, and is not what is tried here.
    monkeypatch.setattr(packing, "export", lambda program, shape: None)
    for name in ("write_program", "write_onnx"):
        monkeypatch.setattr(packing, name, lambda exported, path: path.write_bytes(b""))
    monkeypatch.setattr(packing, "load_program", outputs({"probabilities": 0.0, "decision": 0}))
    monkeypatch.setattr(packing, "load_onnx", outputs(in_onnx))
    with pytest.raises(InputError, match=fault):
        release_model(small_study, STUDY, EXPERIMENT, Wanted(), tmp_path / "out/release", Options())
    assert list((tmp_path / "out").iterdir()) == []


def test_the_preprocessing_says_how_files_are_read_and_not_where_they_were(small_release):
    stated = json.loads((small_release / "release.json").read_text())["preprocessing"]
    assert stated["reader"] == "dicom"
    assert stated["dtype"] == "uint8"
    arguments = stated["arguments"]
    assert arguments["window"] == "tag"
    assert set(arguments["site_names"].values()) == {"north", "south"}
    assert not {"folder", "labels", "workers"} & arguments.keys()
    assert from_study.default_modality({"adapter": "medmnist"}) is None
