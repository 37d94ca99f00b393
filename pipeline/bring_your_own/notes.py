"""What a page must say of how files were read, and of what could not be checked in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.bring_your_own.cases import Given, comparable, shared_rows
from pipeline.bring_your_own.class_columns import sum_tolerance
from pipeline.bring_your_own.identifiers import are_distinct, num_repeated
from pipeline.csv_table import SEPARATORS

WITHOUT_CALIBRATION = (
    "No separate cases were given: no calibrator was fitted, and no threshold has a guarantee."
)
SEPARATOR_NAMES = {";": "semicolons", "\t": "tabs"}


def notes(given: Sequence[Given]) -> list[str]:
    """Return what to say of files on the page and the terminal, a sentence a fact."""
    said = [] if len(given) > 1 else [WITHOUT_CALIBRATION]
    for each in given:
        said += _how_read(each)
        if not each.names_patients:
            said.append(f"{each.path.name} names no patients, so every case counts as one.")
    return said


def unchecked(given: Sequence[Given]) -> list[str]:
    """Return what could not be checked of a guarantee's conditions: that files share no patient.

    Nothing without calibration cases, since then there is no guarantee.
    """
    if len(given) < 2:
        return []
    said, nameless = [], [each.path.name for each in given if not each.names_patients]
    if nameless:
        verb = "names" if len(nameless) == 1 else "name"
        said.append(
            f"Not checked, as {' and '.join(nameless)} {verb} no patients: that no patient is in "
            "both files, nor on both sides of the halving. Where one is, or has several cases, "
            "nothing is promised."
        )
    if not comparable(*given):
        said.append(
            "Checked but for rounding alone, as one file holds logits and the other "
            "probabilities: that no case is in both under two names."
        )
    elif num_shared := int(shared_rows(given[0].predictions, given[1].predictions).sum()):
        said.append(
            f"Rows of {given[1].path.name} whose {given[1].outputs.kind} stand in "
            f"{given[0].path.name} too: {num_shared:,} of {len(given[1].predictions):,}. Chance "
            "makes some where numbers are coarse; whether any is one case in both could not be "
            "checked."
        )
    return said


def _how_read(given: Given) -> Iterator[str]:
    """Yield what was read otherwise than it stands there."""
    name, outputs = given.path.name, given.outputs
    if given.separator != SEPARATORS[0]:
        yield f"The cells of {name} are parted by {SEPARATOR_NAMES[given.separator]}."
    if outputs.pair:
        other, own = outputs.classes
        yield f"{name} holds one column, {own}; the probability of {other} is 1 minus it."
    tolerance = sum_tolerance(len(outputs.classes))
    if outputs.num_rescaled:
        yield (
            f"Rows of {name} whose probabilities sum to 1 only within {tolerance:g}, and were "
            f"divided by their sum: {outputs.num_rescaled:,}."
        )
    if outputs.num_zeros:
        yield (
            f"Probabilities of exactly 0 in {name}, read as the smallest positive number: "
            f"{outputs.num_zeros:,}."
        )
    predictions = given.predictions
    repeated = num_repeated(predictions) if outputs.kind == "logits" else 0
    if repeated and are_distinct(predictions.logits, len(predictions) ** 2 // 2):
        yield (
            f"Rows of {name} with the very logits of another row: {repeated:,}. Where that is one "
            "case twice, intervals are too narrow."
        )
    if given.num_respelt:
        yield (
            f"Labels of {name} that were read without regard to spaces, decimals or the case of "
            f"letters: {given.num_respelt:,}."
        )
