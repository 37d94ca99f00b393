"""What a cluster trains is what this machine would have trained, whoever dies on the way."""

import os
import signal

import numpy as np
import psutil
import pytest
import torch

from pipeline.stages.train import run
from tests.launching.examples import (
    LAUNCH,
    PATIENCE_SECONDS,
    start_launch,
    training_workers,
    two_machines,
    wait_until,
    write_study,
)
from tests.test_interruptions import outputs
from tests.training.examples import CPU

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

EPOCHS = 200
LOSSES = ("cross_entropy", "adafocal")


@pytest.fixture(scope="module")
def cluster():
    with two_machines() as found:
        yield found


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    for name, value in (CPU | {"OMP_NUM_THREADS": "1"}).items():
        monkeypatch.setenv(name, value)
    # The variable comes too late for this process, and what it computes is compared.
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    root = write_study(tmp_path_factory.mktemp("local"), epochs=EPOCHS, losses=LOSSES)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (CPU | {"OMP_NUM_THREADS": "1"}).items():
            patch.setenv(name, value)
        torch.set_num_threads(1)
        run("study-experiment", root=root)
    return root


def finished(root):
    return sorted(root.glob("data/checkpoints/*/finished"))


def states(root):
    return list(root.glob("data/checkpoints/*/state.pt"))


def finish(process):
    out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0, errors
    return out, errors


def assert_nothing_is_left_to_train(root, monkeypatch):
    def no_seed(checkpoints, seeds, prepared, fabric):
        assert seeds == []
        return iter(())

    monkeypatch.setattr("pipeline.stages.train.train_seeds", no_seed)
    run("study-experiment", root=root)


def test_a_worker_that_is_killed_changes_no_bit(cluster, local, tmp_path, monkeypatch):
    address, raylets = cluster
    write_study(tmp_path, epochs=EPOCHS, losses=LOSSES)
    process = start_launch(tmp_path, address)
    moment = np.random.default_rng().uniform(0, 3)
    wait_until(lambda: states(tmp_path), process)
    wait_until(lambda: training_workers(raylets), process)
    psutil.wait_procs(training_workers(raylets), timeout=moment)
    victims = wait_until(lambda: training_workers(raylets), process)
    victims[0].kill()
    out, errors = finish(process)
    assert out.splitlines()[0] == "4 of 4 seeds to train"
    assert sorted(out.splitlines()[1:]) == sorted(
        f"experiment, {loss}, seed {seed}: trained" for loss in LOSSES for seed in (0, 1)
    )
    assert errors.count("its worker died (WorkerCrashedError); another goes on after epoch") == 1
    assert_nothing_is_left_to_train(tmp_path, monkeypatch)
    assert outputs(tmp_path, "train") == outputs(local, "train"), moment
    assert states(tmp_path) == []


def test_a_driver_that_is_killed_loses_nothing_finished(cluster, local, tmp_path, monkeypatch):
    address, raylets = cluster
    write_study(tmp_path, epochs=EPOCHS, losses=LOSSES)
    process = start_launch(tmp_path, address)
    first = wait_until(lambda: finished(tmp_path), process)
    wait_until(lambda: states(tmp_path), process)
    process.kill()
    process.communicate()
    written = {folder: folder.stat().st_mtime_ns for folder in first}
    assert 1 <= len(finished(tmp_path)) < 4
    psutil.wait_procs(training_workers(raylets), timeout=PATIENCE_SECONDS)
    assert training_workers(raylets) == []
    left = 4 - len(finished(tmp_path))
    out, _ = finish(start_launch(tmp_path, address))
    assert out.splitlines()[0] == f"{left} of 4 seeds to train"
    assert {folder: folder.stat().st_mtime_ns for folder in first} == written
    assert_nothing_is_left_to_train(tmp_path, monkeypatch)
    assert outputs(tmp_path, "train") == outputs(local, "train")


OTHER_VERSION = """
from dataclasses import replace
from pipeline.launching import driver as module
from pipeline.launching.agreement import own_identity

mine = own_identity()
module.own_identity = lambda: replace(mine, versions=mine.versions | {"torch": "1.0"})
"""
OTHER_CODE = """
from dataclasses import replace
from pipeline.launching import driver as module
from pipeline.launching.agreement import own_identity

module.own_identity = lambda: replace(own_identity(), sources="f" * 64, revision="unknown")
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (OTHER_VERSION, "is not like this machine: torch 2."),
        (OTHER_CODE, "is not like this machine: another code of the pipeline"),
    ],
)
def test_a_worker_that_differs_is_refused_before_anything_is_trained(
    cluster, tmp_path, change, message
):
    address, _ = cluster
    process = start_launch(write_study(tmp_path), address, change + LAUNCH)
    out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert message in errors
    assert len(errors.splitlines()) == 1
    assert out == ""
    assert not (tmp_path / "data/checkpoints").exists()


def test_a_seed_that_fails_is_named_and_the_others_are_trained(cluster, tmp_path):
    address, _ = cluster
    write_study(tmp_path, seeds=(0,), losses=("cross_entropy", "mmce"))
    (tmp_path / "configs/losses/mmce.yaml").write_text("kind: mmce\narguments: {weight: 1.0e+39}\n")
    process = start_launch(tmp_path, address)
    out, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 1
    assert "experiment, cross_entropy, seed 0: trained" in out.splitlines()
    said = "experiment, mmce, seed 0: loss mmce, seed 0: epoch "
    assert errors.splitlines()[0].startswith(said)
    assert errors.splitlines()[1].startswith(f"1 of 2 seeds failed: {said}")
    assert len(errors.splitlines()) == 2
    assert len(finished(tmp_path)) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_launch_that_is_ended_leaves_no_process_and_its_states(tmp_path, number):
    write_study(tmp_path, epochs=2000)
    process = start_launch(tmp_path, None)
    wait_until(lambda: states(tmp_path), process)
    children = psutil.Process(process.pid).children(recursive=True)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    _, alive = psutil.wait_procs(children, timeout=PATIENCE_SECONDS)
    assert alive == []
    assert states(tmp_path)
    assert not finished(tmp_path)
