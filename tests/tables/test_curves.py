import dataclasses

import numpy as np
import pytest

from pipeline.metrics import score
from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.selective import risk_coverage_curve
from pipeline.tables.exact_band import exact_band_table
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.parts.curves import exact_points
from pipeline.tables.reliability import reliability_table
from pipeline.tables.risk_coverage import risk_coverage_table


@pytest.fixture
def points(runs):
    return operating_points_table(runs, targets=[0.05, 0.2], delta=0.05)


def test_the_curve_ends_at_the_error_rate(runs):
    table = risk_coverage_table(runs)
    end = table[table["coverage"] == 1.0]
    errors = [
        1 - score(run.test.log_probabilities["identity"], run.test.predictions.labels)["accuracy"]
        for run in runs[:2]
    ]
    found = end[(end["loss"] == "sharp") & (end["calibrator"] == "identity")]
    assert found["risk_mean"].item() == pytest.approx(np.mean(errors))
    assert len(table) == 2 * 2 * 100


def test_exact_limits_are_those_of_the_counts(runs, points):
    table = exact_band_table(runs, points)
    some = table.iloc[[0, 17, -1]]
    for point in some.itertuples():
        interval = proportion_interval(point.wrong, point.answered)
        assert point.lower == pytest.approx(interval.lower, abs=1e-12)
        assert point.upper == pytest.approx(interval.upper, abs=1e-12)


def test_exact_curves_are_of_patients_from_thirty_answered_to_all(runs, points):
    for _, curve in exact_band_table(runs, points).groupby(["loss", "calibrator"]):
        assert curve["answered"].min() >= 30
        assert curve["answered"].max() == 150
        assert len(curve) <= 200
        assert (curve["seed"] == 0).all()


def test_a_thinned_curve_keeps_what_an_approved_threshold_answers():
    rng = np.random.default_rng(0)
    confidence = rng.random(1000)
    curve = risk_coverage_curve(confidence, rng.integers(0, 2, 1000))
    approved = np.array([0.123, 0.777])
    thinned = exact_points(curve, 20, approved)
    assert len(thinned["threshold"]) == 20
    for threshold in approved:
        assert (confidence >= threshold).sum() in thinned["answered"]
        assert (confidence >= threshold).sum() not in exact_points(curve, 20)["answered"]
    assert thinned["answered"][-1] == 1000
    assert (np.diff(thinned["threshold"]) < 0).all()


def test_an_approved_threshold_that_answers_too_few_adds_no_point():
    confidence = np.linspace(0, 1, 1000)
    curve = risk_coverage_curve(confidence, np.zeros(1000, int))
    thinned = exact_points(curve, 20, np.array([0.999, 2.0]))
    assert len(thinned["threshold"]) == 20
    assert thinned["answered"].min() == 30


def test_bins_hold_thirty_cases_and_all_of_them(runs):
    table = reliability_table(runs)
    for _, bins in table.groupby(["loss", "calibrator"]):
        assert bins["count"].min() >= 30
        assert bins["count"].sum() == len(runs[0].test.predictions)


def with_levels(run, levels):
    """Return the run with its confidences rounded up to a few levels, as a histogram gives them."""

    def rounded(log_probabilities):
        top = np.exp(log_probabilities).max(axis=1)
        level = levels[np.minimum(np.searchsorted(levels, top), len(levels) - 1)]
        probabilities = np.repeat((1 - level)[:, None] / 2, 3, axis=1)
        probabilities[np.arange(len(top)), log_probabilities.argmax(axis=1)] = level
        return np.log(probabilities)

    own = {name: rounded(values) for name, values in run.test.log_probabilities.items()}
    return dataclasses.replace(run, test=dataclasses.replace(run.test, log_probabilities=own))


def test_a_bin_that_ties_leave_without_a_case_is_no_row(runs):
    table = reliability_table([with_levels(runs[0], np.array([0.6, 0.9, 0.99]))])
    for _, bins in table.groupby("calibrator"):
        # Three confidences never make more than three bins, of the nine or so there may be.
        assert 1 < len(bins) <= 3
        assert bins.drop(columns="accuracy_sd").notna().all(axis=None)
        assert bins["count"].sum() == len(runs[0].test.predictions)


def test_a_bin_is_the_mean_over_the_seeds_with_a_case_in_it(runs):
    tied = with_levels(runs[0], np.array([0.6, 0.9, 0.99]))
    alone, other = reliability_table([tied]), reliability_table([runs[1]])
    table = reliability_table([tied, runs[1]])
    keys = ["calibrator", "bin"]
    pairs = other.merge(alone, on=keys, how="left", suffixes=("", "_tied"))
    shared = pairs["confidence_tied"].notna()
    assert 0 < shared.sum() < len(pairs) == len(table)
    for name in ("confidence", "accuracy", "consistency_lower", "consistency_upper"):
        expected = pairs[[name, f"{name}_tied"]].mean(axis=1)
        np.testing.assert_allclose(table[name], expected, rtol=1e-12)
    np.testing.assert_array_equal(table["accuracy_sd"].notna(), shared)
    # Over both seeds: a bin that one of them leaves empty holds half as many.
    np.testing.assert_allclose(
        table["count"], pairs[["count", "count_tied"]].fillna(0).mean(axis=1)
    )


def test_an_over_confident_model_lies_below_its_consistency_range(runs):
    table = reliability_table(runs)

    def share_outside(loss, calibrator):
        bins = table[(table["loss"] == loss) & (table["calibrator"] == calibrator)]
        return (bins["accuracy"] < bins["consistency_lower"]).mean()

    assert share_outside("sharp", "identity") > 0.5
    # Of calibrated bins one in forty lies below a 95 % range.
    assert share_outside("fair", "identity") < 0.2
