"""Data card: what a reader must know of a data set, item by item, and what nobody recorded.

The items are those of TRIPOD+AI (T), CLAIM 2024 (C) and STARD-AI (S) that a line answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import pandas as pd

from pipeline.tables.groups import groups_place
from pipeline.tables.parts.column import CLASS, count
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.scores import NOT_RECORDED, Scores
from pipeline.tables.parts.shown import Table
from pipeline.tables.parts.wording import counted, number_text

UNKNOWN = "Not recorded."
SIMULATED = "For any statement of patients: the images are simulated."
NOT_FOR = "As evidence on patients, sites, scanners or years it does not hold; beyond its licence."


@dataclass(frozen=True)
class Item:
    """One question of a card, its answer, and where reporting guidelines ask it."""

    question: str
    answer: str
    asked_in: str


def data_card(scores: Scores) -> tuple[Item, ...]:
    """Return the data card of an experiment's data set."""
    dataset = scores.dataset
    return (
        Item("When not", SIMULATED if dataset["simulated"] else NOT_FOR, ""),
        Item("Source, dates, setting", f"{dataset['citation'].rstrip('.')}. Licence: "
             f"{dataset['licence']}. Dates and setting: not recorded. {_files(dataset)}",
             "T 5a–b, 6a; C 7; S 9, 11"),
        Item("Eligibility and flow", f"{_flow(dataset)} {_pixels(dataset)}",
             "T 6b, 20a; C 8, 35; S 7"),
        Item("Acquisition and preprocessing", f"{sites_text(dataset)} "
             f"{_size(scores)} {_spacing(dataset)}", "T 7; C 9, 13"),
        Item("Labels", "The source's. Readers and their agreement: not recorded."
             if not dataset["simulated"] else "Drawn from known probabilities by the simulation.",
             "T 8a–c; C 14–18; S 12, 16a"),
        Item("Splits", f"By patient. {_split_sizes(scores)} {reuse_text(dataset)}",
             "T 12a, 21; C 19–21; S 15b, 22"),
        Item("Demographics by split", _demographics(scores), "T 20b–c; C 36; S 25"),
        Item("Missing values; ethics", UNKNOWN, "T 11, 17; C 12; S 20, 6"),
        Item("Notes", " ".join(dataset.get("notes", [])) or "None.", ""),
    )  # fmt: skip


def _size(scores: Scores) -> str:
    if scores.brought:
        return "Size and channels of the images: not recorded."
    size = " x ".join(str(side) for side in scores.dataset["image_size"])
    return f"Resampled to {size}, {counted(scores.dataset['channels'], 'channels')}."


def class_counts_table(scores: Scores) -> Table:
    """Return the images of each class in each split, small classes masked split by split."""
    counts = {split: scores.dataset["counts"][split] for split in scores.splits}
    names = scores.dataset["classes"]
    written = {
        split: [number_text(own.get(name)) for name in names] for split, own in counts.items()
    }
    return rendered(
        "class_counts",
        "Images by class and split.",
        [CLASS, *(count(split, split, write=itemgetter(split)) for split in counts)],
        pd.DataFrame({"class": names} | written),
    )


def reuse_text(dataset: dict[str, Any]) -> str:
    """Say which splits serve twice; empty where none does."""
    return " ".join(
        f"The {source} cases serve as {split} cases too."
        for split, source in dataset["reuse"].items()
    )


def quarantined_text(dataset: dict[str, Any]) -> str:
    """Say why files were set apart, and how many."""
    if "quarantined" not in dataset:
        return NOT_RECORDED
    reasons = dataset["quarantined"]
    return ", ".join(f"{reason}: {count:,}" for reason, count in reasons.items()) or "none"


def sites_text(dataset: dict[str, Any]) -> str:
    """Say how many images come from each site, small sites masked."""
    sites = dataset.get("sites", {}) | dict.fromkeys(dataset.get("masked_sites", []))
    if not sites:
        return "Sites and scanners: not recorded."
    listed = ", ".join(f"{site} {number_text(count)}" for site, count in sites.items())
    return f"Images by site: {listed}."


def _demographics(scores: Scores) -> str:
    """Say where patients are counted by sex, age and the like: in the test split alone."""
    if scores.frame("groups").empty:
        return UNKNOWN
    columns = scores.shown("groups", every=["target"])["column"].unique()
    kinds = ", ".join(name.replace("_", " ") for name in columns if name != "site")
    if not kinds:
        return UNKNOWN
    place = groups_place(scores)
    return f"Of the test split, by {kinds}: see “{place}”. Of the others: not recorded."


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
    used = sum(dataset["images"].values())
    return (
        f"{counted(dataset['read'], 'images')} read, {dataset['left_out']:,} left out by the "
        f"configuration, set apart: {quarantined_text(dataset)}; {used:,} used. Eligibility: not "
        "recorded."
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
    unknown = (
        f"; unknown for {counted(spacing['unknown'], 'cases')}" if "unknown" in spacing else ""
    )
    return f"Spacing: {', '.join(f'{low:g} to {high:g}' for low, high in pairs)} mm{unknown}."


def _split_sizes(scores: Scores) -> str:
    parts = []
    for split in scores.splits:
        images, patients = (scores.dataset[unit][split] for unit in ("images", "patients"))
        parts.append(f"{split} {counted(patients, 'patients')} ({counted(images, 'images')})")
    return f"{', '.join(parts)}."
