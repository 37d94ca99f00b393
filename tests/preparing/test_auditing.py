import pytest

from pipeline.config import Splits
from pipeline.errors import InputError
from pipeline.preparing.auditing import (
    audit,
    conflicting_labels,
    equal_pixels_across,
    equal_pixels_within,
    require_splits,
)
from pipeline.splits import SPLITS
from tests.sources import DIVIDED, make_cases, make_dataset


def split_cases(**columns):
    """Two cases of each split, one of each class."""
    return make_cases([0, 1] * 5, split=[split for split in SPLITS for _ in range(2)], **columns)


def pixels(*numbers):
    return [f"{number:064x}" for number in numbers]


def test_a_data_set_without_faults_passes():
    audit(split_cases(), make_dataset())


def test_a_split_without_patients_is_named():
    cases = split_cases()
    message = "split 'threshold' has no patients; the data set has: train, val, calibration, test"
    with pytest.raises(InputError, match=message):
        audit(cases[cases["split"] != "threshold"], make_dataset())


def test_a_reused_split_must_have_patients_itself():
    cases = split_cases()
    splits = Splits(divide=DIVIDED, reuse={"val": "calibration"})
    require_splits(cases[cases["split"] != "val"], splits)
    with pytest.raises(
        InputError, match=r"split 'val' \(served by 'calibration'\) has no patients"
    ):
        require_splits(cases[~cases["split"].isin(["val", "calibration"])], splits)


def test_a_split_with_patients_of_its_own_is_not_served_by_another():
    splits = Splits(divide=DIVIDED, reuse={"val": "calibration"})
    message = "split 'val' has patients of its own, which 'splits.reuse' would leave unread for"
    with pytest.raises(InputError, match=message):
        require_splits(split_cases(), splits)


def test_a_blank_image_in_two_splits_is_no_leakage_and_another_is():
    cases = split_cases(pixel_sha256=pixels(0, 1, 2, 3, 4, 5, 6, 7, 0, 9))
    audit(cases, make_dataset(), blank=frozenset(pixels(0)))
    with pytest.raises(InputError, match="leakage: 1 distinct images occur in both parts of train"):
        audit(cases, make_dataset(), blank=frozenset(pixels(1)))


def test_a_set_for_testing_alone_needs_a_test_split_alone():
    cases = split_cases()
    dataset = make_dataset(splits={"official": True, "test_only": True})
    audit(cases[cases["split"] == "test"], dataset)
    with pytest.raises(InputError, match="split 'test' has no patients"):
        audit(cases[cases["split"] == "train"], dataset)


def test_a_class_without_a_training_case_is_named():
    cases = split_cases()
    with pytest.raises(InputError, match="class 'ill' has no case in the train split"):
        audit(cases[(cases["split"] != "train") | (cases["label"] == 0)], make_dataset())


@pytest.mark.parametrize("column", ["patient", "group"])
def test_a_patient_in_two_splits_is_leakage(column):
    keys = [f"key-{number}" for number in range(10)]
    keys[8] = keys[0]
    message = rf"leakage: 1 {column}s are in two splits; first: case-0 in train and case-8 in test"
    with pytest.raises(InputError, match=message):
        audit(split_cases(**{column: keys}), make_dataset())


def test_equal_pixels_in_two_splits_are_leakage():
    cases = split_cases(pixel_sha256=pixels(0, 1, 2, 3, 4, 5, 6, 7, 0, 1))
    message = (
        r"leakage: 2 distinct images occur in both parts of train/test "
        r"\(first: case-0 and case-8\), known_equal_pixels admits 0"
    )
    with pytest.raises(InputError, match=message):
        audit(cases, make_dataset())


def test_the_known_number_of_equal_pixels_must_be_exact():
    cases = split_cases(pixel_sha256=pixels(0, 1, 2, 3, 4, 5, 6, 7, 0, 1))
    audit(cases, make_dataset(known_equal_pixels={"test/train": 2}))
    with pytest.raises(InputError, match="2 distinct images .* admits 1"):
        audit(cases, make_dataset(known_equal_pixels={"train/test": 1}))
    with pytest.raises(InputError, match="0 distinct images occur in both parts of val/test, .* 3"):
        audit(cases, make_dataset(known_equal_pixels={"train/test": 2, "val/test": 3}))


def test_repeats_are_counted_once_across_and_each_within():
    cases = split_cases(pixel_sha256=pixels(0, 0, 0, 0, 4, 5, 6, 7, 8, 9))
    assert equal_pixels_across(cases) == {"train/val": 1}
    assert equal_pixels_within(cases) == {"train": 1, "val": 1}
    assert conflicting_labels(cases) == 1
