"""Small, learnable problems, and a project folder that holds one."""

import io
import os
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
import yaml
from torch import nn

from pipeline.artifacts import write_json
from pipeline.cases import write_cases
from pipeline.config import Recipe
from pipeline.hashes import write_hashes
from pipeline.training import LabelledImages, Method, TrainingData, start_fabric

CPU = {"PIPELINE_DEVICE": "cpu", "PIPELINE_DEVICES": "1", "PIPELINE_WORKERS": "1"}


def make_recipe(**changes):
    """Return a recipe of two epochs of SGD, changed as told."""
    settings = {
        "epochs": 2,
        "batch_size": 16,
        "optimiser": {"kind": "sgd", "learning_rate": 0.05, "momentum": 0.9},
    }
    return Recipe.model_validate(settings | changes)


def draw_cases(num_cases, *, seed=0, size=(8, 8), channels=1, num_classes=3):
    """Draw noisy images whose brightness tells the class; uint8 images and labels."""
    rng = np.random.default_rng(seed)
    labels = np.arange(num_cases) % num_classes
    level = 40 + 60 * labels.reshape(-1, *[1] * (len(size) + 1))
    noise = rng.normal(0, 25, size=(num_cases, *size, channels))
    return np.clip(level + noise, 0, 255).astype(np.uint8), labels


def make_data(num_train=48, num_validation=24, **settings):
    """Return training and validation cases on the CPU."""
    return TrainingData(
        train=LabelledImages.from_arrays(*draw_cases(num_train, seed=1, **settings)),
        validation=LabelledImages.from_arrays(*draw_cases(num_validation, seed=2, **settings)),
        num_classes=settings.get("num_classes", 3),
    )


def small_network(num_classes=3, channels=1):
    """Return two convolutions, batch normalisation, dropout and a linear layer."""
    return nn.Sequential(
        nn.Conv2d(channels, 6, 3, padding=1, bias=False),
        nn.BatchNorm2d(6),
        nn.ReLU(),
        nn.Conv2d(6, 8, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(8, num_classes),
    )


def make_method(loss=nn.CrossEntropyLoss, network=small_network, name="cross_entropy", **changes):
    """Return a method around the small network."""
    return Method(name, network, loss, make_recipe(**changes))


def cpu_fabric(recipe=None):
    """Return Fabric for one process on the CPU, whatever the environment says."""
    with patch.dict(os.environ, CPU):
        return start_fabric(recipe or make_recipe())


def through_a_file(state):
    """Return a state as it comes back from disk."""
    stream = io.BytesIO()
    torch.save(state, stream)
    stream.seek(0)
    return torch.load(stream, weights_only=True)


def same_bits(found, expected):
    """Assert that two runs came to the same weights by the same history."""
    for name, values in expected.weights().items():
        assert torch.equal(found.weights()[name], values), name
    for row, other in zip(found.history, expected.history, strict=True):
        assert row | {"seconds": 0} == other | {"seconds": 0}


def logits_of(fitted, data):
    """Return the validation logits of a fitted classifier."""
    return fitted.classifier(data.validation.images)


def write_project(root, *, recipe=None, losses=("cross_entropy",), seeds=(0,), cases=None):
    """Write the configs and the prepared data that the stage train reads; return the row's key."""
    configs = root / "configs"
    _write_yaml(configs / "networks/thin.yaml", THIN)
    _write_yaml(configs / "recipes/short.yaml", (recipe or make_recipe()).model_dump())
    for loss in losses:
        _write_yaml(configs / f"losses/{loss}.yaml", {"kind": loss})
    rows = {"study-experiment": _experiment_row(losses, seeds)}
    _write_yaml(
        configs / "plan.yaml",
        {"datasets": {}, "experiments": rows, "shifts": {}, "studies": {}},
    )
    _write_prepared(root / "data/prepared/squares", cases if cases is not None else make_cases())
    return "study-experiment"


THIN = {
    "kind": "densenet",
    "arguments": {
        "block_config": [1, 1],
        "growth_rate": 4,
        "init_features": 4,
        "stem": "small",
    },
}


def make_cases(num_cases=60):
    """Return the table of a prepared data set with every split and two cases a patient."""
    splits = ["train", "train", "train", "val", "calibration", "threshold", "test"]
    ages = [12.0, 47.5, 63.0, 88.0, None]
    numbers = range(num_cases)
    return pd.DataFrame(
        {
            "case": [f"case-{n}" for n in numbers],
            "patient": [f"patient-{n // 2}" for n in numbers],
            "group": [f"patient-{n // 2}" for n in numbers],
            "site": ["north" if n % 2 else "south" for n in numbers],
            "sex": ["female" if n % 4 else "not recorded" for n in numbers],
            "age": [ages[n % len(ages)] for n in numbers],
            "label": np.arange(num_cases, dtype=np.int32) % 3,
            "split": [splits[(n // 3) % len(splits)] for n in numbers],
            "source": ["squares.npz" for _ in numbers],
            "source_sha256": ["a" * 64 for _ in numbers],
            "pixel_sha256": [f"{n:064x}" for n in numbers],
            "spacing": [None for _ in numbers],
            "truth": [None for _ in numbers],
        }
    )


def _write_prepared(folder, cases):
    folder.mkdir(parents=True)
    images, _ = draw_cases(len(cases), seed=3)
    np.save(folder / "images.npy", images)
    write_cases(cases, folder / "cases.parquet")
    card = {
        "classes": ["dark", "grey", "bright"],
        "image_size": [8, 8],
        "channels": 1,
        "dtype": "uint8",
        "fingerprint": "f" * 64,
        "reuse": {},
    }
    write_json(card, folder / "card.json")
    write_hashes(folder)


def _experiment_row(losses, seeds):
    return {
        "study": "study",
        "experiment": "experiment",
        "dataset": "squares",
        "network": "thin",
        "recipe": "short",
        "losses": list(losses),
        "seeds": list(seeds),
        "calibrators": ["identity"],
        "baseline": losses[0],
        "headline_loss": losses[-1],
        "headline_calibrator": "identity",
        "risk_targets": [0.05],
        "headline_target": 0.05,
        "delta": 0.05,
        "partners": {},
        "shifted": "data/logits/study/experiment",
    }


def _write_yaml(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))
