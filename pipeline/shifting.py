"""What trained models say of the test cases of another data set, brought to their own format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from pipeline.adapters.matching import match_all
from pipeline.artifacts import (
    ForeignPredictions,
    Predictions,
    Prepared,
    read_json,
    write_foreign,
    write_predictions,
)
from pipeline.cases import read_cases
from pipeline.config import Recipe
from pipeline.config.study import SAME_CLASSES, PartnerKind
from pipeline.errors import InputError
from pipeline.provenance import (
    array_sha256,
    has_uncommitted_changes,
    package_versions,
    source_revision,
)
from pipeline.shapes import Logits
from pipeline.training import restore_classifier, start_fabric
from pipeline.training.images import Normalisation
from pipeline.training.prediction import VALUES_AT_ONCE, Classifier
from pipeline.training.predictions import join_predictions

Shifted = Predictions | ForeignPredictions
"""Labelled where the classes are those trained on."""


def require_partner(partner: Prepared, kind: PartnerKind, trained_on: Path) -> None:
    """Raise `InputError` where a partner cannot be predicted, or was not unseen.

    Parameters
    ----------
    partner : Prepared
        It needs test cases, in the number type that the models were trained on. Where its classes
        are known, they must be the models' own, and no patient may have been seen in another split
        than test.
    kind : str
        What it is to the models.
    trained_on : Path
        The prepared data set that they were trained on: its card and its cases.
    """
    card = read_json(trained_on / "card.json")
    if len(partner.rows("test")) == 0:
        message = "no case in split test"
        raise InputError(message)
    if (found := str(partner.images.dtype)) != card["dtype"]:
        message = f"pixels of type {card['dtype']} expected, as was trained on, got {found}"
        raise InputError(message)
    if kind not in SAME_CLASSES:
        return
    if partner.card["classes"] != card["classes"]:
        message = f"classes {card['classes']} expected, got {partner.card['classes']}"
        raise InputError(message)
    cases = read_cases(trained_on / "cases.parquet")
    seen = cases.loc[cases["split"] != "test", "patient"]
    tested = partner.cases["patient"].iloc[partner.rows("test")]
    if num_known := tested[tested.isin(seen)].nunique():
        message = f"unseen patients expected, got {num_known} of another split than test"
        raise InputError(message)


def start_device(record: Mapping[str, Any]) -> Fabric:
    """Return Fabric where the environment says; logits are float32 whatever was trained in."""
    recipe = {key: value for key, value in record["recipe"].items() if key != "name"}
    return start_fabric(Recipe.model_validate(recipe | {"precision": "float32"}))


def predict_partner(
    record: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    partner: Prepared,
    *,
    kind: PartnerKind,
    device: torch.device,
) -> Shifted:
    """Return the predictions of one trained network for a partner's test cases.

    float32 logits. For images that the network was tested on they are those that training wrote,
    bit by bit on the machine that trained.

    `record` and `weights` are the ``run.json`` and the ``weights.safetensors`` that training wrote.
    The partner's images are matched to the size and channels trained on, a batch at a time; `kind`
    says whether its labels are classes of the network.
    """
    rows = partner.rows("test")
    classifier = _on_device(restore_classifier(record, weights), device)
    logits = _logits(classifier, record, partner, rows)
    if kind in SAME_CLASSES:
        return join_predictions(partner, rows, logits)
    cases = partner.cases.iloc[rows]
    return ForeignPredictions(
        logits=logits,
        cases=cases["case"].to_numpy(dtype=str),
        patients=cases["patient"].to_numpy(dtype=str),
    )


def write_shifted(predictions: Shifted, path: Path) -> None:
    """Write predictions as one Parquet file, with labels where they have any."""
    if isinstance(predictions, Predictions):
        write_predictions(predictions, path)
    else:
        write_foreign(predictions, path)


def run_record(
    loss: str, seed: int, record: Mapping[str, Any], predictions: Shifted
) -> dict[str, Any]:
    """Return which trained network gave which logits."""
    return {
        "loss": loss,
        "seed": seed,
        "trained_logits_sha256": record["logits_sha256"],
        "logits_sha256": array_sha256(predictions.logits),
    }


def shift_record(
    partner: Prepared, kind: PartnerKind, runs: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return where a partner's predictions come from, for `shift.json`."""
    return {
        "data_fingerprint": partner.card["fingerprint"],
        "kind": kind,
        "runs": runs,
        "revision": source_revision(),
        "dirty": has_uncommitted_changes(),
        "versions": package_versions(),
    }


def _on_device(classifier: Classifier, device: torch.device) -> Classifier:
    mean, sd = classifier.normalisation.mean, classifier.normalisation.sd
    return replace(
        classifier,
        network=classifier.network.to(device),
        normalisation=Normalisation(mean=mean.to(device), sd=sd.to(device)),
    )


def _logits(
    classifier: Classifier, record: Mapping[str, Any], partner: Prepared, rows: np.ndarray
) -> Logits:
    size, channels = record["image_size"], record["channels"]
    device = classifier.normalisation.mean.device
    # The classifier's own batches, so that one is matched and held at a time and no bit changes.
    at_once = max(1, VALUES_AT_ONCE // (prod(size) * channels))
    parts = []
    for start in range(0, len(rows), at_once):
        images = match_all(partner.images[rows[start : start + at_once]], size, channels)
        parts.append(classifier(torch.from_numpy(images).to(device)).cpu().numpy())
    return np.concatenate(parts)
