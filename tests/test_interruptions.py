"""Runs that are killed, doubled or moved about end with the bytes of an undisturbed one."""

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

from pipeline.artifacts import read_json, write_json
from pipeline.cases import read_cases
from pipeline.folders import PARTIAL
from pipeline.hashes import HASHES, write_hashes
from tests.training.examples import CPU, make_cases, make_recipe, write_project

pytestmark = pytest.mark.slow

KEY = "study-experiment"
OUTPUTS = {"train": "logits", "calibrate": "probabilities", "evaluate": "scores"}
NUM_KILLS = 8
"""Of each stage."""

FUTURE = time.mktime((2060, 1, 1, 0, 0, 0, 0, 0, 0))

RUN = """
import sys
from functools import partial
from importlib import import_module
from pathlib import Path

name, key, root = sys.argv[1:]
stage = import_module(f"pipeline.stages.{name}")
if name == "train":
    stage.Checkpoint = partial(stage.Checkpoint, seconds_between_saves=0)
if name == "evaluate":
    from pipeline.evaluation import BOOTSTRAP
    BOOTSTRAP["num_resamples"] = 20
print("ready", flush=True)
stage.run(key, root=Path(root))
"""

FULL = """
import resource
from pipeline.__main__ import main

resource.setrlimit(resource.RLIMIT_FSIZE, (300, resource.RLIM_INFINITY))
main()
"""
"""No file may grow beyond 300 bytes, as on a disk that is full."""


def write_small_project(root):
    """Write a study of one run that takes a second a stage."""
    recipe = make_recipe(epochs=6, optimiser={"kind": "adam", "learning_rate": 0.01})
    write_project(root, recipe=recipe, cases=make_cases(420))
    (root / "configs/calibrators").mkdir()
    (root / "configs/calibrators/identity.yaml").write_text("kind: identity\n")
    folder = root / "data/prepared/squares"
    cases = read_cases(folder / "cases.parquet")
    card = read_json(folder / "card.json")
    names = card["classes"]
    counts = {
        split: {name: int((part["label"] == k).sum()) for k, name in enumerate(names)}
        for split, part in cases.groupby("split")
    }
    more = {"counts": counts, "critical_classes": [], "long_tail": None, "show_images": True}
    more |= {"patients": cases.groupby("split")["patient"].nunique().to_dict(), "notes": []}
    write_json({**card, **more}, folder / "card.json")
    write_hashes(folder)


def start(stage, root):
    """Start a stage; return its process once it has imported what it needs."""
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, stage, KEY, str(root)],
        env=os.environ | CPU | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n", process.communicate()[1]
    return process


def finish(process):
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    assert errors == ""


def timeless(path):
    """Return a file's content without what a clock put there."""
    if path.suffix == ".json":
        return json.dumps(_without_seconds(read_json(path)), sort_keys=True)
    if path.name == "history.csv":
        return pd.read_csv(path).drop(columns="seconds").to_csv()
    return path.read_bytes()


def _without_seconds(value):
    if isinstance(value, dict):
        kept = {key: each for key, each in value.items() if key != "wall_seconds"}
        return {key: _without_seconds(each) for key, each in kept.items()}
    return [_without_seconds(each) for each in value] if isinstance(value, list) else value


def outputs(root, stage):
    """Return what a stage wrote, by file; hashes go over seconds as well, and are left out."""
    folder = root / "data" / OUTPUTS[stage]
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != HASHES]
    return {path.relative_to(folder).as_posix(): timeless(path) for path in files}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """A project that ran without a break; and how many seconds each stage took."""
    root = tmp_path_factory.mktemp("undisturbed")
    write_small_project(root)
    seconds = {}
    for stage in OUTPUTS:
        process = start(stage, root)
        started = time.monotonic()
        finish(process)
        seconds[stage] = time.monotonic() - started
    return root, seconds


@pytest.fixture
def project(undisturbed, tmp_path):
    """The same before it ran, in a folder whose name has blanks and umlauts."""
    root = tmp_path / "Klinik Süd (Prüfung 1)"
    write_small_project(root)
    return root


def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bytes(undisturbed, project):
    whole, seconds = undisturbed
    moments = np.random.default_rng(20260101)
    for stage, name in OUTPUTS.items():
        num_kills = 0
        while num_kills < NUM_KILLS:
            process = start(stage, project)
            time.sleep(moments.uniform(0, seconds[stage]))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            if process.returncode == -signal.SIGKILL:
                num_kills += 1
            else:
                assert outputs(project, stage) == outputs(whole, stage)
                shutil.rmtree(project / "data" / name)
                if stage == "train":
                    shutil.rmtree(project / "data/checkpoints")
        finish(start(stage, project))
        assert outputs(project, stage) == outputs(whole, stage)
        assert not (project / "data" / PARTIAL).exists()


def test_clocks_that_are_ahead_change_nothing(undisturbed, project):
    whole, seconds = undisturbed
    process = start("train", project)
    time.sleep(0.7 * seconds["train"])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    for stage in OUTPUTS:
        for path in project.rglob("*"):
            os.utime(path, (FUTURE, FUTURE))
        finish(start(stage, project))
        assert outputs(project, stage) == outputs(whole, stage)


def test_a_full_disk_is_one_line_and_the_next_run_goes_on(undisturbed, project):
    whole, _ = undisturbed
    places = {"train": "checkpoints", "calibrate": "probabilities", "evaluate": "scores"}
    for stage, place in places.items():
        full = subprocess.run(
            [sys.executable, "-c", FULL, stage, KEY],
            cwd=project,
            env=os.environ | CPU | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (full.returncode, full.stderr) == (2, f"error: no space left in data/{place}\n")
        assert outputs(project, stage) == {}
        finish(start(stage, project))
        assert outputs(project, stage) == outputs(whole, stage)
    assert not (project / "data" / PARTIAL).exists()


def test_two_runs_at_once_both_end_with_the_same_bytes(undisturbed, project):
    whole, _ = undisturbed
    for stage in OUTPUTS:
        for process in [start(stage, project) for _ in range(2)]:
            finish(process)
        assert outputs(project, stage) == outputs(whole, stage)
    assert not (project / "data" / PARTIAL).exists()
