"""How often the intervals of metrics hold the true value, in studies whose truth is known."""

import numpy as np
import pytest

from pipeline.metrics import METRICS, prepare_cases, score
from pipeline.metrics.bootstrap import resample_scores, score_intervals
from pipeline.metrics.intervals import percentile_interval
from tests.metrics.simulated_studies import predicted_study

SETTINGS = [
    # cases, classes, images a patient, sharpness: 1 is calibrated
    (3000, 3, 1, 1.0),
    (3000, 3, 3, 1.0),
    (3000, 3, 3, 1.6),
    (600, 10, 1, 1.15),
    (900, 2, 3, 1.0),
    (900, 2, 3, 1.6),
    (100, 3, 1, 1.0),
]

FLOOR = {"percentile": 0.87, "corrected": 0.94}
"""Least coverage of 200 studies: of 95 % the standard error is 1.5 %; a percentile interval of few
patients is somewhat short."""


def truths(num_classes, images, sharpness):
    """Return every metric of the population: of 300,000 cases, zero where the model is true."""
    study = predicted_study(
        10**6, 300_000, num_classes=num_classes, images=images, sharpness=sharpness
    )
    values = score(*study[:2])
    if sharpness == 1.0:
        values |= {"ece": 0.0, "smooth_ece": 0.0, "confidence_gap": 0.0}
        values["calibration_in_the_large"] = 0.0
    return values


def holds(interval, value):
    return interval.lower <= value <= interval.upper


@pytest.mark.slow
@pytest.mark.parametrize(("n", "num_classes", "images", "sharpness"), SETTINGS)
def test_intervals_that_are_printed_hold_the_true_value(n, num_classes, images, sharpness):
    """Measured over 200 studies with 200 resamples each, in percent, over all settings.

    ECE 98.0 to 100, confidence gap 92.5 to 96.0, accuracy 92.5 to 96.0, NLL 92.5 to 96.5, Brier
    93.0 to 97.0, AUROC 92.0 to 96.5, AURC 92.5 to 96.5, E-AURC 92.5 to 96.0, AUGRC 93.0 to 97.5,
    risk at a coverage 93.5 to 98.5. Percentile intervals of the others in the settings (3000, 3, 1,
    1.0), (3000, 3, 3, 1.6) and (600, 10, 1, 1.15): ECE 0, 96, 19; AdaECE 0, 97, 1; classwise ECE 0,
    79, 0; MCE 0, 39, 0; smECE 0, 95, 82; debiased L2 84, 98, 85; KS 0, 95, 98; calibration in the
    large 0, 0, 0; coverage at 1 % risk 81, 92, 21.
    """
    true = truths(num_classes, images, sharpness)
    held = {name: [] for name, metric in METRICS.items() if metric.interval != "none"}
    for seed in range(5000, 5200):
        log_probabilities, labels, patients = predicted_study(
            seed, n, num_classes=num_classes, images=images, sharpness=sharpness
        )
        cases = prepare_cases(log_probabilities, labels)
        intervals = score_intervals([cases], patients, seed=seed, num_resamples=200)
        for name, found in held.items():
            found.append(holds(intervals[name], true[name]))
    coverage = {name: np.mean(found) for name, found in held.items()}
    low = {name: share for name, share in coverage.items() if share < FLOOR[METRICS[name].interval]}
    assert not low, (low, coverage)


PERCENTILES_THAT_FAIL = (
    "ece", "ada_ece", "classwise_ece", "mce", "smooth_ece", "ks_calibration_error",
    "calibration_in_the_large",
)  # fmt: skip


def test_percentile_intervals_of_what_takes_absolute_values_miss_a_true_zero_and_are_not_given():
    """Of 30 calibrated studies none is held: so none of these is a percentile interval."""
    for seed in range(30):
        log_probabilities, labels, patients = predicted_study(
            seed, 900, num_classes=3, images=3, sharpness=1.0
        )
        values = resample_scores(
            [prepare_cases(log_probabilities, labels)],
            patients,
            seed=seed,
            num_resamples=50,
            names=PERCENTILES_THAT_FAIL,
        )
        assert not any(holds(percentile_interval(value), 0.0) for value in values.values())
    assert {METRICS[name].interval for name in PERCENTILES_THAT_FAIL} == {"corrected", "none"}


@pytest.mark.parametrize("images", [1, 3])
def test_the_interval_of_ece_holds_the_zero_of_a_calibrated_model(images):
    held = 0
    for seed in range(40):
        log_probabilities, labels, patients = predicted_study(
            seed, 900, num_classes=3, images=images, sharpness=1.0
        )
        cases = prepare_cases(log_probabilities, labels)
        interval = score_intervals([cases], patients, seed=seed, num_resamples=50)["ece"]
        held += holds(interval, 0.0)
    # Of 95 %, four or more misses of 40 are 1 in 7; a percentile interval misses all 40.
    assert held >= 37


def test_the_interval_of_ece_excludes_zero_where_the_model_is_far_too_sure():
    log_probabilities, labels, patients = predicted_study(
        0, 3000, num_classes=3, images=3, sharpness=1.6
    )
    cases = prepare_cases(log_probabilities, labels)
    interval = score_intervals([cases], patients, seed=0, num_resamples=200)["ece"]
    # The population's is 7.4 %.
    assert 0.02 < interval.lower < 0.074 < interval.upper < 0.11


@pytest.mark.slow
def test_percentile_intervals_of_a_coverage_at_a_risk_miss_where_few_can_be_answered():
    """Measured: 21 % of 95 %, with ten classes, 600 cases and 1 % risk; 27 % at 5 % if harder."""
    name = "coverage_at_risk_1"
    true = truths(10, 1, 1.15)[name]
    held = []
    for seed in range(100):
        log_probabilities, labels, patients = predicted_study(
            seed, 600, num_classes=10, images=1, sharpness=1.15
        )
        cases = prepare_cases(log_probabilities, labels)
        values = resample_scores([cases], patients, seed=seed, num_resamples=200, names=(name,))
        held.append(holds(percentile_interval(values[name]), true))
    assert np.mean(held) < 0.5
    assert METRICS[name].interval == "none"
