"""Model card: what a reader must know of a model, item by item, and what nobody recorded.

The items are those of TRIPOD+AI (T), CLAIM 2024 (C) and STARD-AI (S) that a line answers.
"""

from __future__ import annotations

from typing import Any

from pipeline.report.data_card import Item, quarantined_text, reuse_text, sites_text
from pipeline.report.scores import Scores
from pipeline.report.wording import target_text


def model_card(scores: Scores) -> tuple[Item, ...]:
    """Return the model card of an experiment's headline pair."""
    return (*_use_items(scores), *_method_items(scores), *_limit_items(scores))


def _use_items(scores: Scores) -> tuple[Item, ...]:
    classes = ", ".join(scores.dataset["classes"])
    return (
        Item(
            "Use and users",
            f"Sorts an image into {classes}, or refers it. Made to study calibration and referral; "
            "no clinical use is intended.",
            "T 3b, 27b; C 3, 41; S 3, 15d, 34",
        ),
        Item(
            "When not",
            "On other sites, scanners or populations than those tested; on images of anything "
            "else; without a reader for what is referred.",
            "T 3b; S 34",
        ),
    )


def _method_items(scores: Scores) -> tuple[Item, ...]:
    record, dataset = scores.record, scores.dataset
    seeds = ", ".join(str(seed) for seed in record["seeds"])
    target, delta = target_text(record["headline_target"]), target_text(record["delta"])
    return (
        Item(
            "Model",
            f"{record['network']}, trained with {record['headline_loss']}, calibrated with "
            f"{record['headline_calibrator']}.",
            "T 12c, 22; C 22, 23; S 15a",
        ),
        Item(
            "Training",
            f"Recipe {record['recipe']}, {_epochs(scores)}; seeds {seeds}. {_long_tail(dataset)}",
            "T 12c, 13; C 25, 26; S 15b",
        ),
        Item(
            "Threshold",
            f"By fixed-sequence testing on the threshold split, so that error above {target} is "
            f"passed at most {delta} of the time. {reuse_text(dataset)}",
            "T 15; S 15c",
        ),
        Item(
            "Recalibration",
            f"Compared: {', '.join(record['calibrators'])}; all fitted on the calibration split "
            "alone.",
            "T 12f, 24",
        ),
        Item(
            "Metrics and intervals",
            f"Means over seeds; {record['bootstrap']['num_resamples']:,} bootstrap resamples of "
            f"{record['bootstrap']['unit']}s; exact intervals of proportions.",
            "T 12e, 23a; C 28, 29, 37, 38",
        ),
    )


def _limit_items(scores: Scores) -> tuple[Item, ...]:
    dataset = scores.dataset
    unstudied = "Readers were not studied. Safety and human agreement need a live study."
    return (
        Item(
            "Referred cases and bad input",
            "Referred cases are counted, never scored as right; their readers were not studied. "
            f"Unreadable files are set apart and counted: {quarantined_text(dataset)}.",
            "T 27a; C 12; S 19, 20",
        ),
        Item("Subgroups and fairness", _subgroups(scores), "T 14, 23a, 25; C 39; S 23"),
        Item("Robustness, external test", sites_text(dataset), "T 16, 23b; C 30, 33"),
        Item("Limits", " ".join([*dataset.get("notes", []), unstudied]), "T 26; C 40; S 33"),
        Item(
            "Code, data, funding",
            "See “Where it comes from”. Funding: not recorded.",
            "T 18a–f; C 42–44; S 36, 37, 39",
        ),
    )


def _epochs(scores: Scores) -> str:
    epochs = scores.history["epoch"].nunique()
    return f"{epochs} epochs" if epochs else "epochs not recorded"


def _long_tail(dataset: dict[str, Any]) -> str:
    tail = dataset.get("long_tail")
    if not tail:
        return "Classes were not resampled."
    return f"Training classes thinned to an imbalance of {tail['imbalance_ratio']:g}."


def _subgroups(scores: Scores) -> str:
    if scores.groups is None:
        return "No groups are recorded, so none was examined."
    kinds = ", ".join(name.replace("_", " ") for name in scores.groups["column"].unique())
    return f"Examined by {kinds}: see “Groups of patients”. One threshold for all."
