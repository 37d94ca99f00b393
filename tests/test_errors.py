"""What a user gets wrong ends in a line that names the place, exit code 2, and no leftovers."""

import hashlib
import re
import shutil
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from pipeline import __main__ as command_line
from pipeline.artifacts import matrix_column
from pipeline.hashes import write_hashes
from tests.projects import RECIPE, ROOT, STUDY

SHA256 = "0" * 64


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A copy of the configuration and a data set of the MedMNIST layout, for a test to spoil."""
    shutil.copytree(ROOT / "configs", tmp_path / "configs")
    (tmp_path / "configs/plan.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIPELINE_MIRROR", str(tmp_path / "mirror"))
    (tmp_path / "mirror").mkdir()
    study = STUDY | {"experiments": [{"dataset": "tiny", "network": "tiny", "recipe": "tiny"}]}
    write(tmp_path / "configs/studies/tiny.yaml", study)
    write(tmp_path / "configs/recipes/tiny.yaml", RECIPE)
    shutil.copy("configs/networks/thin_densenet.yaml", "configs/networks/tiny.yaml")
    give_file(tmp_path)
    return tmp_path


def write(path, content):
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def change(path, **changes):
    write(path, yaml.safe_load(path.read_text()) | changes)


def give_file(project, **changes):
    """Put an archive, valid but for the changes, into the mirror; write its config."""
    generator = np.random.default_rng(0)
    arrays = {}
    for split, size in [("train", 40), ("val", 24), ("test", 20)]:
        arrays[f"{split}_images"] = generator.integers(256, size=(size, 8, 8), dtype=np.uint8)
        arrays[f"{split}_labels"] = (np.arange(size) % 2).astype(np.uint8)[:, None]
    arrays |= changes
    archive = project / "mirror/tiny.npz"
    np.savez(archive, **arrays)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    config = {
        "title": "Tiny",
        "adapter": "medmnist",
        "files": [{"name": "tiny.npz", "sha256": digest}],
        "classes": ["no", "yes"],
        "image_size": [8, 8],
        "channels": 1,
        "splits": {
            "official": True,
            "divide": {"val": {"calibration": 0.5, "threshold": 0.5}},
            "reuse": {"val": "calibration"},
        },
        "licence": "none",
        "citation": "none",
    }
    write(project / "configs/datasets/tiny.yaml", config)
    return config


def run(monkeypatch, capsys, *arguments):
    """Run a command; return its exit code and what it said on standard error."""
    monkeypatch.setattr(sys, "argv", ["pipeline", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    return stopped.value.code or 0, capsys.readouterr().err


@pytest.fixture
def fails(project, monkeypatch, capsys):
    """Run commands of which the last must fail as a user's fault; return its one line."""

    def check(*commands, output):
        for command in commands[:-1]:
            assert run(monkeypatch, capsys, *command.split()) == (0, "")
        code, error = run(monkeypatch, capsys, *commands[-1].split())
        assert code == 2, error
        assert error.startswith("error: ")
        assert error.count("\n") == 1
        assert not (project / output).exists()
        parent = (project / output).parent
        assert not parent.exists() or not list(parent.glob(".*"))
        return error

    return check


PREPARE = ("plan tiny", "acquire tiny", "prepare tiny")
TRAIN = (*PREPARE, "train tiny-tiny-tiny")


def test_an_unknown_key(project, fails):
    change(project / "configs/recipes/tiny.yaml", epoch=3)
    error = fails("plan tiny", output="configs/plan.yaml")
    assert "configs/recipes/tiny.yaml: unknown key 'epoch'" in error


def test_a_loss_config_that_does_not_exist(project, fails):
    change(project / "configs/studies/tiny.yaml", losses=["cross_entropy", "gce", "hinge"])
    error = fails("plan tiny", output="configs/plan.yaml")
    assert "configs/losses/hinge.yaml: no such file" in error


def test_a_loss_kind_that_does_not_exist(project, fails):
    write(project / "configs/losses/gce.yaml", {"kind": "hinge"})
    error = fails(*TRAIN, output="data/logits/tiny/tiny-tiny/gce")
    assert "configs/losses/gce.yaml" in error
    assert "hinge" in error


def test_a_network_kind_that_does_not_exist(project, fails):
    write(project / "configs/networks/tiny.yaml", {"kind": "perceptron"})
    error = fails(*TRAIN, output="data/logits/tiny/tiny-tiny/gce")
    assert "configs/networks/tiny.yaml" in error
    assert "perceptron" in error


def test_a_wrong_checksum(project, fails):
    config = give_file(project)
    config["files"][0]["sha256"] = SHA256
    write(project / "configs/datasets/tiny.yaml", config)
    error = fails("plan tiny", "acquire tiny", output="data/raw/tiny")
    assert "tiny.npz" in error
    assert f"expected {SHA256}" in error


def test_a_file_in_no_mirror_and_without_network(project, fails):
    (project / "mirror/tiny.npz").unlink()
    error = fails("plan tiny", "acquire tiny", output="data/raw/tiny")
    assert "tiny.npz: not found" in error
    assert "PIPELINE_MIRROR" in error


def test_labels_out_of_range(project, fails):
    give_file(project, train_labels=(np.arange(40) % 3).astype(np.uint8)[:, None])
    error = fails(*PREPARE, output="data/prepared/tiny")
    assert "[0, 2)" in error


def test_a_class_without_a_training_case(project, fails):
    give_file(project, train_labels=np.zeros((40, 1), np.uint8))
    error = fails(*PREPARE, output="data/prepared/tiny")
    assert "yes" in error
    assert "train" in error


def test_a_split_without_patients(project, fails):
    config = give_file(project)
    config["splits"]["divide"] = {"val": {"calibration": 0.999, "threshold": 0.001}}
    write(project / "configs/datasets/tiny.yaml", config)
    error = fails(*PREPARE, output="data/prepared/tiny")
    assert "threshold" in error


def test_an_archive_that_holds_a_pickle(project, fails):
    give_file(project, train_images=np.array([{"not": "an image"}] * 40))
    error = fails(*PREPARE, output="data/prepared/tiny")
    assert "tiny.npz" in error
    assert "train_images" in error


@pytest.mark.slow
def test_a_training_that_leaves_the_numbers(project, fails):
    optimiser = {"kind": "sgd", "learning_rate": 1e30}
    change(project / "configs/recipes/tiny.yaml", optimiser=optimiser)
    error = fails(*TRAIN, output="data/logits/tiny/tiny-tiny")
    # Losses are trained side by side: whichever leaves the numbers first is told.
    assert re.search("loss (cross_entropy|gce), seed 0", error)
    assert "finite" in error


def test_logits_that_are_not_numbers(project, fails, monkeypatch, capsys):
    change(project / "configs/studies/tiny.yaml", losses=["gce"], baseline="gce")
    for command in TRAIN:
        assert run(monkeypatch, capsys, *command.split())[0] == 0
    path = project / "data/logits/tiny/tiny-tiny/gce/seed-0/calibration.parquet"
    table = pq.read_table(path)
    spoilt = np.full((table.num_rows, 2), np.nan, np.float32)
    index = table.column_names.index("logits")
    pq.write_table(table.set_column(index, "logits", matrix_column(spoilt)), path)
    write_hashes(path.parents[2])
    error = fails("calibrate tiny-tiny-tiny", output="data/probabilities/tiny/tiny-tiny")
    assert "calibration.parquet: logits must be finite" in error


def test_a_truncated_dicom_where_faults_are_to_stop(project, fails, monkeypatch, capsys):
    change(
        project / "configs/studies/tiny.yaml",
        experiments=[{"dataset": "phantom", "network": "tiny", "recipe": "tiny"}],
    )
    path = project / "configs/datasets/phantom.yaml"
    arguments = yaml.safe_load(path.read_text())["arguments"] | {"num_patients": 40}
    change(path, arguments=arguments, on_error="fail")
    for command in ("plan tiny", "acquire phantom"):
        assert run(monkeypatch, capsys, *command.split())[0] == 0
    image = sorted((project / "data/raw/phantom").rglob("*.dcm"))[0]
    image.write_bytes(image.read_bytes()[:-2000])
    error = fails("prepare phantom", output="data/prepared/phantom")
    assert image.name in error


@pytest.mark.parametrize(
    "command", ["acquire", "prepare", "train", "shift", "calibrate", "evaluate", "report"]
)
@pytest.mark.parametrize("key", ["../x", "/abs", "a;b", "a\nb", "..", ""])
def test_a_key_that_leads_elsewhere(project, monkeypatch, capsys, command, key):
    assert run(monkeypatch, capsys, "plan", "tiny") == (0, "")
    before = sorted(project.rglob("*"))
    code, error = run(monkeypatch, capsys, command, key)
    assert code == 2
    assert error.count("\n") == 1
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize("command", ["plan", "doctor", "verify", "publish", "agree"])
def test_a_study_that_leads_elsewhere(project, monkeypatch, capsys, command):
    assert run(monkeypatch, capsys, "plan", "tiny") == (0, "")
    before = sorted(project.rglob("*"))
    code, error = run(monkeypatch, capsys, command, "../../x")
    assert code == 2
    assert error.count("\n") == 1
    assert sorted(project.rglob("*")) == before


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda text: text[: len(text) // 2], "not valid JSON: line "),
        (lambda text: text.replace('"licence": "none"', '"licence": "\xe4"'), "text in UTF-8"),
        (lambda text: text.replace('"classes"', '"clases"'), "missing key 'classes'"),
        (lambda text: text.replace('"channels": 1', '"channels": "1"'), "key 'channels': "),
        (lambda text: "[]", "Input should be a valid dictionary"),
    ],
)
def test_a_damaged_card(project, fails, monkeypatch, capsys, damage, fault):
    for command in PREPARE:
        assert run(monkeypatch, capsys, *command.split())[0] == 0
    card = project / "data/prepared/tiny/card.json"
    card.write_text(damage(card.read_text()), encoding="latin-1")
    write_hashes(card.parent)
    error = fails("train tiny-tiny-tiny", output="data/logits/tiny/tiny-tiny")
    assert f"data/prepared/tiny/card.json: {fault}" in error
