import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import Splits
from pipeline.errors import InputError
from pipeline.preparing.splitting import assign_splits, divide
from tests.sources import DIVIDED, make_cases

SHARES = {"train": 0.5, "calibration": 0.25, "test": 0.25}


@given(
    patients=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_patients_cases_stay_together(patients, seed):
    labels = np.arange(len(patients)) % 3
    cases = make_cases(labels, group=[str(each) for each in patients])
    parts = divide(cases, SHARES, seed)
    assert parts.notna().all()
    assert (parts.groupby(cases["group"]).nunique() == 1).all()


@given(num_healthy=st.integers(1, 80), num_ill=st.integers(1, 80), seed=st.integers(0, 99))
def test_each_class_meets_its_shares_to_within_one_case(num_healthy, num_ill, seed):
    cases = make_cases([0] * num_healthy + [1] * num_ill)
    parts = divide(cases, SHARES, seed)
    for label, total in enumerate((num_healthy, num_ill)):
        counts = parts[cases["label"] == label].value_counts()
        for name, share in SHARES.items():
            assert abs(counts.get(name, 0) - share * total) <= 1


def test_large_and_small_patients_are_spread_alike():
    # 40 patients of three cases and 40 of one: halves must get 20 of each.
    groups = [f"large-{number // 3}" for number in range(120)]
    groups += [f"small-{number}" for number in range(40)]
    cases = make_cases([0] * 160, group=groups)
    parts = divide(cases, {"train": 0.5, "test": 0.5}, seed=3)
    patients = cases.assign(split=parts).drop_duplicates("group")
    kind = patients["group"].str.split("-").str[0]
    assert patients.groupby([kind, "split"]).size().tolist() == [20, 20, 20, 20]


def test_parts_of_equal_shares_get_equal_numbers_though_every_class_is_small():
    # Ten classes of five: each leaves one case over, and no part may collect all of them.
    cases = make_cases(np.repeat(np.arange(10), 5))
    counts = divide(cases, {"val": 0.5, "test": 0.5}, seed=0).value_counts()
    assert counts.tolist() == [25, 25]


def test_a_patient_counts_in_the_rarer_of_two_classes_that_tie():
    # Every patient of class 1 also has one case of class 0; stratified by the rarer class, both
    # halves get two of the four.
    groups = [f"both-{n // 2}" for n in range(8)] + [f"healthy-{n}" for n in range(40)]
    cases = make_cases([0, 1] * 4 + [0] * 40, group=groups)
    parts = divide(cases, {"train": 0.5, "test": 0.5}, seed=1)
    assert parts[cases["label"] == 1].value_counts().to_dict() == {"train": 2, "test": 2}


def test_the_seed_alone_decides():
    cases = make_cases(np.arange(200) % 2)
    assert divide(cases, SHARES, 5).equals(divide(cases, SHARES, 5))
    assert not divide(cases, SHARES, 5).equals(divide(cases, SHARES, 6))


def test_official_splits_are_kept_and_the_named_one_divided():
    official = ["train"] * 6 + ["val"] * 4 + ["test"] * 2
    cases = make_cases([0, 1] * 6, official=official)
    splits = Splits(official=True, divide={"val": {"calibration": 0.5, "threshold": 0.5}})
    parts = assign_splits(cases, splits)
    assert parts[:6].tolist() == ["train"] * 6
    assert sorted(parts[6:10]) == ["calibration"] * 2 + ["threshold"] * 2
    assert parts[10:].tolist() == ["test"] * 2


def test_a_part_named_like_an_official_split_is_not_divided_again():
    cases = make_cases([0, 1] * 20, official=["train"] * 20 + ["val"] * 20)
    splits = Splits(official=True, divide={"train": {"train": 0.5, "val": 0.5}, "val": {"test": 1}})
    parts = assign_splits(cases, splits)
    assert parts.value_counts().to_dict() == {"train": 10, "val": 10, "test": 20}
    assert set(parts[20:]) == {"test"}


def test_everyone_ever_seen_at_the_held_out_site_is_tested():
    cases = make_cases(
        [0, 1] * 10,
        site=["south"] * 3 + ["north"] * 17,
        group=["moved"] + [f"s{n}" for n in range(2)] + ["moved"] + [f"n{n}" for n in range(16)],
    )
    shares = {"train": 0.5, "calibration": 0.25, "threshold": 0.25}
    parts = assign_splits(cases, Splits(divide={"all": shares}, holdout_site="south"))
    assert parts[:4].tolist() == ["test"] * 4
    assert "test" not in parts[4:].to_numpy()


@pytest.mark.parametrize(
    ("columns", "splits", "message"),
    [
        ({}, {"official": True}, "4 cases have no official split, first case-0"),
        (
            {"official": "train"},
            {"official": True, "divide": {"val": {"val": 1}}},
            "no split 'val'",
        ),
        ({"official": "extra"}, {"official": True}, r"splits \['extra'\] are none of train, val"),
        ({}, {"divide": DIVIDED, "holdout_site": "east"}, "no case at 'east', only at: north"),
    ],
)
def test_a_source_that_does_not_fit_is_refused(columns, splits, message):
    with pytest.raises(InputError, match=message):
        assign_splits(make_cases([0, 1, 0, 1], **columns), Splits.model_validate(splits))
