from math import ceil

import numpy as np
import pytest
from scipy.stats import betabinom

from pipeline.errors import InputError
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.prediction_sets import (
    PREDICTION_SETS,
    class_conditional_sets,
    marginal_sets,
    score_sets,
)


def draw(seed, n, classes=3, sharpness=1.5):
    """Draw labels from known probabilities, and a model that is too sure of them."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, classes)) + np.array([1.5, 0, -1.5])[:classes]
    truth = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (truth.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1)
    model = sharpness * logits
    return model - np.log(np.exp(model).sum(axis=1, keepdims=True)), labels


def by_order_statistic(calibration, labels, log_probabilities, level):
    """Take the ceil((m + 1) level)-th smallest score 1 - p_y as the limit."""
    scores = np.sort(1 - np.exp(calibration)[np.arange(len(labels)), labels])
    limit = scores[ceil((len(scores) + 1) * level) - 1]
    return 1 - np.exp(log_probabilities) <= limit


@pytest.mark.parametrize("level", [0.8, 0.9, 0.95])
@pytest.mark.parametrize("num_calibration", [57, 100, 500])
def test_marginal_sets_are_cut_at_the_order_statistic(level, num_calibration):
    calibration, labels = draw(1, num_calibration)
    log_probabilities, _ = draw(2, 200)
    np.testing.assert_array_equal(
        marginal_sets(calibration, labels, log_probabilities, level),
        by_order_statistic(calibration, labels, log_probabilities, level),
    )


def test_each_class_is_cut_at_the_order_statistic_of_its_own_cases():
    calibration, labels = draw(3, 600)
    log_probabilities, _ = draw(4, 200)
    sets = class_conditional_sets(calibration, labels, log_probabilities, 0.9)
    for label in range(3):
        own = labels == label
        expected = by_order_statistic(calibration[own], labels[own], log_probabilities, 0.9)
        np.testing.assert_array_equal(sets[:, label], expected[:, label])


def test_marginal_coverage_holds_on_average_over_draws_although_the_model_is_too_sure():
    level, num_calibration, num_test, draws = 0.9, 199, 200, 60
    covered = [
        score_sets(
            marginal_sets(*draw(2 * i, num_calibration), test[0], level), test[1], 0.95
        ).covered.rate
        for i in range(draws)
        for test in [draw(2 * i + 1, num_test)]
    ]
    # Given m = 199 and rank 180, cases covered are beta-binomial; four standard errors are allowed.
    rank = ceil((num_calibration + 1) * level)
    spread = betabinom(num_test, rank, num_calibration + 1 - rank).std() / num_test
    assert np.mean(covered) == pytest.approx(level, abs=4 * spread / np.sqrt(draws))


def test_class_conditional_sets_cover_the_rare_class_that_marginal_sets_neglect():
    calibration, test = draw(5, 4_000), draw(6, 8_000)
    rates = {
        name: [
            found.rate
            for found in score_sets(
                make(*calibration, test[0], 0.9), test[1], 0.95
            ).covered_by_class
        ]
        for name, make in PREDICTION_SETS.items()
    }
    assert min(rates["marginal"]) < 0.75
    # About 300 calibration cases of the rarest class: standard error 0.017, of the test 0.013.
    np.testing.assert_allclose(rates["class_conditional"], 0.9, atol=4 * 0.022)


@pytest.mark.parametrize("make", PREDICTION_SETS.values())
def test_a_higher_level_never_takes_a_class_away(make):
    calibration, labels = draw(7, 300)
    log_probabilities, _ = draw(8, 100)
    low, high = (make(calibration, labels, log_probabilities, level) for level in (0.8, 0.95))
    assert (low <= high).all()
    assert low.sum() < high.sum()


@pytest.mark.parametrize("make", PREDICTION_SETS.values())
@pytest.mark.parametrize("num_calibration", [1, 5, 10])
def test_too_few_calibration_cases_leave_every_class_open(make, num_calibration):
    calibration, labels = draw(9, num_calibration)
    assert make(calibration, labels, draw(10, 4)[0], 0.9).all()


def test_a_class_without_calibration_cases_is_in_every_set():
    calibration, labels = draw(11, 400)
    kept = labels != 2
    sets = class_conditional_sets(calibration[kept], labels[kept], draw(12, 50)[0], 0.9)
    assert sets[:, 2].all()
    assert not sets[:, 0].all()


def test_two_classes_and_saturated_float32_predictions_are_fine():
    calibration, labels = draw(13, 200, classes=2)
    saturated = np.array([[0.0, -200.0], [-200.0, 0.0]], dtype=np.float32)
    sets = marginal_sets(calibration.astype(np.float32), labels, saturated, 0.9)
    assert sets.tolist() == [[True, False], [False, True]]


def test_scores_by_hand():
    sets = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 1]], dtype=bool)
    found = score_sets(sets, np.array([0, 1, 1, 0]), level=0.9)
    assert (found.covered.count, found.covered.of) == (2, 4)
    assert found.covered.interval == proportion_interval(2, 4, 0.9)
    assert [(part.count, part.of) for part in found.covered_by_class] == [(1, 2), (1, 2), (0, 0)]
    assert found.mean_size == (1 + 2 + 0 + 2) / 4
    assert (found.single.count, found.empty.count) == (1, 1)


@pytest.mark.parametrize(
    ("labels", "classes", "level", "message"),
    [
        ([0, 1], 3, 1.0, r"level must lie in \(0, 1\), got 1\.0"),
        ([0, 1, 2], 3, 0.9, "one row a case expected, got calibration 2, labels 3"),
        ([0, 3], 3, 0.9, r"labels must lie in \[0, 3\), got 0\.\.3"),
        ([0, 1], 2, 0.9, "expected the same classes, got 3 and 2"),
    ],
)
@pytest.mark.parametrize("make", PREDICTION_SETS.values())
def test_refuses_calibration_cases_of_another_problem(make, labels, classes, level, message):
    calibration, _ = draw(14, 2)
    with pytest.raises(InputError, match=message):
        make(calibration, np.array(labels), np.zeros((1, classes)), level)
