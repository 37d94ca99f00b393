"""A classifier made again from what training wrote of it: its record and its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pipeline.networks import make_network
from pipeline.training.images import Normalisation
from pipeline.training.prediction import Classifier
from pipeline.training.session import finish_network


def restore_classifier(record: Mapping[str, Any], weights: Mapping[str, Tensor]) -> Classifier:
    """Return the classifier of a `run.json` and its `weights.safetensors`, on the CPU.

    Its logits are those that training wrote, bit by bit on the machine that trained.

    Raises
    ------
    RuntimeError
        If the weights are not those of the network that the record names.
    """
    network = make_network(
        record["network"]["kind"],
        spatial_dims=len(record["image_size"]),
        in_channels=record["channels"],
        num_classes=len(record["classes"]),
        image_size=record["image_size"],
        **record["network"]["arguments"],
    )
    finish_network(network, cosine_head=record["cosine_head"])
    network.load_state_dict(dict(weights))
    normalisation = record["normalisation"]
    return Classifier(
        network=network.eval(),
        normalisation=Normalisation(
            mean=torch.tensor(normalisation["mean"]), sd=torch.tensor(normalisation["sd"])
        ),
        logit_scale=record["logit_scale"],
    )
