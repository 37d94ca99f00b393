from itertools import cycle
from math import isfinite

import numpy as np
import pytest
import torch

from pipeline.config import (
    LossConfig,
    NetworkConfig,
    Recipe,
    Study,
    expand_plan,
    read_config,
    read_dataset,
)
from pipeline.losses import make_loss
from pipeline.networks import make_network
from pipeline.training import LabelledImages, Method, TrainingData, start_fabric, train
from tests.projects import ROOT

CONFIGS = ROOT / "configs"
PLAN = expand_plan(["paper"], CONFIGS)
LOSSES = read_config(CONFIGS / "studies/paper.yaml", Study).losses
# Eleven experiments and seven losses: each loss is trained once, some twice.
PAIRS = list(zip(PLAN.experiments, cycle(LOSSES), strict=False))
NUM_TRAIN, NUM_VALIDATION = 8, 3
TWO_STEPS = {"epochs": 2}


def config(folder, name, model):
    return read_config(CONFIGS / folder / f"{name}.yaml", model)


def draw_images(dataset, num_images, *, seed):
    """Return noise of the data set's size, its labels spread over the classes."""
    rng = np.random.default_rng(seed)
    shape = (num_images, *dataset.image_size, dataset.channels)
    labels = np.arange(num_images) * len(dataset.classes) // num_images
    return LabelledImages.from_arrays(rng.integers(256, size=shape, dtype=np.uint8), labels)


def make_method(row, dataset, loss, started):
    """Return the experiment's method; networks it makes are copied to ``started`` untrained."""
    network = config("networks", row.network, NetworkConfig)
    stated = config("losses", loss, LossConfig)
    num_classes = len(dataset.classes)

    def build():
        built = make_network(
            network.kind,
            spatial_dims=len(dataset.image_size),
            in_channels=dataset.channels,
            num_classes=num_classes,
            image_size=dataset.image_size,
            **network.arguments,
        )
        started.update({name: values.clone() for name, values in built.named_parameters()})
        return built

    recipe = config("recipes", row.recipe, Recipe).model_copy(update=TWO_STEPS)
    return Method(
        loss,
        build,
        lambda: make_loss(stated.kind, num_classes=num_classes, **stated.arguments),
        recipe,
    )


def test_eleven_experiments_of_ten_seeds_make_fewer_than_200_stages():
    assert len(PLAN.experiments) == 11
    assert all(len(row.seeds) == 10 for row in PLAN.experiments.values())
    assert PLAN.num_stages < 200


def test_has_the_networks_and_data_sets_of_the_published_protocols():
    cifar_networks = (
        "cifar_resnet50",
        "cifar_resnet110",
        "cifar_wide_resnet26_10",
        "cifar_densenet121",
    )
    reference = {
        (name, network, "cifar_reference")
        for name in ("cifar10", "cifar100")
        for network in cifar_networks
    } | {("tiny_imagenet", "cifar_resnet50", "tiny_imagenet_reference")}
    planned = {(row.dataset, row.network, row.recipe) for row in PLAN.experiments.values()}
    assert reference < planned


def test_every_experiment_can_be_costed_before_its_data_are_there():
    for name in PLAN.datasets:
        assert {"train", "calibration", "test"} <= read_dataset(CONFIGS, name).expected_cases.keys()


def test_the_pairs_that_are_trained_hold_every_experiment_and_every_loss():
    assert [key for key, _ in PAIRS] == list(PLAN.experiments)
    assert {loss for _, loss in PAIRS} == set(LOSSES)


@pytest.mark.slow
@pytest.mark.parametrize(("key", "loss"), PAIRS)
def test_an_experiment_takes_two_steps_at_full_size(monkeypatch, key, loss):
    monkeypatch.setenv("PIPELINE_DEVICE", "cpu")
    row = PLAN.experiments[key]
    dataset = read_dataset(CONFIGS, row.dataset)
    started = {}
    method = make_method(row, dataset, loss, started)
    data = TrainingData(
        train=draw_images(dataset, NUM_TRAIN, seed=1),
        validation=draw_images(dataset, NUM_VALIDATION, seed=2),
        num_classes=len(dataset.classes),
    )
    fitted = train(method, data, seed=0, fabric=start_fabric(method.recipe))
    assert [epoch["epoch"] for epoch in fitted.history] == [1, 2]
    assert all(isfinite(value) for epoch in fitted.history for value in epoch.values())
    logits = fitted.classifier(data.validation.images)
    assert logits.shape == (NUM_VALIDATION, len(dataset.classes))
    weights = dict(fitted.classifier.network.named_parameters())
    assert [name for name in started if torch.equal(weights[name], started[name])] == []
