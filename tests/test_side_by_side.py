"""Seeds trained side by side leave what they leave one after another, however they end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pipeline.artifacts import read_prepared
from pipeline.errors import InputError
from pipeline.side_by_side import workers_for
from pipeline.stages.train import run
from tests.launching.examples import wait_until
from tests.test_interruptions import outputs
from tests.training.examples import CPU, make_recipe, write_project

LONG = make_recipe(epochs=150, optimiser={"kind": "adam", "learning_rate": 0.01})
STAGE = """
import signal
import sys
from functools import partial
from pathlib import Path

from pipeline.errors import InputError
from pipeline.stages import train as stage

stage.Checkpoint = partial(stage.Checkpoint, seconds_between_saves=0)
if __name__ == "__main__":
    # A shell that runs the tests in the background has told its children to ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        stage.run("study-experiment", root=Path.cwd())
    except InputError as error:
        sys.exit(str(error))
"""
PATIENCE_SECONDS = 240
"""A busy machine may take a minute to import torch alone."""


@pytest.fixture(autouse=True)
def _on_the_cpu(monkeypatch):
    for name, value in CPU.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def in_turn(tmp_path_factory):
    root = tmp_path_factory.mktemp("in_turn")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CPU.items():
            patch.setenv(name, value)
        patch.setenv("OMP_NUM_THREADS", "1")
        run(write_project(root, losses=["gce", "adafocal"]), root=root)
    return root


@pytest.mark.slow
def test_files_are_those_of_seeds_trained_in_turn(in_turn, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PIPELINE_WORKERS", "2")
    # Also where nothing tells the number of threads: a seed has one.
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    run(write_project(tmp_path, losses=["gce", "adafocal"]), root=tmp_path)
    assert outputs(tmp_path, "train") == outputs(in_turn, "train")
    kept = [{path.name for path in (root / "data/checkpoints").iterdir()} for root in
            (tmp_path, in_turn)]  # fmt: skip
    assert kept[0] == kept[1]
    said = capfd.readouterr()
    assert said.out.splitlines()[0] == "study-experiment: 2 seeds to train, 2 at a time"
    assert sorted(said.out.splitlines()[1:]) == [
        "experiment, adafocal, seed 0: trained",
        "experiment, gce, seed 0: trained",
    ]
    # Without a terminal there is no bar.
    assert said.err == ""


@pytest.mark.parametrize(
    ("stated", "cores", "num_seeds", "expected"),
    [("", 2, 6, 2), ("", 8, 3, 3), ("", 1, 6, 1), ("5", 2, 6, 5), ("1", 8, 6, 1), ("", 8, 0, 1)],
)
def test_a_core_trains_a_seed_unless_told(in_turn, monkeypatch, stated, cores, num_seeds, expected):
    monkeypatch.setenv("PIPELINE_WORKERS", stated)
    monkeypatch.setattr("pipeline.side_by_side.available_cores", lambda: cores)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    prepared = read_prepared(in_turn / "data/prepared/squares")
    assert workers_for(num_seeds, prepared) == expected


def test_seeds_with_several_threads_share_the_cores(in_turn, monkeypatch):
    monkeypatch.delenv("PIPELINE_WORKERS")
    monkeypatch.setattr("pipeline.side_by_side.available_cores", lambda: 8)
    monkeypatch.setattr("torch.get_num_threads", lambda: 4)
    assert workers_for(6, read_prepared(in_turn / "data/prepared/squares")) == 2


def test_no_more_at_once_than_the_memory_holds_the_images_of(in_turn, monkeypatch):
    monkeypatch.delenv("PIPELINE_WORKERS")
    monkeypatch.setattr("pipeline.side_by_side.available_cores", lambda: 64)
    monkeypatch.setattr("torch.get_num_threads", lambda: 1)
    prepared = read_prepared(in_turn / "data/prepared/squares")
    pages = {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": 2 * 3 * prepared.images.nbytes * 5}
    monkeypatch.setattr("os.sysconf", pages.get)
    assert workers_for(64, prepared) == 5


@pytest.mark.parametrize("stated", ["0", "two", "-1"])
def test_refuses_what_is_no_number_of_workers(in_turn, monkeypatch, stated):
    monkeypatch.setenv("PIPELINE_WORKERS", stated)
    with pytest.raises(InputError, match=f"a number of at least 1, got '{stated}'"):
        workers_for(2, read_prepared(in_turn / "data/prepared/squares"))


def start_stage(root):
    (root / "stage.py").write_text(STAGE)
    return subprocess.Popen(
        [sys.executable, "stage.py"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(Path.cwd()), "PIPELINE_WORKERS": "2"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def states(root):
    return list(root.glob("data/checkpoints/*/state.pt"))


def workers(process):
    """Return the processes that train, by how Python names those that it spawns."""
    children = psutil.Process(process.pid).children(recursive=True)
    return [each for each in children if any("spawn_main" in word for word in each.cmdline())]


@pytest.fixture(scope="module")
def long_in_turn(tmp_path_factory):
    root = tmp_path_factory.mktemp("long")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CPU.items():
            patch.setenv(name, value)
        run(write_project(root, recipe=LONG, seeds=(0, 1)), root=root)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_stage_ends_its_workers_and_the_next_goes_on(
    long_in_turn, tmp_path, number
):
    write_project(tmp_path, recipe=LONG, seeds=(0, 1))
    process = start_stage(tmp_path)
    wait_until(lambda: len(states(tmp_path)) == 2, process)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(workers(process)) == 2
    if number == signal.SIGINT:
        # As a terminal does it: to all processes in the foreground.
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode != 0
    assert errors.count("Traceback") == (number == signal.SIGINT)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert len(states(tmp_path)) == 2
    assert not (tmp_path / "data/logits").exists()
    run("study-experiment", root=tmp_path)
    assert outputs(tmp_path, "train") == outputs(long_in_turn, "train")
    assert states(tmp_path) == []


@pytest.mark.slow
def test_an_interruption_while_the_workers_start_is_told_by_the_stage_alone(tmp_path):
    write_project(tmp_path, recipe=LONG, seeds=(0, 1))
    process = start_stage(tmp_path)
    started = wait_until(lambda: len(found := workers(process)) == 2 and found, process)
    # Python itself has started by now; torch, which takes far longer, has not.
    time.sleep(0.5)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert errors.count("Traceback") == 1
    assert "side_by_side" in errors
    _, alive = psutil.wait_procs(started, timeout=60)
    assert alive == []


@pytest.mark.slow
def test_a_worker_that_dies_is_one_line_and_the_next_goes_on(long_in_turn, tmp_path):
    write_project(tmp_path, recipe=LONG, seeds=(0, 1))
    process = start_stage(tmp_path)
    wait_until(lambda: len(states(tmp_path)) == 2, process)
    workers(process)[0].kill()
    _, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert errors == (
        "one of 2 processes was ended from outside, most likely because memory ran out: "
        "what was trained is kept; PIPELINE_WORKERS=1 trains one seed at a time\n"
    )
    run("study-experiment", root=tmp_path)
    assert outputs(tmp_path, "train") == outputs(long_in_turn, "train")


@pytest.mark.slow
def test_what_is_wrong_with_a_seed_is_said_as_if_it_were_trained_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PIPELINE_WORKERS", "2")
    recipe = make_recipe(optimiser={"kind": "sgd", "learning_rate": 1e30})
    with pytest.raises(InputError, match=r"^loss cross_entropy, seed [01]: epoch 1: .*finite"):
        run(write_project(tmp_path, recipe=recipe, seeds=(0, 1)), root=tmp_path)
    assert not (tmp_path / "data/logits").exists()
