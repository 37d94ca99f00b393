"""From a study's finished stages to a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.artifacts import WEIGHTS
from pipeline.calibrators import to_json
from pipeline.config import NetworkConfig
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from pipeline.folders import require_new
from pipeline.provenance import has_uncommitted_changes, package_versions, source_revision
from pipeline.releasing.card import render_card
from pipeline.releasing.codes import codes_of
from pipeline.releasing.deciding import decide
from pipeline.releasing.describing import limits, reference
from pipeline.releasing.likeness import NAME, fit_likeness, likeness_of, scope_threshold
from pipeline.releasing.manifest import (
    FittedCalibrator,
    Member,
    Provenance,
    Reference,
    Release,
    Rule,
    Scope,
)
from pipeline.releasing.model import Model
from pipeline.releasing.packing import PACKAGES, Proof, require_packages, write_release
from pipeline.releasing.preprocessing import default_modality, preprocessing
from pipeline.releasing.sources import Source, Wanted, read_source
from pipeline.report import read_scores
from pipeline.report.data_card import Item
from pipeline.report.model_card import model_card
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.sentences import (
    main_sentence,
    test_sentence,
    unit_sentence,
    verdict,
)

SCOPE_SPLITS = ("calibration", "threshold")
"""Held-out cases that say which likeness is in scope."""


@dataclass(frozen=True)
class Options:
    """How a model is packed.

    Attributes
    ----------
    without_guarantee : bool
        Whether a model may be packed that has no guarantee, and refers everybody.
    key : Path or None
        A private SSH key to sign with.
    modality : str or None
        The DICOM modality of the study's images, which a data set's config does not state.
    codes : Path or None
        YAML: of each class a DICOM code, ``{scheme, value, meaning}``; private ones by default.
    """

    without_guarantee: bool = False
    key: Path | None = None
    modality: str | None = None
    codes: Path | None = None


def release_model(
    root: Path, study: str, experiment: str, wanted: Wanted, out: Path, options: Options
) -> str:
    """Pack a model of a study, and return what may be said of it in a line.

    Raises
    ------
    InputError
        If the study's stages are not finished or their files have changed; no threshold was found
        and packing without is not asked for; or the model cannot be exported, see `write_release`.
    """
    require_packages()
    require_new(out)
    source = read_source(root, study, experiment, wanted)
    scores = read_scores(source.scores)
    run = source.run()
    rule, point = decide(source, run, scores.unit)
    words = verdict(point)[1]
    if not rule.found and not options.without_guarantee:
        message = f"{words}: --without-guarantee packs a release that refers everybody"
        raise InputError(message)
    model, scope, in_scope = _model_in_scope(source)
    codes = codes_of(options.codes, source.prepared.card["classes"])
    seen = _reference(source, run, in_scope, rule)
    stated = {
        "codes": codes,
        "modality": options.modality or default_modality(source.prepared.card),
        "rule": rule,
        "scope": scope,
        "limits": limits(source.prepared.cases, run, rule),
        "reference": seen,
    }
    release = check_config(_named(source) | stated, Release, place="the release")
    sentences = [main_sentence(point), test_sentence(point), unit_sentence(point)]
    card = render_card(release, sentences, _items(source, scores))
    write_release(out, release, model, card, _proof(source, run), key=options.key)
    return f"{release.name}: {words}"


def _named(source: Source) -> dict[str, Any]:
    """Return what the study's records say of a model."""
    row, choice, card = source.row, source.choice, source.prepared.card
    first = source.records[0]
    network = {key: value for key, value in first["network"].items() if key != "name"}
    ensemble = f"-of-{len(choice.seeds)}" if source.is_ensemble else f"-seed-{choice.seeds[0]}"
    return {
        "name": f"{row.study}-{row.experiment}-{choice.loss}{ensemble}",
        "study": row.study,
        "experiment": row.experiment,
        "loss": choice.loss,
        "network": NetworkConfig.model_validate(network),
        "network_name": row.network,
        "recipe": row.recipe,
        "members": [_member(record, len(source.records)) for record in source.records],
        "classes": card["classes"],
        "critical_classes": card["critical_classes"],
        "image_size": card["image_size"],
        "channels": card["channels"],
        "preprocessing": preprocessing(card),
        "calibrator": FittedCalibrator(
            name=choice.calibrator,
            state=to_json(source.calibrator),
            preserves_argmax=source.calibrator.preserves_argmax,
        ),
        "provenance": _provenance(card),
        "parent": None,
    }


def _member(record: Mapping[str, Any], num_members: int) -> Member:
    suffix = "" if num_members == 1 else f"-{record['seed']}"
    return Member(
        seed=record["seed"],
        weights=f"models/model{suffix}.safetensors",
        mean=record["normalisation"]["mean"],
        sd=record["normalisation"]["sd"],
        logit_scale=record["logit_scale"],
        cosine_head=record["cosine_head"],
        config_hash=record["config_hash"],
        logits_sha256=record["logits_sha256"],
        revision=record["revision"],
        dirty=record["dirty"],
    )


def _provenance(card: Mapping[str, Any]) -> Provenance:
    return Provenance(
        dataset_title=card["title"],
        licence=card["licence"],
        citation=card["citation"],
        simulated=card["simulated"],
        data_fingerprint=card["fingerprint"],
        revision=source_revision(),
        dirty=has_uncommitted_changes(),
        versions=package_versions() | {name: version(name) for name in PACKAGES},
    )


def _model_in_scope(source: Source) -> tuple[Model, Scope, dict[str, np.ndarray]]:
    """Return the model, its scope, and which held-out images of each split are in it."""
    members, prepared = source.members(), source.prepared
    train = prepared.images[prepared.rows("train")]
    likeness = fit_likeness(train, members[0].normalisation)
    splits = [split for split in SCOPE_SPLITS if split in source.predictions]
    by_split = {
        split: likeness_of(likeness, prepared.images[prepared.rows(split)]) for split in splits
    }
    scores = np.concatenate(list(by_split.values()))
    threshold = scope_threshold(scores)
    scope = Scope(
        score=NAME,
        threshold=threshold,
        quantile=float((scores < threshold).mean()),
        num_cases=len(scores),
        splits=splits,
    )
    model = Model(
        weights=[folder / WEIGHTS for folder in source.folders],
        members=members,
        calibrator=source.calibrator,
        likeness=likeness,
    )
    return model, scope, {split: each >= threshold for split, each in by_split.items()}


def _reference(
    source: Source, run: Run, in_scope: Mapping[str, np.ndarray], rule: Rule
) -> Reference:
    """Return what patients looked like whom at most the threshold was fitted on."""
    split = "threshold" if run.threshold is not None else "calibration"
    held_out = run.threshold or source.applied(split)
    classes = source.prepared.card["classes"]
    return reference(held_out, in_scope[split], rule, split=split, classes=classes)


def _proof(source: Source, run: Run) -> Proof:
    prepared = source.prepared
    (log_probabilities,) = run.test.log_probabilities.values()
    return Proof(
        logits=[each.logits for each in source.predictions.values()],
        images=prepared.images[prepared.rows("test")],
        probabilities=np.exp(log_probabilities),
    )


def _items(source: Source, scores: Scores) -> Sequence[Item]:
    """Return the study's model card, where it is about the model that is packed."""
    own = {
        "loss": source.choice.loss,
        "calibrator": source.choice.calibrator,
        "seed": source.choice.seeds[0],
    }
    return () if source.is_ensemble or own != scores.headline else model_card(scores)
