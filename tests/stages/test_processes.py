"""Processes that share each batch train, predict and shift as one process does."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.artifacts import read_json, read_predictions
from tests.stages.test_shift import by_patient, elsewhere, plan_partners, write_partner
from tests.training.examples import draw_cases, make_recipe, write_project

pytestmark = pytest.mark.slow

LOSSES, SEEDS = ("cross_entropy", "gce"), (0, 1)
SIZES = {"patch_size": 4, "hidden_size": 16, "mlp_dim": 32, "num_layers": 1, "num_heads": 2}
VIT = {"kind": "vit", "arguments": SIZES}
"""No batch normalisation: it sees a process's share of a batch, not the whole."""


def run_stages(root, count):
    """Write a project, train it and predict a partner's cases, in so many processes."""
    augmentation = {"crop_padding": 1, "flip": True, "mixup_alpha": 0.0}
    # 18 training cases: batches of 8, 8 and 2, which two processes can share.
    recipe = make_recipe(epochs=3, batch_size=8, last_batch="keep", augmentation=augmentation)
    key = write_project(root, recipe=recipe, losses=LOSSES, seeds=SEEDS, cases=by_patient(42))
    (root / "configs/networks/thin.yaml").write_text(yaml.safe_dump(VIT))
    images, _ = draw_cases(30)
    write_partner(root, "other", images, elsewhere())
    plan_partners(root, other="site")
    path = root / "configs/plan.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["shifts"][key] |= {"losses": list(LOSSES), "seeds": list(SEEDS)}
    path.write_text(yaml.safe_dump(plan))
    said = {}
    for stage in ("train", "shift"):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", stage, key],
            cwd=root,
            env=_environment(count),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        said[stage] = done.stdout
    return said


def _environment(count):
    kept = {name: value for name, value in os.environ.items() if name != "PIPELINE_WORKERS"}
    return kept | {
        "PIPELINE_DEVICE": "cpu",
        "PIPELINE_DEVICES": str(count),
        "PYTHONPATH": str(Path.cwd()),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def roots(tmp_path_factory):
    found = {count: tmp_path_factory.mktemp(f"processes-{count}") for count in (1, 2)}
    said = {count: run_stages(root, count) for count, root in found.items()}
    return found, said


def pairs(roots, pattern):
    """Return each file of one process's results with that of two."""
    one, two = roots[0][1], roots[0][2]
    names = [path.relative_to(one) for path in sorted(one.glob(pattern))]
    assert len(names) >= len(LOSSES) * len(SEEDS)
    return [(one / name, two / name) for name in names]


def test_two_processes_give_every_split_the_logits_that_one_gives(roots):
    for one, two in pairs(roots, "data/logits/**/*.parquet"):
        expected, found = read_predictions(one), read_predictions(two)
        # Gradients are sums over cases in another order, over nine steps.
        np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(found.cases, expected.cases)
        np.testing.assert_array_equal(found.labels, expected.labels)


def test_two_processes_learn_at_the_same_rate_and_loss(roots):
    for one, two in pairs(roots, "data/logits/**/history.csv"):
        expected, found = pd.read_csv(one), pd.read_csv(two)
        columns = ["epoch", "learning_rate", "train_loss", "val_nll", "val_accuracy"]
        np.testing.assert_allclose(found[columns], expected[columns], rtol=1e-4, atol=1e-5)


def test_two_processes_predict_a_partner_as_one_does(roots):
    for one, two in pairs(roots, "data/shifted/**/*.parquet"):
        expected, found = read_predictions(one), read_predictions(two)
        np.testing.assert_allclose(found.logits, expected.logits, rtol=1e-4, atol=1e-5)


def test_two_processes_have_keys_of_their_own_and_train_one_seed_at_a_time(roots):
    found, said = roots
    for one, two in pairs(roots, "data/logits/**/run.json"):
        assert (read_json(one)["processes"], read_json(two)["processes"]) == (1, 2)
    assert "4 seeds to train, 2 at a time" in said[1]["train"] or os.cpu_count() == 1
    assert said[2]["train"].splitlines() == [
        f"experiment, {loss}, seed {seed}: trained" for loss in LOSSES for seed in SEEDS
    ]
    keys = [
        {path.name for path in (root / "data/checkpoints").iterdir()} for root in found.values()
    ]
    assert keys[0].isdisjoint(keys[1])
