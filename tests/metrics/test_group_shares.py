import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.group_shares import (
    MASK_BELOW,
    GroupShare,
    group_names,
    group_shares,
    ordered_names,
    visibilities,
)
from pipeline.metrics.intervals import difference_interval, proportion_interval


def column(**num_patients):
    """Give each group so many patients of one case each, every fifth of them marked."""
    groups = np.repeat(list(num_patients), list(num_patients.values()))
    return groups, np.arange(len(groups)) % 5 == 0, np.arange(len(groups))


@pytest.mark.parametrize(
    ("num_patients", "expected"),
    [
        ({"A": 30, "B": 10}, {"A": "full", "B": "counts"}),
        ({"A": 29, "B": 30}, {"A": "counts", "B": "full"}),
        ({"A": 9, "B": 50, "C": 40}, {"A": "masked", "B": "full", "C": "masked"}),
        ({"A": 9, "B": 50}, {"A": "masked", "B": "masked"}),
        # Two groups of one patient each would be known from their sum: a third goes too.
        ({"A": 1, "B": 1, "C": 60, "D": 50}, {"A": "masked", "B": "masked", "C": "full",
                                              "D": "masked"}),
        ({"A": 5, "B": 5, "C": 60}, {"A": "masked", "B": "masked", "C": "full"}),
        ({"A": 3}, {"A": "masked"}),
        ({}, {}),
    ],
)  # fmt: skip
def test_small_groups_are_masked_with_company(num_patients, expected):
    assert visibilities(num_patients) == expected


@given(counts=st.lists(st.integers(1, 60), min_size=1, max_size=8))
def test_no_masked_group_is_found_by_subtraction(counts):
    sizes = {str(index): count for index, count in enumerate(counts)}
    shown = visibilities(sizes)
    masked = [name for name in sizes if shown[name] == "masked"]
    assert all(shown[name] == "masked" for name in sizes if sizes[name] < MASK_BELOW)
    if masked and len(masked) < len(sizes):
        assert len(masked) >= 2
        assert sum(sizes[name] for name in masked) >= MASK_BELOW


def test_a_full_group_shows_its_share_and_how_it_differs_from_the_rest():
    shares = group_shares(*column(A=50, B=100))
    assert shares["A"] == GroupShare(
        "full", 50, 10, proportion_interval(10, 50), 10 / 50, 10 / 50 - 20 / 100,
        # Two groups are compared, so each difference is held to 97.5 %.
        difference_interval((10, 50), (20, 100), 0.975),
    )  # fmt: skip


def test_a_group_of_ten_to_twenty_nine_shows_counts_and_an_interval_alone():
    shares = group_shares(*column(A=20, B=100))
    assert shares["A"] == GroupShare("counts", 20, 4, proportion_interval(4, 20))


def test_a_masked_group_shows_nothing():
    shares = group_shares(*column(A=5, B=20, C=100))
    assert shares["A"] == shares["B"] == GroupShare("masked")
    assert shares["C"].num_patients == 100


def test_the_only_group_differs_from_nobody():
    (share,) = group_shares(*column(A=40)).values()
    assert share.difference is None
    assert share.share == 8 / 40


def test_patients_count_once_however_many_images_they_have():
    patients = np.repeat(np.arange(40), 3)
    marked = np.zeros(120, dtype=bool)
    # Two images of patient 0 and one of patient 1.
    marked[[0, 1, 3]] = True
    (share,) = group_shares(np.full(120, "A"), marked, patients).values()
    assert (share.num_marked, share.num_patients) == (2, 40)


def test_missing_values_are_a_group_of_their_own_named_last():
    groups = np.array(["z", None, np.nan, "a"], dtype=object)
    assert ordered_names(group_names(groups)) == ["a", "z", "not recorded"]


def test_refuses_unequal_lengths():
    with pytest.raises(InputError, match="groups 2, marked 1, patients 2"):
        group_shares(np.array(["A", "B"]), np.array([True]), np.arange(2))
