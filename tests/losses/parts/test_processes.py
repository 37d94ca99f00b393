import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.losses import make_loss
from pipeline.losses.parts.processes import gather, mean_over_processes, num_processes

SCRIPT = Path(__file__).parents[1] / "train_over_processes.py"
ROOT = Path(__file__).parents[3]
SCRIPT_NAMES = runpy.run_path(str(SCRIPT))


def test_a_process_alone_is_the_whole_batch():
    values = torch.tensor([1.0, 2.0])
    assert num_processes() == 1
    assert torch.equal(gather(values), values[None])
    assert torch.equal(mean_over_processes(values.sum()), values.sum())


@pytest.fixture(scope="module")
def over_two_processes(tmp_path_factory):
    """Run the script as two processes that talk over gloo; return what each found."""
    folder = tmp_path_factory.mktemp("processes")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
    }
    started = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(rank), "2", str(folder)],
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in started:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    return [torch.load(folder / f"{rank}.pt") for rank in range(2)]


@pytest.fixture(scope="module")
def in_one_process():
    return SCRIPT_NAMES["values_and_gradients"](0, 1)


@pytest.mark.parametrize("name", SCRIPT_NAMES["LOSSES"])
def test_two_processes_give_the_loss_and_gradients_of_one(name, over_two_processes, in_one_process):
    for found in over_two_processes:
        for step, expected in zip(found[name], in_one_process[name], strict=True):
            # The moving average and class priors are float32, so their steps round there.
            torch.testing.assert_close(step, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", ["gce", "mdca", "mmce"])
def test_the_mean_of_two_half_batches_is_another_loss(kind):
    """The batch is part of the loss, so the comparison above could fail."""
    loss = make_loss(kind, num_classes=3)
    logits = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(12) // 4
    halves = (loss(logits[:6], labels[:6]) + loss(logits[6:], labels[6:])) / 2
    assert (halves - loss(logits, labels)).abs() > 0.01
