from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pipeline.errors import InputError
from pipeline.metrics.risk_points import coverage_at_risk, risk_at_coverage
from pipeline.metrics.selective import (
    augrc,
    aurc,
    e_aurc,
    risk_coverage_curve,
    selective_summary,
)

AREAS = [aurc, e_aurc, augrc]
FIGURES = {
    "aurc": aurc,
    "e_aurc": e_aurc,
    "augrc": augrc,
    "coverage_at_risk_5": lambda s, cost, weights=None: coverage_at_risk(s, cost, 0.05, weights),
    "coverage_at_risk_33.3": lambda s, cost, weights=None: coverage_at_risk(
        s, cost, 0.333, weights
    ),
    "risk_at_coverage_90": lambda s, cost, weights=None: risk_at_coverage(s, cost, 0.9, weights),
}


def cases(seed, n, *, levels=None):
    """Draw scores (of so many distinct levels, or all distinct) and the errors they foretell."""
    rng = np.random.default_rng(seed)
    confidence = rng.random(n) if levels is None else rng.integers(1, levels + 1, n) / levels
    return confidence, (rng.random(n) > confidence).astype(int)


def aurc_over_all_orders(confidence, losses):
    """Average the sum over i of (loss of the first i) / i over all orders that fall in score."""
    n, areas = len(losses), []
    for order in permutations(range(n)):
        if all(confidence[a] >= confidence[b] for a, b in zip(order, order[1:], strict=False)):
            summed = [sum(losses[j] for j in order[: i + 1]) for i in range(n)]
            areas.append(sum(Fraction(int(s), i + 1) for i, s in enumerate(summed)) / n)
    return float(sum(areas) / len(areas))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6))
def test_aurc_is_the_average_over_every_order_of_the_ties(pairs):
    confidence, losses = np.array(pairs, dtype=float).T
    expected = aurc_over_all_orders(confidence, losses)
    assert aurc(confidence, losses) == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=5))
def test_e_aurc_exceeds_the_best_of_all_orders(pairs):
    confidence, losses = np.array(pairs, dtype=float).T
    best = min(aurc(np.array(order), losses) for order in permutations(range(len(losses))))
    assert e_aurc(confidence, losses) == pytest.approx(aurc(confidence, losses) - best, abs=1e-12)


@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([2, 10, None]))
def test_augrc_is_its_closed_form_in_auroc_and_error(seed, levels):
    confidence, wrong = cases(seed, 60, levels=levels)
    wrong[:2] = [0, 1]  # AUROC needs both.
    error, auroc = wrong.mean(), roc_auc_score(1 - wrong, confidence)
    expected = (1 - auroc) * error * (1 - error) + error**2 / 2
    assert augrc(confidence, wrong) == pytest.approx(expected, rel=1e-12)


def test_e_aurc_approaches_its_continuous_limit_only_for_many_cases():
    n, wrong = 100_000, 20_000
    best = aurc(np.arange(n, 0, -1), np.arange(n) >= n - wrong)
    error = wrong / n
    # A Riemann sum with steps of 1/n of a curve that rises by at most the error: off by < 1/n.
    assert best == pytest.approx(error + (1 - error) * np.log(1 - error), abs=1 / n)


@pytest.mark.parametrize("figure", FIGURES)
def test_rows_of_weights_give_each_resample_its_own_value(figure):
    confidence, wrong = cases(1, 40_000, levels=500)
    rows = np.random.default_rng(2).integers(0, 3, size=(15, 40_000), dtype=np.int16)
    together = FIGURES[figure](confidence, wrong, weights=rows)
    assert together.shape == (15,)
    assert together.tolist() == [FIGURES[figure](confidence, wrong, weights=row) for row in rows]


@pytest.mark.parametrize("rows", [None, 1, 4])
def test_the_summary_holds_the_same_numbers_as_the_functions(rows):
    confidence, wrong = cases(3, 200, levels=40)
    weights = None if rows is None else np.random.default_rng(4).integers(0, 3, size=(rows, 200))
    summary = selective_summary(
        confidence, wrong, targets=[0.05, 0.333], coverages=[0.9], weights=weights
    )
    assert summary.keys() == FIGURES.keys()
    for name, figure in FIGURES.items():
        np.testing.assert_array_equal(summary[name], figure(confidence, wrong, weights=weights))


@given(seed=st.integers(0, 2**32 - 1))
def test_only_the_order_of_the_scores_matters(seed):
    confidence, wrong = cases(seed, 50, levels=12)
    for area in AREAS:
        assert area(confidence, wrong) == area(7 * confidence - 100, wrong)


@given(seed=st.integers(0, 2**32 - 1), factor=st.sampled_from([0.25, 3.0]))
def test_areas_grow_in_proportion_to_the_cost_of_an_error(seed, factor):
    confidence, wrong = cases(seed, 50)
    for area in AREAS:
        scaled = area(confidence, factor * wrong)
        assert scaled == pytest.approx(factor * area(confidence, wrong), rel=1e-12)


@pytest.mark.parametrize(
    ("confidence", "losses", "area", "excess", "joint"),
    [
        pytest.param([0.5], [0], 0, 0, 0, id="one case, right"),
        pytest.param([0.5], [1], 1, 0, 1 / 2, id="one case, wrong"),
        pytest.param([0.1, 0.2, 0.3], [0, 0, 0], 0, 0, 0, id="all right"),
        pytest.param([0.1, 0.2, 0.3], [1, 1, 1], 1, 0, 1 / 2, id="all wrong"),
        pytest.param([1, 1, 1, 1], [0, 1, 0, 0], 1 / 4, 1 / 4 - 1 / 16, 1 / 8, id="all tied"),
        pytest.param([0.0, 1.0], [1, 0], 1 / 4, 0, 1 / 8, id="confidence exactly 0 and 1"),
        pytest.param([0.0, 1.0], [0, 1], 3 / 4, 1 / 2, 3 / 8, id="worst order"),
    ],
)
def test_areas_at_the_edges(confidence, losses, area, excess, joint):
    confidence, losses = np.array(confidence, dtype=float), np.array(losses)
    assert aurc(confidence, losses) == pytest.approx(area, abs=1e-15)
    assert e_aurc(confidence, losses) == pytest.approx(excess, abs=1e-15)
    assert augrc(confidence, losses) == pytest.approx(joint, abs=1e-15)


def test_a_million_cases_lose_no_accuracy_to_the_harmonic_numbers():
    confidence, wrong = cases(5, 1_000_000)
    ordered = wrong[np.argsort(-confidence)]
    plain = (np.cumsum(ordered) / np.arange(1, len(wrong) + 1)).mean()
    assert aurc(confidence, wrong) == pytest.approx(plain, rel=1e-11)


def test_the_curve_has_one_point_for_each_distinct_score():
    curve = risk_coverage_curve(np.array([0.5, 0.9, 0.5, 0.7]), np.array([1, 0, 0, 1]))
    assert curve.thresholds.tolist() == [0.9, 0.7, 0.5]
    assert curve.answered.tolist() == [1, 2, 4]
    assert curve.losses.tolist() == [0, 1, 2]
    assert curve.coverage.tolist() == [1 / 4, 2 / 4, 1]
    assert curve.risk.tolist() == [0, 1 / 2, 2 / 4]


@given(seed=st.integers(0, 2**32 - 1))
def test_the_curve_ends_at_full_coverage_and_mean_loss(seed):
    confidence, wrong = cases(seed, 40, levels=7)
    curve = risk_coverage_curve(confidence, 2.5 * wrong)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(2.5 * wrong.mean(), rel=1e-14)
    assert (np.diff(curve.coverage) > 0).all()


def test_a_curve_weighted_to_one_class_is_the_curve_of_that_class():
    confidence, wrong = cases(6, 80, levels=9)
    of_class = np.arange(80) % 3 == 1
    weighted = risk_coverage_curve(confidence, wrong, weights=of_class)
    alone = risk_coverage_curve(confidence[of_class], wrong[of_class])
    for name in ["thresholds", "coverage", "risk", "answered", "losses"]:
        np.testing.assert_array_equal(getattr(weighted, name), getattr(alone, name))


@pytest.mark.parametrize(
    ("confidence", "losses", "message"),
    [
        ([0.1, 0.2], [1], "one row a case expected, got confidence 2, losses 1"),
        ([], [], "a risk needs at least one case, got none"),
        ([0.1, np.nan], [0, 1], "confidence must be finite, got NaN or infinity in 1 of 2 rows"),
        ([0.1, 0.2], [0, np.inf], "losses must be finite"),
        ([0.1, 0.2], [0, -1], r"losses must be at least 0, got -1\.0"),
    ],
)
def test_refuses_cases_that_have_no_risk(confidence, losses, message):
    for figure in [*FIGURES.values(), risk_coverage_curve]:
        with pytest.raises(InputError, match=message):
            figure(np.array(confidence), np.array(losses))


@pytest.mark.parametrize("figure", FIGURES)
def test_errors_counted_in_whole_numbers_weigh_as_costs_do(figure):
    confidence, wrong = cases(7, 300, levels=20)
    rows = np.random.default_rng(8).integers(0, 3, size=(4, 300))
    # One costly case that no resample holds makes all costs floats.
    unused = np.append(confidence, 0.5), np.append(wrong, 0.25)
    weights = np.column_stack([rows, np.zeros(4, dtype=int)])
    np.testing.assert_allclose(
        FIGURES[figure](*unused, weights=weights),
        FIGURES[figure](confidence, wrong, weights=rows),
        rtol=1e-13,
        atol=1e-15,
    )
