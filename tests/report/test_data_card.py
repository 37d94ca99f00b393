import dataclasses

import pytest

from pipeline.evaluation.disclosure import disclosed_card
from pipeline.report.data_card import class_counts_table, data_card


def card_of(scores, **changes):
    dataset = scores.dataset | changes
    return {item.question: item.answer for item in data_card(with_dataset(scores, dataset))}


def with_dataset(scores, dataset):
    return dataclasses.replace(scores, record=scores.record | {"dataset": dataset})


def test_every_item_is_answered_even_if_nobody_recorded_it(screening):
    for item in data_card(screening):
        assert item.answer.strip()


def test_what_is_unknown_is_said_to_be_not_recorded(screening):
    card = card_of(screening.having(groups=None))
    for question in ("Demographics by split", "Missing values; ethics"):
        assert card[question] == "Not recorded."
    for question in ("Source, dates, setting", "Eligibility and flow"):
        assert "not recorded" in card[question]


def test_patients_counted_by_age_are_not_said_to_be_unrecorded(screening):
    assert "age" in screening.frame("groups")["column"].str.cat()
    assert card_of(screening)["Demographics by split"].startswith("Of the test split, by ")


@pytest.mark.parametrize(
    ("simulated", "said"), [(True, "the images are simulated"), (False, "beyond its licence")]
)
def test_the_card_says_what_the_data_are_not_for(screening, simulated, said):
    assert said in card_of(screening, simulated=simulated)["When not"]


def test_a_class_of_three_is_masked_with_a_second_one(screening):
    few = {"normal": 200, "benign": 40, "malignant": 3}
    counts = screening.dataset["counts"] | {"test": few}
    card = disclosed_card(
        {"per_class": screening.frame("per_class")}, screening.dataset | {"counts": counts}
    )
    table = class_counts_table(with_dataset(screening, card))
    assert table.frame["test"].tolist() == ["200", "–*", "–*"]
    assert "3" not in set(table.frame["test"])


def test_splits_stand_in_their_order_of_use(screening):
    labels = [column.label for column in class_counts_table(screening).columns]
    assert labels == ["Class", "train", "val", "calibration", "threshold", "test"]


def test_images_that_two_splits_share_are_told(screening):
    shared = {"across": {"train/test": 1}, "within": {}, "with_conflicting_labels": 0}
    answer = card_of(screening, equal_pixels=shared)["Eligibility and flow"]
    assert "Equal images in two splits: train/test: 1." in answer


def test_the_flow_counts_what_was_read_left_out_set_apart_and_used(screening):
    used = sum(sum(each.values()) for each in screening.dataset["counts"].values())
    answer = card_of(screening, read=used + 7, left_out=7, quarantined={"no label": 2})
    assert f"{used + 7:,} images read, 7 left out" in answer["Eligibility and flow"]
    assert f"set apart: no label: 2; {used:,} used" in answer["Eligibility and flow"]


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_source_file_is_told_with_its_checksum(screening, kind):
    files = [{"name": "images.npz", kind: "3a22d2a4"}]
    answer = card_of(screening, files=files)["Source, dates, setting"]
    assert f"images.npz ({kind} 3a22d2a4)" in answer


def test_a_split_that_serves_twice_is_told(screening):
    answer = card_of(screening, reuse={"val": "calibration"})["Splits"]
    assert "The calibration cases serve as val cases too." in answer
