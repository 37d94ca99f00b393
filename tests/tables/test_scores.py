import numpy as np
import pandas as pd
import pytest

from pipeline.metrics import METRICS, prepare_cases, score
from pipeline.metrics.calibrated_bins import expected_ece_if_calibrated
from pipeline.tables.runs import runs_table
from pipeline.tables.summary import summary_table


@pytest.fixture(scope="module")
def scores(runs):
    return runs_table(runs)


@pytest.fixture(scope="module")
def summary(runs, scores):
    return summary_table(runs, scores, num_resamples=200, seed=0)


def row(table, **keys):
    for name, value in keys.items():
        table = table[table[name] == value]
    (only,) = table.to_dict("records")
    return only


def test_each_run_and_calibrator_has_the_score_of_its_own_predictions(runs, scores):
    assert len(scores) == 4 * 2
    run = runs[1]
    expected = score(run.test.log_probabilities["temperature"], run.test.predictions.labels)
    found = row(scores, loss="sharp", seed=1, calibrator="temperature")
    assert {name: found[name] for name in expected} == expected


def test_the_distance_to_the_known_truth_is_reported_and_shrinks_with_temperature(scores):
    before = row(scores, loss="sharp", seed=0, calibrator="identity")["truth_error"]
    after = row(scores, loss="sharp", seed=0, calibrator="temperature")["truth_error"]
    assert 0 < after < before / 2


def test_mean_and_deviation_are_over_the_seeds(scores, summary):
    values = scores[(scores["loss"] == "fair") & (scores["calibrator"] == "identity")]["ece"]
    found = row(summary, loss="fair", calibrator="identity", metric="ece")
    assert found["mean"] == pytest.approx(values.mean())
    assert found["sd"] == pytest.approx(abs(np.diff(values)[0]) / np.sqrt(2))
    assert found["num_seeds"] == 2


def test_intervals_hold_the_mean_of_an_unbiased_metric(summary):
    accuracy = summary[summary["metric"] == "accuracy"]
    assert (accuracy["lower"] < accuracy["mean"]).all()
    assert (accuracy["mean"] < accuracy["upper"]).all()


def test_no_interval_that_misses_its_level_is_in_the_table(summary):
    without = {name for name, metric in METRICS.items() if metric.interval == "none"}
    assert {"ada_ece", "smooth_ece", "calibration_in_the_large", "coverage_at_risk_1"} < without
    shown = summary["metric"].isin(METRICS) & ~summary["metric"].isin(without)
    assert summary.loc[~shown, ["lower", "upper"]].isna().all(axis=None)
    assert summary.loc[shown, ["lower", "upper"]].notna().all(axis=None)


def test_the_interval_of_ece_reaches_below_the_mean_by_what_chance_adds(summary):
    found = row(summary, loss="sharp", calibrator="identity", metric="ece")
    chance = row(summary, loss="sharp", calibrator="identity", metric="ece_if_calibrated")["mean"]
    below, above = found["mean"] - found["lower"], found["upper"] - found["mean"]
    assert below == pytest.approx(above + chance)


def test_only_what_is_compared_closely_gets_an_interval(runs, scores, summary):
    chosen = summary_table(
        runs, scores, num_resamples=200, seed=0, closely={("fair", "temperature")}
    )
    close = (chosen["loss"] == "fair") & (chosen["calibrator"] == "temperature")
    pd.testing.assert_frame_equal(chosen[close], summary[close])
    assert chosen.loc[~close, ["lower", "upper"]].isna().all(axis=None)
    columns = ["loss", "calibrator", "metric", "mean", "sd", "num_seeds"]
    pd.testing.assert_frame_equal(chosen[columns], summary[columns])


def test_a_single_seed_has_no_deviation(runs):
    scores = runs_table(runs[:1])
    summary = summary_table(runs[:1], scores, num_resamples=10, seed=0)
    assert summary["sd"].isna().all()
    assert (summary["num_seeds"] == 1).all()


def test_what_a_calibrated_model_would_score_stands_beside_the_ece_without_an_interval(
    runs, scores, summary
):
    beside = summary[summary["metric"] == "ece_if_calibrated"]
    assert beside["lower"].isna().all()
    sharp = row(summary, loss="sharp", calibrator="identity", metric="ece")
    if_calibrated = row(beside, loss="sharp", calibrator="identity")
    assert 0 < if_calibrated["mean"] < sharp["mean"] / 2
    run = runs[0]
    predictions = run.test.predictions
    cases = prepare_cases(run.test.log_probabilities["identity"], predictions.labels)
    expected = expected_ece_if_calibrated(cases, predictions.patients)
    assert row(scores, loss="sharp", seed=0, calibrator="identity")["ece_if_calibrated"] == expected
