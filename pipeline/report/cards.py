"""Model card and data card: what a reader must know, item by item, and what nobody recorded.

The items are those of TRIPOD+AI (T), CLAIM 2024 (C) and STARD-AI (S) that the card answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pipeline.metrics.group_shares import MASK_BELOW, visibilities
from pipeline.report.scores import Scores
from pipeline.report.table import Cell, Column, Table
from pipeline.report.wording import MASKED, target_text

UNKNOWN = "Not recorded."


@dataclass(frozen=True)
class Item:
    """One question of a card, its answer, and where reporting guidelines ask it."""

    question: str
    answer: str
    asked_in: str


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
            f"passed at most {delta} of the time. {_reuse(dataset)}",
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
            f"Unreadable files are set apart and counted: {_quarantined(dataset)}.",
            "T 27a; C 12; S 19, 20",
        ),
        Item("Subgroups and fairness", _subgroups(scores), "T 14, 23a, 25; C 39; S 23"),
        Item("Robustness, external test", _sites(dataset), "T 16, 23b; C 30, 33"),
        Item("Limits", " ".join([*dataset.get("notes", []), unstudied]), "T 26; C 40; S 33"),
        Item(
            "Code, data, funding",
            "See “Where it comes from”. Funding: not recorded.",
            "T 18a–f; C 42–44; S 36, 37, 39",
        ),
    )


def data_card(scores: Scores) -> tuple[Item, ...]:
    """Return the data card of an experiment's data set."""
    dataset = scores.dataset
    size = " x ".join(str(side) for side in dataset["image_size"])
    return (
        Item("Source, dates, setting", f"{dataset['citation']}. Licence: {dataset['licence']}. "
             f"Dates and setting: not recorded. {_files(dataset)}", "T 5a–b, 6a; C 7; S 9, 11"),
        Item("Eligibility and flow", f"{_flow(dataset)} {_pixels(dataset)}",
             "T 6b, 20a; C 8, 35; S 7"),
        Item("Acquisition and preprocessing", f"{_sites(dataset)} Resampled to {size}, "
             f"{dataset['channels']} channel(s). {_spacing(dataset)}", "T 7; C 9, 13"),
        Item("Labels", "The source's. Readers and their agreement: not recorded."
             if not dataset["simulated"] else "Drawn from known probabilities by the simulation.",
             "T 8a–c; C 14–18; S 12, 16a"),
        Item("Splits", f"By patient. {_split_sizes(scores)} {_reuse(dataset)}",
             "T 12a, 21; C 19–21; S 15b, 22"),
        Item("Demographics by split", UNKNOWN, "T 20b–c; C 36; S 25"),
        Item("Missing values; ethics", UNKNOWN, "T 11, 17; C 12; S 20, 6"),
        Item("Notes", " ".join(dataset.get("notes", [])) or "None.", ""),
    )  # fmt: skip


def class_counts_table(scores: Scores) -> Table:
    """Return the images of each class in each split, small classes masked split by split."""
    counts = {split: scores.dataset["counts"][split] for split in scores.splits}
    shown = {
        split: visibilities({name: n for name, n in by_class.items() if n > 0})
        for split, by_class in counts.items()
    }

    def write(split: str, name: str) -> str:
        masked = shown[split].get(name) == "masked"
        return MASKED if masked else f"{counts[split][name]:,}"

    names = scores.dataset["classes"]
    rows = [(Cell(name), *(Cell(write(split, name)) for split in counts)) for name in names]
    frame = pd.DataFrame(
        {"class": names, **{split: [write(split, name) for name in names] for split in counts}}
    )
    return Table(
        name="class_counts",
        caption=f"Images by class and split. {MASKED} masked: fewer than {MASK_BELOW}, or shown "
        "they would give such a class away.",
        columns=(Column("Class", numeric=False), *(Column(split) for split in counts)),
        rows=tuple(rows),
        frame=frame,
    )


def _epochs(scores: Scores) -> str:
    epochs = scores.history["epoch"].nunique()
    return f"{epochs} epochs" if epochs else "epochs not recorded"


def _long_tail(dataset: dict[str, Any]) -> str:
    tail = dataset.get("long_tail")
    if not tail:
        return "Classes were not resampled."
    return f"Training classes thinned to an imbalance of {tail['imbalance_ratio']:g}."


def _reuse(dataset: dict[str, Any]) -> str:
    return " ".join(
        f"The {source} cases serve as {split} cases too."
        for split, source in dataset["reuse"].items()
    )


def _quarantined(dataset: dict[str, Any]) -> str:
    reasons = dataset.get("quarantined") or {}
    return ", ".join(f"{reason}: {count:,}" for reason, count in reasons.items()) or "none"


def _subgroups(scores: Scores) -> str:
    if scores.groups is None:
        return "No groups are recorded, so none was examined."
    kinds = ", ".join(name.replace("_", " ") for name in scores.groups["column"].unique())
    return f"Examined by {kinds}: see “Groups of patients”. One threshold for all."


def _sites(dataset: dict[str, Any]) -> str:
    sites = {site: count for site, count in (dataset.get("sites") or {}).items() if site}
    if not sites:
        return "Sites and scanners: not recorded; no external test."
    shown = visibilities(sites)
    listed = ", ".join(
        f"{site} {MASKED if shown[site] == 'masked' else f'{count:,}'}"
        for site, count in sites.items()
    )
    return f"Images by site: {listed}."


def _files(dataset: dict[str, Any]) -> str:
    files = dataset.get("files") or []
    listed = "; ".join(
        f"{file['name']} ({kind} {file[kind]})"
        for file in files
        for kind in ("sha256", "md5")
        if kind in file
    )
    return f"Files: {listed}." if listed else ""


def _flow(dataset: dict[str, Any]) -> str:
    if "read" not in dataset:
        return "Eligibility: not recorded."
    used = sum(sum(by_class.values()) for by_class in dataset["counts"].values())
    return (
        f"{dataset['read']:,} images read, {dataset['left_out']:,} left out by the configuration, "
        f"set apart: {_quarantined(dataset)}; {used:,} used. Eligibility: not recorded."
    )


def _pixels(dataset: dict[str, Any]) -> str:
    if "equal_pixels" not in dataset:
        return "Equal images in two splits: not looked for."
    across = dataset["equal_pixels"]["across"]
    shared = ", ".join(f"{pair}: {count:,}" for pair, count in across.items())
    return f"Equal images in two splits: {shared or 'none'}."


def _spacing(dataset: dict[str, Any]) -> str:
    spacing = dataset.get("spacing_mm")
    if not spacing:
        return "Pixel spacing: not recorded."
    pairs = zip(spacing["smallest"], spacing["largest"], strict=True)
    return f"Spacing: {', '.join(f'{low:g} to {high:g}' for low, high in pairs)} mm."


def _split_sizes(scores: Scores) -> str:
    parts = []
    for split in scores.splits:
        images = sum(scores.dataset["counts"][split].values())
        patients = scores.dataset["patients"][split]
        parts.append(f"{split} {patients:,} patients ({images:,} images)")
    return f"{', '.join(parts)}."
