import hashlib
import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.__main__ import app
from pipeline.at_hand import studies_at_hand
from pipeline.config import read_plan
from pipeline.errors import InputError

CONFIGS = Path(__file__).parents[1] / "configs"
CONTENT = b"the files of a data set"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A project with the embedded study and one whose only file a mirror may hold."""
    shutil.copytree(CONFIGS, tmp_path / "configs", ignore=shutil.ignore_patterns("plan.yaml"))
    studies = tmp_path / "configs/studies"
    for path in studies.glob("*.yaml"):
        if path.stem != "quick":
            path.unlink()
    dataset = yaml.safe_load((CONFIGS / "datasets/breastmnist.yaml").read_text())
    digest = hashlib.sha256(CONTENT).hexdigest()
    dataset["files"] = [{"name": "own.npz", "sha256": digest, "url": "https://example.org/own.npz"}]
    (tmp_path / "configs/datasets/own.yaml").write_text(yaml.safe_dump(dataset))
    study = yaml.safe_load((CONFIGS / "studies/quick.yaml").read_text())
    experiment = study["experiments"][0] | {"dataset": "own"}
    (studies / "another.yaml").write_text(yaml.safe_dump(study | {"experiments": [experiment]}))
    (tmp_path / "mirror").mkdir()
    monkeypatch.setenv("PIPELINE_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_study_whose_file_is_nowhere_is_left_out_with_the_file_s_name(root):
    found, left_out = studies_at_hand(root)
    assert found == ["quick"]
    assert left_out == {
        "another": "own: own.npz is in no folder of PIPELINE_MIRROR "
        "(public: https://example.org/own.npz)"
    }


def test_a_mirror_s_file_counts_only_with_the_right_checksum(root):
    (root / "mirror/own.npz").write_bytes(CONTENT + b"!")
    assert studies_at_hand(root)[0] == ["quick"]
    (root / "mirror/own.npz").write_bytes(CONTENT)
    assert studies_at_hand(root) == (["quick", "another"], {})


def test_what_was_acquired_is_at_hand_without_a_mirror(root):
    (root / "data/raw/own").mkdir(parents=True)
    assert studies_at_hand(root)[0] == ["quick", "another"]


def test_a_public_file_counts_where_fetching_is_asked_for(root):
    assert studies_at_hand(root, fetch=True)[0] == ["quick", "another"]


def test_a_study_for_a_gpu_is_left_out_where_there_is_none(root, monkeypatch):
    path = root / "configs/studies/another.yaml"
    path.write_text(path.read_text() + "needs_gpu: true\n")
    (root / "mirror/own.npz").write_bytes(CONTENT)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    reason = "it needs a GPU; `plan another` plans it all the same"
    assert studies_at_hand(root) == (["quick"], {"another": reason})
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert studies_at_hand(root) == (["quick", "another"], {})


def test_a_hospital_s_folder_must_be_there(root):
    path = root / "configs/datasets/own.yaml"
    dataset = yaml.safe_load(path.read_text()) | {"files": [], "arguments": {"folder": "scans"}}
    path.write_text(yaml.safe_dump(dataset))
    assert studies_at_hand(root)[1] == {"another": "own: the folder scans does not exist"}
    (root / "scans").mkdir()
    assert studies_at_hand(root)[1] == {}


def test_plan_all_writes_the_plan_of_what_is_at_hand_and_names_the_rest(root):
    done = CliRunner().invoke(app, ["plan", "--all"])
    assert done.exit_code == 0
    assert "left out   another: own: own.npz is in no folder" in done.stdout
    assert list(read_plan(root / "configs/plan.yaml").studies) == ["quick"]


@pytest.mark.parametrize("arguments", [["plan"], ["plan", "quick", "--all"]])
def test_plan_wants_names_or_all_of_them(root, arguments):
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, InputError)
    assert "name the studies of configs/studies to plan, or --all" in str(done.exception)
