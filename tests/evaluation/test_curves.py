import numpy as np
import pytest

from pipeline.evaluation.curves import exact_band_table, risk_coverage_table
from pipeline.evaluation.reliability import reliability_table
from pipeline.metrics import score
from pipeline.metrics.intervals import proportion_interval


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


def test_exact_limits_are_those_of_the_counts(runs):
    table = exact_band_table(runs)
    some = table.iloc[[0, 17, -1]]
    for point in some.itertuples():
        interval = proportion_interval(point.wrong, point.answered)
        assert point.lower == pytest.approx(interval.lower, abs=1e-12)
        assert point.upper == pytest.approx(interval.upper, abs=1e-12)


def test_exact_curves_are_of_patients_from_thirty_answered_to_all(runs):
    for _, curve in exact_band_table(runs).groupby(["loss", "calibrator"]):
        assert curve["answered"].min() >= 30
        assert curve["answered"].max() == 150
        assert len(curve) <= 200
        assert (curve["seed"] == 0).all()


def test_bins_hold_thirty_cases_and_all_of_them(runs):
    table = reliability_table(runs, seed=0)
    for _, bins in table.groupby(["loss", "calibrator"]):
        assert bins["count"].min() >= 30
        assert bins["count"].sum() == len(runs[0].test.predictions)


def test_an_over_confident_model_lies_below_its_consistency_range(runs):
    table = reliability_table(runs, seed=0)

    def share_outside(loss, calibrator):
        bins = table[(table["loss"] == loss) & (table["calibrator"] == calibrator)]
        return (bins["accuracy"] < bins["consistency_lower"]).mean()

    assert share_outside("sharp", "identity") > 0.5
    # Of calibrated bins one in forty lies below a 95 % range.
    assert share_outside("fair", "identity") < 0.2
