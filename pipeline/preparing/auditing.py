"""Refuse a split that tests nothing, trains nothing, or lets the test leak into training."""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import combinations

import pandas as pd

from pipeline.config import Dataset, Splits
from pipeline.errors import InputError
from pipeline.preparing.subsampling import class_counts
from pipeline.splits import SPLITS, Split

MIN_CASES_TO_TRAIN = 1


def audit(cases: pd.DataFrame, dataset: Dataset, blank: Set[str] = frozenset()) -> None:
    """Raise `InputError` for the first fault of a split data set.

    Every split that the pipeline reads has patients, every class has a training case, no group
    and no patient is in two splits, and the splits share exactly the images that
    `known_equal_pixels` admits. Images in `blank`, by the hash of their pixels, tell nothing of one
    another: two slices beside the body are no leakage.
    """
    require_splits(cases, dataset.splits)
    if not dataset.splits.test_only:
        require_training_cases(cases, dataset.classes)
    for column in ("patient", "group"):
        require_apart(cases, column)
    require_known_equal_pixels(showing(cases, blank), dataset.known_equal_pixels)


def require_splits(cases: pd.DataFrame, splits: Splits) -> None:
    """Raise `InputError` naming the first split without patients, or whose own are not read."""
    present = set(cases["split"])
    needed: tuple[Split, ...] = ("test",) if splits.test_only else SPLITS
    for split in needed:
        source = splits.serving(split)
        if source not in present:
            known = ", ".join(each for each in SPLITS if each in present)
            served = "" if source == split else f" (served by '{source}')"
            message = f"split '{split}'{served} has no patients; the data set has: {known}"
            raise InputError(message)
        if source != split and split in present:
            message = (
                f"split '{split}' has patients of its own, which 'splits.reuse' would leave unread "
                f"for those of '{source}': take it out there"
            )
            raise InputError(message)


def require_training_cases(cases: pd.DataFrame, classes: list[str]) -> None:
    """Raise `InputError` naming the first class that nothing could be learnt of."""
    counts = class_counts(cases, "train", len(classes))
    for name, count in zip(classes, counts, strict=True):
        if count < MIN_CASES_TO_TRAIN:
            message = f"class '{name}' has no case in the train split"
            raise InputError(message)


def require_apart(cases: pd.DataFrame, column: str) -> None:
    """Raise `InputError` where a patient (or group) has cases in two splits."""
    num_splits = cases.groupby(column)["split"].nunique()
    spread = num_splits.index[num_splits > 1]
    if len(spread) > 0:
        first = cases.loc[cases[column] == spread[0], ["case", "split"]].drop_duplicates("split")
        places = " and ".join(f"{case} in {split}" for case, split in first.to_numpy()[:2])
        message = f"leakage: {len(spread)} {column}s are in two splits; first: {places}"
        raise InputError(message)


def require_known_equal_pixels(cases: pd.DataFrame, known: Mapping[str, int]) -> None:
    """Raise `InputError` unless the splits share exactly the admitted numbers of images."""
    admitted = {_ordered(pair): number for pair, number in known.items()}
    found = equal_pixels_across(cases)
    for pair in sorted({*admitted, *found}):
        if admitted.get(pair, 0) != found.get(pair, 0):
            message = (
                f"leakage: {found.get(pair, 0)} distinct images occur in both parts of {pair}"
                f"{_example(cases, pair)}, known_equal_pixels admits {admitted.get(pair, 0)}: "
                "remove them, or state the number there if the source is so"
            )
            raise InputError(message)


def showing(cases: pd.DataFrame, blank: Set[str]) -> pd.DataFrame:
    """Return the cases whose images are not blank."""
    return cases[~cases["pixel_sha256"].isin(blank)]


def equal_pixels_across(cases: pd.DataFrame) -> dict[str, int]:
    """Return how many distinct images each pair of splits shares, where it shares any."""
    pixels = {split: set(rows) for split, rows in cases.groupby("split")["pixel_sha256"]}
    shared = {
        f"{first}/{second}": len(pixels[first] & pixels[second])
        for first, second in combinations([split for split in SPLITS if split in pixels], 2)
    }
    return {pair: number for pair, number in shared.items() if number > 0}


def equal_pixels_within(cases: pd.DataFrame) -> dict[str, int]:
    """Return how many cases of each split repeat an image that the split already has."""
    repeated = cases[cases.duplicated(["split", "pixel_sha256"])]
    return {str(split): int(number) for split, number in repeated["split"].value_counts().items()}


def conflicting_labels(cases: pd.DataFrame) -> int:
    """Return how many distinct images bear more than one label."""
    readings = cases[["pixel_sha256", "label"]].drop_duplicates()
    return int((readings["pixel_sha256"].value_counts() > 1).sum())


def _ordered(pair: str) -> str:
    return "/".join(sorted(pair.split("/"), key=SPLITS.index))


def _example(cases: pd.DataFrame, pair: str) -> str:
    first, second = (cases[cases["split"] == split] for split in pair.split("/"))
    twins = first.merge(second, on="pixel_sha256")
    if twins.empty:
        return ""
    return f" (first: {twins['case_x'].iloc[0]} and {twins['case_y'].iloc[0]})"
