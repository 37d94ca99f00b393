import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from safetensors.torch import load_file

from pipeline.artifacts import read_predictions
from pipeline.errors import InputError
from pipeline.hashes import HASHES, write_hashes
from pipeline.provenance import fingerprint
from pipeline.stages.train import run
from tests.training.examples import CPU, make_cases, make_recipe, write_project

EXPERIMENT = "data/logits/study/experiment"


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    for name, value in CPU.items():
        monkeypatch.setenv(name, value)


def bits(folder):
    """Return the hash of each split's logits."""
    return {
        path.stem: hashlib.sha256(read_predictions(path).logits.tobytes()).hexdigest()
        for path in sorted(folder.glob("*.parquet"))
    }


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CPU.items():
            patch.setenv(name, value)
        run(write_project(root, losses=("cross_entropy", "gce"), seeds=(0, 1)), root=root)
    return root


def test_every_seed_leaves_its_logits_weights_history_and_record(trained):
    for loss in ("cross_entropy", "gce"):
        for seed in (0, 1):
            folder = trained / EXPERIMENT / loss / f"seed-{seed}"
            assert {path.name for path in folder.iterdir()} == {
                "calibration.parquet",
                "history.csv",
                "run.json",
                "test.parquet",
                "threshold.parquet",
                "val.parquet",
                "weights.safetensors",
            }
            assert len(pd.read_csv(folder / "history.csv")) == 2
            assert (
                load_file(folder / "weights.safetensors")["class_layers.out.weight"].shape[0] == 3
            )


def test_logits_are_float32_and_lie_beside_their_cases(trained):
    cases = make_cases()
    expected = cases[cases["split"] == "test"]
    found = read_predictions(trained / EXPERIMENT / "gce/seed-0/test.parquet")
    assert found.logits.dtype == np.float32
    assert found.cases.tolist() == expected["case"].tolist()
    assert found.labels.tolist() == expected["label"].tolist()
    assert list(found.groups) == ["site", "sex", "age_band"]


def test_the_record_names_everything_that_the_logits_came_from(trained):
    folder = trained / EXPERIMENT / "gce/seed-1"
    record = json.loads((folder / "run.json").read_text())
    assert record["seed"] == 1
    assert record["loss"] == {"name": "gce", "kind": "gce", "arguments": {}}
    assert record["network"]["arguments"]["growth_rate"] == 4
    assert record["recipe"]["epochs"] == 2
    assert record["data_fingerprint"] == "f" * 64
    assert len(record["revision"]) == 40 or record["revision"] == "unknown"
    assert record["versions"]["torch"].startswith("2.")
    assert record["device"].startswith("cpu")
    assert record["wall_seconds"] > 0
    assert set(record["sources"]) >= {"pipeline.losses.gce", "pipeline.networks.densenet"}
    # The mean of the stored training pixels themselves.
    images = np.load(trained / "data/prepared/squares/images.npy")
    train = images[(make_cases()["split"] == "train").to_numpy()]
    assert record["normalisation"]["mean"] == pytest.approx([train.mean()], rel=1e-6)
    assert record["normalisation"]["sd"] == pytest.approx([train.std()], rel=1e-6)


def test_the_recorded_hash_is_that_of_the_stored_logits(trained):
    folder = trained / EXPERIMENT / "gce/seed-0"
    record = json.loads((folder / "run.json").read_text())
    logits = read_predictions(folder / "test.parquet").logits
    content = f"<f4{logits.shape}".encode() + logits.tobytes()
    assert record["logits_sha256_by_split"]["test"] == hashlib.sha256(content).hexdigest()
    assert record["logits_sha256"] == fingerprint(record["logits_sha256_by_split"])


def test_two_runs_give_the_same_bits(trained, tmp_path):
    run(write_project(tmp_path, losses=["gce"]), root=tmp_path)
    again, before = (root / EXPERIMENT / "gce/seed-0" for root in (tmp_path, trained))
    assert bits(again) == bits(before)


def test_an_added_seed_is_trained_alone(tmp_path, monkeypatch):
    key = write_project(tmp_path, seeds=(0,))
    run(key, root=tmp_path)
    record = (tmp_path / EXPERIMENT / "cross_entropy/seed-0/run.json").read_text()
    started = []
    monkeypatch.setattr("pipeline.stages.train.train_seeds", _finishing(started))
    run(plan_again(tmp_path, seeds=[0, 5]), root=tmp_path)
    assert started == [("cross_entropy", 5)]
    seeds = tmp_path / EXPERIMENT / "cross_entropy"
    assert sorted(path.name for path in seeds.iterdir()) == ["seed-0", "seed-5"]
    assert (seeds / "seed-0/run.json").read_text() == record


def test_an_added_loss_is_trained_alone(tmp_path, monkeypatch):
    run(write_project(tmp_path, losses=["cross_entropy"]), root=tmp_path)
    (tmp_path / "configs/losses/gce.yaml").write_text("kind: gce\n")
    started = []
    monkeypatch.setattr("pipeline.stages.train.train_seeds", _finishing(started))
    run(plan_again(tmp_path, losses=["cross_entropy", "gce"]), root=tmp_path)
    assert started == [("gce", 0)]


def plan_again(root, **changes):
    """Change the only experiment of a plan; return its key."""
    path = root / "configs/plan.yaml"
    plan = yaml.safe_load(path.read_text())
    (key,) = plan["experiments"]
    plan["experiments"][key] |= changes
    path.write_text(yaml.safe_dump(plan))
    return key


def _finishing(started):
    """Note the seeds that would be trained, and call them finished."""

    def finish(checkpoints, seeds, prepared, fabric):
        for seed in seeds:
            started.append((seed.row.loss, seed.seed))
            with checkpoints[seed.key].finishing():
                pass
            yield seed

    return finish


@pytest.mark.parametrize(
    ("module", "retrained"),
    [
        ("pipeline.losses.gce", ["gce"]),
        ("pipeline.losses.parts.class_regulariser", ["gce"]),
        ("pipeline.networks.densenet", ["cross_entropy", "gce"]),
        ("pipeline.training.loop", ["cross_entropy", "gce"]),
        ("pipeline.losses.focal", []),
        ("pipeline.networks.resnet", []),
    ],
)
def test_edited_code_retrains_the_runs_that_use_it(
    trained, tmp_path, monkeypatch, module, retrained
):
    from pipeline import provenance

    read = provenance._source_path

    class Edited:
        def __init__(self, path):
            self.path, self.name, self.parent = path, path.name, path.parent

        def read_bytes(self):
            return self.path.read_bytes() + b"\nEDITED = 1\n"

    monkeypatch.setattr(
        provenance,
        "_source_path",
        lambda name: Edited(read(name)) if name == module else read(name),
    )
    started = []
    monkeypatch.setattr("pipeline.stages.train.train_seeds", _finishing(started))
    root = tmp_path / "copy"
    shutil.copytree(trained, root)
    run(plan_again(root, seeds=[0]), root=root)
    assert [loss for loss, _ in started] == retrained


KILLED = """
import sys
from functools import partial
from pathlib import Path

from pipeline.stages import train as stage

stage.Checkpoint = partial(stage.Checkpoint, seconds_between_saves=0)
stage.run(sys.argv[1], root=Path(sys.argv[2]))
"""


def test_a_killed_run_resumes_and_ends_with_the_same_bits(tmp_path):
    recipe = make_recipe(epochs=100, optimiser={"kind": "adam", "learning_rate": 0.01})
    (tmp_path / "unbroken").mkdir()
    key = write_project(tmp_path / "unbroken", recipe=recipe, losses=["adafocal"])
    run(key, root=tmp_path / "unbroken")

    killed = tmp_path / "killed"
    write_project(killed, recipe=recipe, losses=["adafocal"])
    process = subprocess.Popen([sys.executable, "-c", KILLED, key, str(killed)], env=_environment())
    # A busy machine may take a minute to import torch alone.
    deadline = time.monotonic() + 240
    try:
        while not list(killed.glob("data/checkpoints/*/state.pt")):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not (killed / EXPERIMENT).exists()
    run(key, root=killed)
    folder = f"{EXPERIMENT}/adafocal/seed-0"
    assert bits(killed / folder) == bits(tmp_path / "unbroken" / folder)
    assert len(pd.read_csv(killed / folder / "history.csv")) == 100
    assert list(killed.glob("data/checkpoints/*/state.pt*")) == []


def _environment():
    return os.environ | CPU | {"PYTHONPATH": str(Path.cwd())}


def test_a_split_that_serves_twice_is_predicted_under_both_names(tmp_path):
    cases = make_cases()
    cases.loc[cases["split"] == "calibration", "split"] = "val"
    key = write_project(tmp_path, cases=cases)
    card = tmp_path / "data/prepared/squares/card.json"
    card.write_text(json.dumps(json.loads(card.read_text()) | {"reuse": {"calibration": "val"}}))
    write_hashes(card.parent)
    run(key, root=tmp_path)
    found = bits(tmp_path / EXPERIMENT / "cross_entropy/seed-0")
    assert found["val"] == found["calibration"]


def test_a_data_set_without_a_threshold_split_has_no_threshold_logits(tmp_path):
    cases = make_cases()
    cases.loc[cases["split"] == "threshold", "split"] = "train"
    key = write_project(tmp_path, cases=cases)
    run(key, root=tmp_path)
    assert set(bits(tmp_path / EXPERIMENT / "cross_entropy/seed-0")) == {
        "val",
        "calibration",
        "test",
    }


def changed_cases(change):
    cases = make_cases()
    change(cases)
    return cases


def drop_split(cases):
    cases.loc[cases["split"] == "test", "split"] = "train"


def drop_class(cases):
    cases.loc[(cases["split"] == "train") & (cases["label"] == 2), "split"] = "val"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop_split, "data set squares: no case in split test"),
        (drop_class, "data set squares: no training case of class bright"),
    ],
)
def test_refuses_data_it_cannot_train_or_test_on(tmp_path, change, message):
    key = write_project(tmp_path, cases=changed_cases(change))
    with pytest.raises(InputError, match=message):
        run(key, root=tmp_path)
    assert not (tmp_path / "data/logits").exists()


def test_refuses_a_run_that_is_not_planned(tmp_path):
    write_project(tmp_path)
    with pytest.raises(InputError, match="no row 'study-experiment-gce'"):
        run("study-experiment-gce", root=tmp_path)


def test_refuses_a_network_that_does_not_exist_naming_its_file(tmp_path):
    key = write_project(tmp_path)
    path = tmp_path / "configs/networks/thin.yaml"
    path.write_text("kind: resnet11\n")
    with pytest.raises(InputError, match=r"networks/thin.yaml.*unknown network 'resnet11'"):
        run(key, root=tmp_path)


def test_refuses_a_loss_that_does_not_exist_naming_its_file(tmp_path):
    key = write_project(tmp_path)
    (tmp_path / "configs/losses/cross_entropy.yaml").write_text("kind: crossentropy\n")
    with pytest.raises(InputError, match=r"losses/cross_entropy.yaml.*unknown loss 'crossentropy'"):
        run(key, root=tmp_path)


def test_a_failure_leaves_nothing_half_written(tmp_path, monkeypatch):
    key = write_project(tmp_path, seeds=(0, 1))

    def fail(*arguments):
        raise OSError

    monkeypatch.setattr("pipeline.seeds.weights_bytes", fail)
    with pytest.raises(OSError, match="^$"):
        run(key, root=tmp_path)
    left = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert left <= {
        "images.npy",
        "cases.parquet",
        "card.json",
        HASHES,
        "plan.yaml",
        "thin.yaml",
        "short.yaml",
        "cross_entropy.yaml",
    }
