"""An experiment of a study, at its real size, trained for two steps on noise."""

from math import isfinite

import numpy as np
import torch

from pipeline.config import LossConfig, NetworkConfig, Recipe, read_config, read_dataset
from pipeline.losses import make_loss
from pipeline.networks import make_network
from pipeline.training import LabelledImages, Method, TrainingData, train
from tests.projects import ROOT
from tests.training.examples import cpu_fabric

CONFIGS = ROOT / "configs"
NUM_TRAIN, NUM_VALIDATION = 8, 3
TWO_STEPS = {"epochs": 2}


def config(folder, name, model):
    """Return a config of the project."""
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

    def build_loss():
        counts = [1] * num_classes
        return make_loss(
            stated.kind, num_classes=num_classes, class_counts=counts, **stated.arguments
        )

    recipe = config("recipes", row.recipe, Recipe).model_copy(update=TWO_STEPS)
    return Method(loss, build, build_loss, recipe)


def take_two_steps(row, loss):
    """Train an experiment of a plan; assert that every weight moved and all is finite."""
    dataset = read_dataset(CONFIGS, row.dataset)
    started = {}
    method = make_method(row, dataset, loss, started)
    data = TrainingData(
        train=draw_images(dataset, NUM_TRAIN, seed=1),
        validation=draw_images(dataset, NUM_VALIDATION, seed=2),
        num_classes=len(dataset.classes),
    )
    fitted = train(method, data, seed=0, fabric=cpu_fabric(method.recipe))
    assert [epoch["epoch"] for epoch in fitted.history] == [1, 2]
    assert all(isfinite(value) for epoch in fitted.history for value in epoch.values())
    logits = fitted.classifier(data.validation.images)
    assert logits.shape == (NUM_VALIDATION, len(dataset.classes))
    weights = dict(fitted.classifier.network.named_parameters())
    assert [name for name in started if torch.equal(weights[name], started[name])] == []
