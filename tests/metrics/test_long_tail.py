import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.calibration_error import ece
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.long_tail import (
    GROUPS,
    groups_by_count,
    groups_by_tertile,
    score_by_group,
)
from pipeline.metrics.selective import aurc

EIGHT, SIX, FOUR = np.log([[0.8, 0.1, 0.1], [0.2, 0.6, 0.2], [0.3, 0.3, 0.4]])


def test_the_limits_belong_to_the_middle():
    counts = np.array([5000, 101, 100, 50, 20, 19, 0])
    named = ["many", "many", "medium", "medium", "medium", "few", "few"]
    assert groups_by_count(counts).tolist() == named


@pytest.mark.parametrize(
    ("counts", "many", "few"),
    [
        pytest.param([7], 0, 0, id="one class"),
        pytest.param([9, 1], 1, 1, id="two classes"),
        pytest.param([9, 5, 1], 1, 1, id="three classes"),
        pytest.param([9, 5, 3, 1], 1, 1, id="four classes"),
        pytest.param([9, 7, 5, 3, 1], 2, 2, id="five classes"),
        pytest.param(list(range(10)), 3, 3, id="ten classes"),
        pytest.param(list(range(100)), 33, 33, id="a hundred classes"),
        pytest.param([4, 4, 4, 4], 0, 0, id="balanced"),
        pytest.param([9, 4, 4, 4], 1, 0, id="one large class"),
    ],
)
def test_tertiles_name_about_a_third_many_and_a_third_few(counts, many, few):
    named = groups_by_tertile(np.array(counts)).tolist()
    assert (named.count("many"), named.count("few")) == (many, few)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12))
def test_tertiles_never_name_a_larger_class_as_the_rarer(counts):
    rarity = {"many": 0, "medium": 1, "few": 2}
    named = [rarity[group] for group in groups_by_tertile(np.array(counts))]
    for count, group in zip(counts, named, strict=True):
        for other_count, other_group in zip(counts, named, strict=True):
            assert count <= other_count or group <= other_group
            assert count != other_count or group == other_group


def test_each_group_is_measured_on_the_cases_whose_true_class_it_holds():
    log_probabilities = np.stack([EIGHT, EIGHT, SIX, FOUR])
    labels = np.array([0, 1, 1, 2])
    scores = score_by_group(log_probabilities, labels, np.array(["many", "few", "few"]))
    assert list(scores) == ["many", "few"]
    many, few = scores["many"], scores["few"]
    assert (many.num_classes, many.accuracy.count, many.accuracy.of) == (1, 1, 1)
    assert (few.num_classes, few.accuracy.count, few.accuracy.of) == (2, 2, 3)
    assert few.accuracy.interval == proportion_interval(2, 3, 0.95)
    # Each confidence has a bin of its own: 0.8 is wrong, 0.6 and 0.4 are right.
    assert few.ece == pytest.approx((0.8 + (1 - 0.6) + (1 - 0.4)) / 3, rel=1e-12)
    assert few.aurc == pytest.approx((1 / 1 + 1 / 2 + 1 / 3) / 3, rel=1e-12)
    assert few.curve.thresholds == pytest.approx([0.8, 0.6, 0.4])
    assert few.curve.risk.tolist() == [1, 1 / 2, 1 / 3]


@given(seed=st.integers(0, 2**32 - 1))
def test_a_single_group_has_the_scores_of_all_cases(seed):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(3), size=40)
    labels, top = rng.integers(0, 3, 40), probabilities.max(axis=1)
    scores = score_by_group(np.log(probabilities), labels, np.repeat("few", 3))["few"]
    correct = probabilities.argmax(axis=1) == labels
    assert scores.accuracy.rate == correct.mean()
    assert scores.ece == pytest.approx(ece(top, correct), rel=1e-9)
    assert scores.aurc == pytest.approx(aurc(top, ~correct), rel=1e-9)


def test_a_group_without_a_test_case_is_left_out():
    scores = score_by_group(np.stack([EIGHT]), np.array([0]), np.array(GROUPS))
    assert list(scores) == ["many"]


def test_refuses_groups_of_other_classes():
    with pytest.raises(InputError, match="one group a class expected: 3, got 2"):
        score_by_group(np.stack([EIGHT]), np.array([0]), np.array(["many", "few"]))


def test_refuses_a_label_without_a_class():
    with pytest.raises(InputError, match=r"labels must lie in \[0, 3\), got 3\.\.3"):
        score_by_group(np.stack([EIGHT]), np.array([3]), np.array(GROUPS))
