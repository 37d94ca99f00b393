"""What the labels mean: the same in every file, decided once from all of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.bring_your_own.class_columns import Outputs
from pipeline.bring_your_own.columns import Columns, rows_text
from pipeline.errors import InputError, located
from pipeline.shapes import Labels

NUMBER = re.compile(r"(-?[0-9]{1,9})(?:\.0*)?")
"""A label that may be a class's number; a table with a gap writes 1.0."""


def label_column(columns: Columns) -> tuple[str, np.ndarray]:
    """Return the column of the labels and what stands in it, without spaces around."""
    name = columns.require("label", "labels")
    return name, columns.text(name)


def both_named(outputs: Outputs, texts: Sequence[np.ndarray], place: object) -> Outputs:
    """Return the output with a name for the class that a sigmoid's one column leaves unnamed.

    That is the one other label; where labels are 0 and 1, "not CLASS", unless the class is 0 or 1.

    Raises `InputError` if there are other labels than those of two classes.
    """
    if outputs.classes[0]:
        return outputs
    given, spellings = outputs.classes[1], set().union(*(text.tolist() for text in texts))
    labels = {_plain(each) for each in spellings}
    # Of spellings that differ in case alone one is the name.
    spelt = {each.casefold(): each for each in sorted(labels)}
    others = [each for folded, each in spelt.items() if folded != given.casefold()]
    if labels <= {"0", "1"} and given not in ("0", "1"):
        others = [f"not {given}"]
    if len(others) != 1:
        message = (
            f"{place}: labels of one other class expected beside the one column of '{given}', got "
            f"{len(others)}"
        )
        raise InputError(message)
    return replace(outputs, classes=(others[0], given))


def class_numbers(
    texts: Sequence[np.ndarray], classes: Sequence[str], places: Sequence[str]
) -> list[Labels]:
    """Return the labels of each file as numbers of classes.

    All of them are names, whatever the case of their letters where that is enough to tell classes
    apart, or all are numbers from 0; a file of names beside one of numbers is read as such only
    where the names are no numbers.

    `texts` are the labels of each file, `places` its name and column, for errors.

    Raises `InputError`, naming the place, if a label is neither, may be either, or all are of one
    class.
    """
    named = _names(classes)
    numbered = {str(number): number for number in range(len(classes))}
    own = [{_found_in(named, _plain(each)) for each in set(text.tolist())} for text in texts]
    if any(NUMBER.fullmatch(name) for name in classes):
        every = set().union(*own)
        if every <= set(named) and _contradict(every, named, numbered):
            message = (
                f"{places[0]}: labels that are either classes' names or their numbers from 0 "
                f"expected, got some that may be both, of the classes {', '.join(classes)}: name "
                f"the classes by words, as in logit_class{classes[0]}"
            )
            raise InputError(message)
        _require_one_meaning(own, every, named, numbered, places)
        by_number = every <= set(numbered) and not every <= set(named)
        known = [numbered if by_number else named] * len(texts)
    else:
        known = [named if each & set(named) else numbered for each in own]
    return [
        _read(text, numbers, classes, place)
        for text, numbers, place in zip(texts, known, places, strict=True)
    ]


def _require_one_meaning(
    own: Sequence[set[str]],
    every: set[str],
    named: dict[str, int],
    numbered: dict[str, int],
    places: Sequence[str],
) -> None:
    """Raise `InputError` if one file's labels are names and another's are numbers from 0."""
    whole = (set(named), set(numbered))
    if not any(every <= each for each in whole) and all(
        any(labels <= each for each in whole) for labels in own
    ):
        message = (
            f"{places[-1]}: labels of the same meaning as in {places[0]} expected, got classes' "
            "names in one file and numbers from 0 in the other"
        )
        raise InputError(message)


def _contradict(every: set[str], named: dict[str, int], numbered: dict[str, int]) -> bool:
    """Return whether the labels are numbers of classes as well, and of others than are so named.

    Names that are all the numbers from 0, in whatever order, are meant by the labels.
    """
    return (
        set(named) != set(numbered)
        and every <= set(numbered)
        and any(named[each] != numbered[each] for each in every)
    )


def _names(classes: Sequence[str]) -> dict[str, int]:
    """Return each class's number by its name, as `_plain` has it, and in small letters."""
    exact = {_plain(name): number for number, name in enumerate(classes)}
    folded = [each.casefold() for each in exact]
    return exact | {
        each.casefold(): number
        for each, number in exact.items()
        if folded.count(each.casefold()) == 1
    }


def _read(text: np.ndarray, numbers: dict[str, int], classes: Sequence[str], place: str) -> Labels:
    plain = {each: _plain(each) for each in set(text.tolist())}
    known = {each: numbers.get(_found_in(numbers, label)) for each, label in plain.items()}
    found = [known[each] for each in text.tolist()]
    with located(place):
        strange = np.array([each is None for each in found])
        wrong = [plain[each] for each, number in known.items() if number is None]
        if wrong and all(NUMBER.fullmatch(each) for each in wrong):
            message = (
                f"labels must lie in [0, {len(classes)}) or be one of the classes "
                f"{', '.join(classes)}, got others in {rows_text(strange)}"
            )
            raise InputError(message)
        if wrong:
            message = (
                f"one of the classes {', '.join(classes)} or a number from 0 expected, "
                f"got something else in {rows_text(strange)}"
            )
            raise InputError(message)
        labels = np.array(found, dtype=np.int64)
        if len(np.unique(labels)) < 2:
            message = f"cases of two classes or more expected, got '{classes[labels[0]]}' alone"
            raise InputError(message)
    return labels


def _plain(label: str) -> str:
    """Return a label without spaces around; a whole number without decimals.

    >>> _plain(" benign "), _plain("1.0"), _plain("01")
    ('benign', '1', '01')
    """
    number = NUMBER.fullmatch(label.strip())
    return number[1] if number else label.strip()


def _found_in(numbers: dict[str, int], label: str) -> str:
    """Return the label, in small letters where it is known by these alone."""
    return label if label in numbers or label.casefold() not in numbers else label.casefold()
