import subprocess
import sys

import numpy as np
import pytest
import torch
from probmetrics.metrics import (
    Accuracy,
    AUROCOneVsRestSklearn,
    BrierLoss,
    CalibrationError,
    KolmogorovSmirnovCalibrationMetric,
    LogLoss,
)

from pipeline.errors import InputError
from pipeline.metrics import METRICS, NUM_BINS, evaluate, prepare_cases, score

KEYS = {
    *("accuracy", "balanced_accuracy", "macro_f1", "auroc", "nll", "brier"),
    *("ece", "ada_ece", "classwise_ece", "mce", "aurc", "e_aurc", "augrc"),
}


def predictions(seed, n=60, num_classes=4, *, levels=None):
    """Draw probabilities (of few distinct values, so that cases tie) and labels they foretell."""
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(num_classes), n)
    if levels is not None:
        probabilities = np.round(probabilities * levels) + 1.0
        probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(num_classes, p=row) for row in probabilities])
    labels[:num_classes] = np.arange(num_classes)
    return np.log(probabilities), labels


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("levels", [None, 4], ids=["distinct", "tied"])
def test_a_weight_is_the_same_as_repeating_the_case(name, levels):
    log_probabilities, labels = predictions(seed=0, levels=levels)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, (5, len(labels)))
    weights[:, :4] += 1
    together = METRICS[name](prepare_cases(log_probabilities, labels), weights.astype(float))
    for row, value in zip(weights, together, strict=True):
        repeated = prepare_cases(np.repeat(log_probabilities, row, axis=0), np.repeat(labels, row))
        # Sums in another order: rounding alone. Smooth ECE stops within 1e-5 of its fixed point.
        tolerance = 1e-5 if name == "smooth_ece" else 1e-12
        assert value == pytest.approx(float(METRICS[name](repeated)), abs=tolerance)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("levels", [None, 4], ids=["distinct", "tied"])
def test_the_order_of_the_cases_does_not_matter(name, levels):
    log_probabilities, labels = predictions(seed=2, levels=levels)
    order = np.random.default_rng(3).permutation(len(labels))
    shuffled = METRICS[name](prepare_cases(log_probabilities[order], labels[order]))
    expected = METRICS[name](prepare_cases(log_probabilities, labels))
    # Sums in another order: rounding alone.
    assert shuffled == pytest.approx(float(expected), abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_one_row_of_weights_is_worth_a_block_of_one(name):
    cases = prepare_cases(*predictions(seed=2))
    weights = np.random.default_rng(3).integers(1, 4, len(cases.labels)).astype(float)
    alone = METRICS[name](cases, weights)
    (in_block,) = METRICS[name](cases, weights[None])
    assert np.ndim(alone) == 0
    assert in_block == pytest.approx(float(alone), abs=1e-12)


@pytest.mark.parametrize("name", METRICS)
def test_shared_evaluation_equals_the_metric_alone(name):
    cases = prepare_cases(*predictions(seed=4))
    weights = np.random.default_rng(5).integers(1, 4, (3, len(cases.labels))).astype(float)
    np.testing.assert_array_equal(evaluate(cases, weights)[name], METRICS[name](cases, weights))


OF_PROBMETRICS = {
    "accuracy": (Accuracy(), 1e-6),
    "nll": (LogLoss(), 1e-6),
    "brier": (BrierLoss(), 1e-6),
    "auroc": (AUROCOneVsRestSklearn(), 1e-6),
    "ece": (CalibrationError(n_bins=NUM_BINS, norm="l1"), 1e-6),
    "mce": (CalibrationError(n_bins=NUM_BINS, norm="max"), 1e-6),
}
"""What probmetrics defines alike, and how closely: it answers in float32.

Its smooth ECE is another package's, its L2 calibration error keeps the bias that ours takes off.
"""


@pytest.mark.parametrize("name", OF_PROBMETRICS)
def test_agrees_with_probmetrics_where_it_defines_the_same(name):
    metric, tolerance = OF_PROBMETRICS[name]
    log_probabilities, labels = predictions(seed=6, n=2_000)
    theirs = metric.compute_from_labels_logits(
        torch.from_numpy(labels), torch.from_numpy(log_probabilities)
    )
    assert score(log_probabilities, labels)[name] == pytest.approx(float(theirs), abs=tolerance)


def test_ks_error_agrees_with_probmetrics_where_one_class_is_always_predicted():
    # Theirs sorts by the probability of class 1, ours by that of the predicted class.
    rng = np.random.default_rng(7)
    confidence = rng.uniform(0.5, 1.0, 2_000)
    labels = (rng.random(2_000) < confidence - 0.05).astype(int)
    log_probabilities = np.log(np.column_stack([1 - confidence, confidence]))
    theirs = KolmogorovSmirnovCalibrationMetric().compute_from_labels_logits(
        torch.from_numpy(labels), torch.from_numpy(log_probabilities)
    )
    # Two thousand sums in float32.
    assert score(log_probabilities, labels)["ks_calibration_error"] == pytest.approx(
        float(theirs), abs=1e-5
    )


def test_scores_every_metric_once_in_the_order_of_tables():
    scores = score(*predictions(seed=6))
    assert list(scores) == list(METRICS)
    assert set(scores) >= KEYS
    assert all(type(value) is float and np.isfinite(value) for value in scores.values())


@pytest.mark.parametrize(
    ("log_probabilities", "labels"),
    [
        ([[0.0, -np.inf]], [0]),
        ([[0.0, -np.inf]], [1]),
        ([[-104.0, 0.0]], [1]),
        (np.log([[0.5, 0.5]]), [0]),
        (np.log([[0.25, 0.25, 0.5]] * 3), [2, 2, 2]),
    ],
    ids=["certain", "certain, wrong", "saturated", "undecided", "an absent class"],
)
def test_a_single_class_has_every_number_but_auroc(log_probabilities, labels):
    scores = score(np.array(log_probabilities), np.array(labels))
    assert [name for name, value in scores.items() if value is None] == ["auroc"]
    assert not any(np.isnan(value) for value in scores.values() if value is not None)


def test_float32_scores_as_its_own_values_do_in_float64():
    log_probabilities, labels = predictions(seed=7)
    narrow = log_probabilities.astype(np.float32)
    assert score(narrow, labels) == score(narrow.astype(np.float64), labels)


def test_perfect_predictions_score_the_best_of_every_metric():
    log_probabilities = np.where(np.eye(3) > 0, 0.0, -np.inf)
    scores = score(log_probabilities, np.arange(3))
    best = {"lower": 0.0, "higher": 1.0, "zero": 0.0}
    assert scores == {name: best[metric.better] for name, metric in METRICS.items()}


def test_the_number_of_bins_reaches_the_binned_errors_alone():
    log_probabilities, labels = predictions(seed=8)
    # Labels in another order, so that no debiased error is cut at zero.
    coarse, fine = (score(log_probabilities, labels[::-1], num_bins) for num_bins in (1, 30))
    changed = {name for name in METRICS if coarse[name] != fine[name]}
    binned = {"ece", "ada_ece", "classwise_ece", "mce", "l2_calibration_error_debiased"}
    assert changed == binned


def test_labels_and_descriptions_tell_metrics_apart():
    assert len({metric.label for metric in METRICS.values()}) == len(METRICS)
    assert all(metric.description.endswith(".") for metric in METRICS.values())


def test_only_calibration_errors_and_coverages_at_a_risk_have_no_interval():
    # `RESAMPLED_ECE` says so on pages.
    without = {name for name, metric in METRICS.items() if metric.interval == "none"}
    errors = {name for name in without if METRICS[name].kind == "calibration"}
    assert without - errors == {f"coverage_at_risk_{percent}" for percent in (1, 2, 5, 10)}
    corrected = [name for name, metric in METRICS.items() if metric.interval == "corrected"]
    assert corrected == ["ece"]


def test_refuses_logits():
    with pytest.raises(InputError, match="were these logits"):
        score(np.array([[3.0, 1.0]]), np.array([0]))


def test_imports_neither_torch_nor_scipy_nor_scikit_learn():
    program = (
        "import sys, pipeline.metrics, pipeline.metrics.bootstrap, pipeline.metrics.groups\n"
        "print({'torch', 'scipy', 'sklearn', 'pandas'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr
