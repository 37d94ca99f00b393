import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.workload import AnswerCounts, workload

POINT = AnswerCounts(
    cases=np.array([80, 20]),
    answered=np.array([60, 5]),
    wrong=np.array([3, 1]),
    wrong_if_all_answered=np.array([10, 8]),
)


def row(rows, policy, label=None):
    return next(row for row in rows if (row.policy, row.label) == (policy, label))


def numbers(found):
    return (found.arriving, found.answered, found.right, found.wrong, found.referred)


def test_at_the_test_set_s_own_prevalence_the_table_is_its_counts():
    rows = workload(POINT, level=0.95)
    assert numbers(row(rows, "threshold")) == pytest.approx((1000, 650, 610, 40, 350))
    assert numbers(row(rows, "threshold", 0)) == pytest.approx((800, 600, 570, 30, 200))
    assert numbers(row(rows, "threshold", 1)) == pytest.approx((200, 50, 40, 10, 150))
    assert numbers(row(rows, "refer_nobody")) == pytest.approx((1000, 1000, 820, 180, 0))


def test_a_stated_prevalence_reweighs_the_classes():
    rows = workload(POINT, level=0.95, prevalence=np.array([0.98, 0.02]))
    answered = 980 * 60 / 80 + 20 * 5 / 20
    wrong = 980 * 3 / 80 + 20 * 1 / 20
    expected = (1000, answered, answered - wrong, wrong, 1000 - answered)
    assert numbers(row(rows, "threshold")) == pytest.approx(expected)
    errors = 980 * 10 / 80 + 20 * 8 / 20
    assert row(rows, "refer_nobody").wrong == pytest.approx(errors)
    # By lot, the same share of errors remains as of patients.
    assert row(rows, "refer_at_random").referred == pytest.approx(1000 - answered)
    assert row(rows, "refer_at_random").wrong == pytest.approx(errors * answered / 1000)


@given(seed=st.integers(0, 2**32 - 1), stated=st.booleans())
def test_every_row_adds_up_and_the_classes_add_up_to_all(seed, stated):
    rng = np.random.default_rng(seed)
    cases = rng.integers(1, 50, 3)
    answered = rng.integers(0, cases + 1)
    wrong = rng.integers(0, answered + 1)
    point = AnswerCounts(cases, answered, wrong, wrong + rng.integers(0, cases - answered + 1))
    rows = workload(point, level=0.9, prevalence=rng.dirichlet(np.ones(3)) if stated else None)
    assert len(rows) == 3 * 4
    for found in rows:
        assert found.answered + found.referred == pytest.approx(found.arriving)
        assert found.right + found.wrong == pytest.approx(found.answered)
    for policy in ("threshold", "refer_nobody", "refer_at_random"):
        classes = [numbers(row(rows, policy, label)) for label in range(3)]
        assert np.sum(classes, axis=0) == pytest.approx(numbers(row(rows, policy)))
    for label in (None, 0, 1, 2):
        found = row(rows, "threshold", label)
        for value, interval in [
            (found.wrong, found.wrong_interval),
            (found.referred, found.referred_interval),
        ]:
            assert interval.lower - 1e-9 <= value <= interval.upper + 1e-9


def test_intervals_are_exact_within_a_class_and_at_the_own_prevalence():
    rows = workload(POINT, level=0.95)
    of_class, of_all = proportion_interval(1, 20, 0.95), proportion_interval(4, 100, 0.95)
    found = row(rows, "threshold", 1).wrong_interval
    assert (found.lower, found.upper) == pytest.approx((200 * of_class.lower, 200 * of_class.upper))
    found = row(rows, "threshold").wrong_interval
    assert (found.lower, found.upper) == pytest.approx((1000 * of_all.lower, 1000 * of_all.upper))


def test_at_a_stated_prevalence_the_classes_share_the_error_of_the_interval():
    found = row(workload(POINT, level=0.95, prevalence=np.array([0.9, 0.1])), "threshold")
    parts = [proportion_interval(3, 80, 0.975), proportion_interval(1, 20, 0.975)]
    assert found.wrong_interval.upper == pytest.approx(900 * parts[0].upper + 100 * parts[1].upper)


def test_the_interval_at_a_stated_prevalence_holds_the_truth_as_often_as_it_says():
    rng, rates, prevalence = np.random.default_rng(0), np.array([0.02, 0.2]), np.array([0.95, 0.05])
    truth, held, cases = 1000 * prevalence @ rates, 0, np.array([150, 60])
    for _ in range(300):
        wrong = rng.binomial(cases, rates)
        point = AnswerCounts(cases, cases, wrong, wrong)
        interval = row(
            workload(point, level=0.9, prevalence=prevalence), "threshold"
        ).wrong_interval
        held += interval.lower <= truth <= interval.upper
    assert held / 300 >= 0.9


def test_comparisons_carry_no_interval():
    found = row(workload(POINT, level=0.95), "refer_at_random")
    assert (found.wrong_interval, found.referred_interval) == (None, None)


def test_an_absent_class_may_be_said_not_to_occur():
    point = AnswerCounts(*(np.array([10, 0]) for _ in range(4)))
    for prevalence in (None, np.array([1.0, 0.0])):
        found = row(workload(point, level=0.95, prevalence=prevalence), "threshold", 1)
        assert numbers(found) == (0, 0, 0, 0, 0)
        assert (found.wrong_interval.lower, found.wrong_interval.upper) == (0, 0)


@pytest.mark.parametrize(
    ("prevalence", "message"),
    [
        ([0.5, 0.4], r"prevalence must sum to one, got 0\.9"),
        ([1.5, -0.5], r"prevalence must be 2 shares of at least 0, got \[1\.5, -0\.5\]"),
        ([1.0], r"prevalence must be 2 shares of at least 0, got \[1\.0\]"),
        ([np.nan, 1.0], "prevalence must be 2 shares"),
    ],
)
def test_refuses_shares_that_are_none(prevalence, message):
    with pytest.raises(InputError, match=message):
        workload(POINT, level=0.95, prevalence=np.array(prevalence))


def test_refuses_a_class_it_knows_nothing_of():
    point = AnswerCounts(*(np.array([10, 0]) for _ in range(4)))
    with pytest.raises(
        InputError, match=r"class 1 has no test case to learn from, got preval.* 0\.1"
    ):
        workload(point, level=0.95, prevalence=np.array([0.9, 0.1]))
