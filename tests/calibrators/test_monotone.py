import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibrators.ats import fit_ats
from pipeline.calibrators.monotone import MonotoneTemperature
from pipeline.calibrators.ranking import rank_inversions
from pipeline.calibrators.softmax import log_softmax
from tests.calibrators.simulations import heteroscedastic, overconfident, random_logits


def selective_risks(confidence, hits):
    """Error among the cases at least as confident as each distinct confidence."""
    thresholds = np.unique(confidence)
    return [1 - hits[confidence >= t].mean() for t in thresholds]


@pytest.mark.parametrize("n", [60, 500, 5_000])
@pytest.mark.parametrize(
    "simulate",
    [
        heteroscedastic,
        overconfident,
        lambda seed, n: overconfident(seed, n, truth=0.3, num_classes=2),
        lambda seed, n: heteroscedastic(seed, n, low=5.0, high=0.2),
    ],
)
def test_the_order_of_any_fresh_cases_is_kept(simulate, n):
    fitted = fit_ats(*simulate(0, n), monotone=True)
    # Fresh cases far beyond the calibration cases' range, and many saturated.
    usual, _ = simulate(1, 3_000)
    fresh = np.concatenate([usual, 0.01 * usual, 8.0 * usual, 1e3 * usual])
    before, after = log_softmax(fresh).max(axis=1), fitted(fresh).max(axis=1)
    assert rank_inversions(before, after) == 0
    assert len(np.unique(after)) == len(np.unique(before))


def test_the_risk_coverage_curve_is_unchanged():
    fitted = fit_ats(*heteroscedastic(2, 2_000), monotone=True)
    fresh, labels = heteroscedastic(3, 1_500)
    hits = fresh.argmax(axis=1) == labels
    before = np.exp(log_softmax(fresh).max(axis=1))
    after = np.exp(fitted(fresh).max(axis=1))
    assert selective_risks(after, hits) == selective_risks(before, hits)


def test_equal_confidences_stay_equal_whoever_is_runner_up():
    fitted = fit_ats(*heteroscedastic(4, 2_000), monotone=True)
    # Confidence 0.6 with the rest on one class, and with the rest on all nine.
    one = np.log(np.array([[0.6, 0.4 - 8e-6, *[1e-6] * 8]]))
    all_nine = np.log(np.array([[0.6, *[0.4 / 9] * 9]]))
    assert fitted(one).max() == pytest.approx(fitted(all_nine).max(), abs=1e-12)


def test_other_classes_keep_the_ratios_of_one_temperature():
    fitted = fit_ats(*overconfident(5, 2_000), monotone=True)
    logits = random_logits(6, 500, spread=3.0)
    gaps = logits - logits.max(axis=1, keepdims=True)
    log_p = fitted(logits)
    ratios = log_p - log_p.max(axis=1, keepdims=True)
    own = gaps < 0
    temperatures = np.where(own, gaps, 1.0) / np.where(own, ratios, 1.0)
    mean = temperatures.sum(axis=1, where=own) / own.sum(axis=1)
    np.testing.assert_allclose(
        np.where(own, temperatures, mean[:, None]), mean[:, None] * np.ones(4), rtol=1e-8
    )


def test_the_curve_of_two_classes_is_a_temperature_where_the_truth_is_one():
    fitted = fit_ats(*overconfident(7, 50_000, truth=2.5, num_classes=2), monotone=True, bins=1)
    margins = np.array([[0.5, 0.0], [2.0, 0.0], [9.0, 0.0], [40.0, 0.0]])
    expected = log_softmax(margins, 2.5)
    # 50,000 cases know log T to about 0.01, and margins of 16 after scaling multiply that.
    np.testing.assert_allclose(fitted(margins), expected, rtol=0.05, atol=0.01)


def test_nearly_equal_largest_logits_stop_at_the_sharpest_temperature():
    curve = MonotoneTemperature(knots=(0.0, 1.0), values=(0.0, 3.0), num_classes=3)
    # Confidence 0.4983: log-odds -0.007 + log 2 = 0.686 above chance become 3 * 0.686 - log 2 =
    # 1.366, a confidence of 0.797; two of three logits differ by 1e-3 only.
    log_p = curve(np.array([[1e-3, 0.0, -5.0]]))
    above_chance = 3 * (np.log(1 / (np.exp(-1e-3) + np.exp(-5.001))) + np.log(2))
    assert log_p[0, 0] == pytest.approx(-np.log1p(np.exp(np.log(2) - above_chance)), rel=1e-12)
    assert log_p[0, 1] - log_p[0, 2] == pytest.approx(5.0 / 0.05, rel=1e-9)
    assert np.exp(log_p).sum() == pytest.approx(1.0, abs=1e-12)


@given(
    st.lists(st.floats(0.01, 3.0), min_size=2, max_size=8),
    st.lists(st.floats(0.01, 3.0), min_size=8, max_size=8),
)
def test_the_curve_rises_strictly_through_its_knots(runs, rises):
    knots = np.concatenate([[0.0], np.cumsum(runs)])
    values = np.concatenate([[0.0], np.cumsum(rises[: len(runs)])])
    curve = MonotoneTemperature(tuple(knots), tuple(values), 3)
    np.testing.assert_array_equal(curve.curve(knots), values)
    between = np.linspace(0.0, knots[-1] + 2.0, 500)
    assert (np.diff(curve.curve(between)) > 0).all()


def test_equal_logits_stay_equal():
    fitted = fit_ats(*overconfident(8, 300), monotone=True)
    np.testing.assert_allclose(np.exp(fitted(np.full((2, 4), 3.0))), 0.25, rtol=1e-12)


def test_no_line_rounds_past_the_knot_that_follows_it():
    generator = np.random.default_rng(10)
    knots = np.append(0.0, np.cumsum(generator.uniform(0.001, 0.01, size=2_000)))
    # Values a hundred times coarser than knots, so that rounding outweighs the last step below.
    values = np.append(0.0, 1_000.0 + np.cumsum(generator.uniform(1e-5, 1e-4, size=2_000)))
    curve = MonotoneTemperature(tuple(knots), tuple(values), 3)
    just_below = np.nextafter(knots[1:], 0.0)
    assert (curve.curve(just_below) <= values[1:]).all()


def test_saturated_confidences_that_round_to_one_knot_are_one_knot():
    logits = np.zeros((300, 2))
    logits[:, 0] = np.repeat([1.0, 60.0, 70.0], 100)
    fitted = fit_ats(logits, np.tile([0, 0, 0, 1], 75), bins=3, monotone=True)
    assert (np.diff(fitted.knots) > 0).all()
    # A warning is an error here: no slope is taken between two equal knots.
    assert np.isfinite(fitted(logits)).all()
