import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from pipeline.artifacts import read_predictions
from tests.training.examples import write_project

pytestmark = pytest.mark.slow

SCRIPT = """
import sys

import torch
from torch import nn

from pipeline.losses import make_loss
from pipeline.training import start_fabric, train
from tests.training.examples import make_data, make_method


def network():
    # No batch normalisation: it sees a process's share of a batch, not the whole.
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))


augmentation = {"crop_padding": 1, "flip": True, "mixup_alpha": 0.5}
method = make_method(
    network=network,
    loss=lambda: make_loss(sys.argv[2], num_classes=3),
    epochs=2,
    batch_size=14,
    last_batch="keep",
    augmentation=augmentation,
)
fabric = start_fabric(method.recipe)
fitted = train(method, make_data(num_train=40), seed=0, fabric=fabric)
if fabric.is_global_zero:
    torch.save({"weights": fitted.weights(), "history": fitted.history}, sys.argv[1])
"""


def run_processes(count, *command, folder):
    environment = os.environ | {
        "PIPELINE_DEVICE": "cpu",
        "PIPELINE_DEVICES": str(count),
        "PYTHONPATH": str(Path.cwd()),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("loss", ["cross_entropy", "gce"])
def test_two_processes_take_the_steps_that_one_takes(tmp_path, loss):
    (tmp_path / "fit.py").write_text(SCRIPT)
    for count in (1, 2):
        run_processes(count, "fit.py", f"{count}.pt", loss, folder=tmp_path)
    one, two = (torch.load(tmp_path / f"{count}.pt", weights_only=True) for count in (1, 2))
    for name, values in one["weights"].items():
        # Sums over cases in another order, over six steps.
        torch.testing.assert_close(two["weights"][name], values, rtol=1e-4, atol=1e-6)
    for row_one, row_two in zip(one["history"], two["history"], strict=True):
        assert row_two["train_loss"] == pytest.approx(row_one["train_loss"], abs=1e-5)


def test_two_processes_write_one_result_that_repeats(tmp_path):
    logits = []
    for name in ("first", "second"):
        key = write_project(tmp_path / name, losses=["gce"])
        run_processes(2, "-m", "pipeline", "train", key, folder=tmp_path / name)
        folder = tmp_path / name / "data/logits/study/experiment/gce/seed-0"
        logits.append(read_predictions(folder / "test.parquet").logits)
    np.testing.assert_array_equal(*logits)
