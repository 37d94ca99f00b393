import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import Splits
from pipeline.errors import InputError
from pipeline.preparing.splitting import assign_splits, divide, divide_by_hash
from tests.sources import make_cases

SHARES = {"train": 0.5, "calibration": 0.25, "test": 0.25}


@pytest.mark.parametrize("divided", [divide, divide_by_hash])
@given(
    patients=st.lists(st.integers(0, 12), min_size=1, max_size=60),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_patients_cases_stay_together(divided, patients, seed):
    labels = np.arange(len(patients)) % 3
    cases = make_cases(labels, group=[str(each) for each in patients])
    parts = divided(cases, SHARES, seed)
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


@pytest.mark.parametrize("divided", [divide, divide_by_hash])
def test_the_seed_alone_decides(divided):
    cases = make_cases(np.arange(200) % 2)
    assert divided(cases, SHARES, 5).equals(divided(cases, SHARES, 5))
    assert not divided(cases, SHARES, 5).equals(divided(cases, SHARES, 6))


@given(
    patients=st.lists(st.integers(0, 40), min_size=1, max_size=60),
    num_known=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
)
def test_by_hash_neither_new_cases_nor_new_labels_nor_the_order_move_one(patients, num_known, seed):
    cases = make_cases(np.arange(len(patients)) % 3, group=[str(each) for each in patients])
    cases = cases.set_index("case", drop=False)
    parts = divide_by_hash(cases, SHARES, seed)
    known = cases.iloc[:num_known]
    others = known.assign(label=1 - known["label"] % 2).iloc[::-1]
    before = divide_by_hash(others, dict(reversed(SHARES.items())), seed)
    assert before[known.index].tolist() == parts[known.index].tolist()


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_by_hash_each_class_gets_its_shares_as_a_coin_would_deal_them(seed):
    num_groups = np.array([400, 1600])
    cases = make_cases(np.repeat([0, 1], num_groups))
    parts = divide_by_hash(cases, SHARES, seed)
    for label, total in enumerate(num_groups):
        counts = parts[cases["label"] == label].value_counts()
        for name, share in SHARES.items():
            # Five standard deviations, which a normal deviate exceeds six times in ten million.
            bound = 5 * np.sqrt(total * share * (1 - share))
            assert abs(counts.get(name, 0) - share * total) <= bound


def test_a_groups_place_is_its_hash_as_a_fraction_of_the_largest():
    # Shares in the pipeline's order, train first: the first half of the range trains.
    cases = make_cases([0, 1] * 50)
    parts = divide_by_hash(cases, {"test": 0.25, "train": 0.5, "calibration": 0.25}, seed=7)
    hashes = [hashlib.sha256(f"7/{group}".encode()).hexdigest() for group in cases["group"]]
    quarters = [int(each[0], 16) // 4 for each in hashes]
    names = ["train", "train", "calibration", "test"]
    assert parts.tolist() == [names[quarter] for quarter in quarters]


def test_shares_whose_sum_rounds_below_one_leave_no_group_without_a_part(monkeypatch):
    last = (2**53 - 1) / 2**53
    monkeypatch.setattr("pipeline.preparing.splitting._place_of", lambda group, seed: last)
    shares = {"train": 0.5, "test": 0.5 - 1e-10}
    assert divide_by_hash(make_cases([0, 1]), shares, seed=0).tolist() == ["test", "test"]


def test_by_hash_the_official_splits_are_kept_and_the_named_one_divided():
    official = ["train"] * 60 + ["val"] * 40
    cases = make_cases([0, 1] * 50, official=official)
    splits = Splits(
        official=True, assign="hash", divide={"val": {"calibration": 0.5, "threshold": 0.5}}
    )
    parts = assign_splits(cases, splits)
    assert set(parts[:60]) == {"train"}
    alone = divide_by_hash(cases[60:], splits.divide["val"], seed=0)
    assert parts[60:].tolist() == alone.tolist()
    assert set(parts[60:]) == {"calibration", "threshold"}


def test_unless_asked_for_the_hash_divides_nothing():
    cases = make_cases(np.arange(100) % 2)
    stratified = divide(cases, SHARES, seed=0).tolist()
    assert assign_splits(cases, Splits(divide={"all": SHARES})).tolist() == stratified
    hashed = assign_splits(cases, Splits(divide={"all": SHARES}, assign="hash")).tolist()
    assert hashed == divide_by_hash(cases, SHARES, seed=0).tolist() != stratified


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


def test_the_held_out_site_stays_together_where_the_official_test_split_is_divided():
    official = ["train"] * 10 + ["test"] * 10
    site = ["south", "north"] * 10
    cases = make_cases([0, 1] * 10, official=official, site=site)
    divide_test = {"test": {"calibration": 0.5, "threshold": 0.5}}
    splits = Splits(official=True, divide=divide_test, holdout_site="south")
    parts = assign_splits(cases, splits)
    assert parts[cases["site"] == "south"].tolist() == ["test"] * 10
    # The five official test cases of the home site are divided, none of them is tested.
    assert parts[10:][cases["site"] == "north"].value_counts().to_dict() in (
        {"calibration": 3, "threshold": 2}, {"calibration": 2, "threshold": 3},
    )  # fmt: skip
    assert parts[:10][cases["site"] == "north"].tolist() == ["train"] * 5


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
        (
            {"site": ["Doe^Jane", "north", "north", "north"]},
            {"divide": {"all": {"train": 1}}, "holdout_site": "east"},
            "^splits.holdout_site: no case at 'east', only at 2 other sites: the card of",
        ),
        (
            {"official": ["train", "test", "test", "train"], "site": ["south", *["north"] * 3]},
            {"official": True, "holdout_site": "south"},
            "its patients alone in the test split expected, got 2 cases of others",
        ),
    ],
)
def test_a_source_that_does_not_fit_is_refused(columns, splits, message):
    with pytest.raises(InputError, match=message):
        assign_splits(make_cases([0, 1, 0, 1], **columns), Splits.model_validate(splits))
