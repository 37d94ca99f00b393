import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torchmetrics.functional.classification import (
    binary_calibration_error,
    multiclass_calibration_error,
)

from pipeline.errors import InputError
from pipeline.metrics.bins import BLOCK_CASES
from pipeline.metrics.calibration_error import ada_ece, classwise_ece, ece, mce
from pipeline.metrics.debiased import l2_calibration_error_debiased
from pipeline.metrics.top_label import top_label

ERRORS = [ece, ada_ece, mce]


def predictions(seed, n=500, num_classes=4):
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet(np.ones(num_classes), n)
    labels = np.where(
        rng.random(n) < 0.6, probabilities.argmax(1), rng.integers(num_classes, size=n)
    )
    return probabilities, labels


@pytest.mark.parametrize("num_bins", [1, 10, 15, 30])
def test_agrees_with_torchmetrics_away_from_edges(num_bins):
    probabilities, labels = predictions(seed=0)
    top = top_label(np.log(probabilities), labels)
    for ours, norm in ((ece, "l1"), (mce, "max")):
        theirs = multiclass_calibration_error(
            torch.tensor(probabilities), torch.tensor(labels), 4, n_bins=num_bins, norm=norm
        )
        # torchmetrics adds up in float32.
        assert ours(top.confidence, top.correct, num_bins) == pytest.approx(float(theirs), abs=2e-6)


def test_differs_from_torchmetrics_which_gives_confidence_one_a_bin_of_its_own():
    confidence, correct = np.array([1.0, 0.95]), np.array([0, 1])
    theirs = binary_calibration_error(torch.tensor(confidence), torch.tensor(correct), n_bins=10)
    assert float(theirs) == pytest.approx((abs(0 - 1.0) + abs(1 - 0.95)) / 2, abs=1e-6)
    # Both lie in (0.9, 1.0]: |(0 - 1.0) + (1 - 0.95)| / 2.
    assert ece(confidence, correct, 10) == pytest.approx(abs(0 - 1.0 + 1 - 0.95) / 2)


def test_classwise_error_is_the_mean_of_torchmetrics_binary_errors():
    probabilities, labels = predictions(seed=1)
    theirs = [
        float(
            binary_calibration_error(
                torch.tensor(probabilities[:, k]), torch.tensor(labels == k).int(), n_bins=15
            )
        )
        for k in range(4)
    ]
    assert classwise_ece(np.log(probabilities), labels) == pytest.approx(np.mean(theirs), abs=2e-6)


def test_classwise_error_counts_a_class_without_cases():
    # Class 2 is given 0.2 and never occurs; 0 and 1 are given 0.4 and occur half the time.
    log_probabilities = np.log([[0.4, 0.4, 0.2]] * 2)
    expected = (0.1 + 0.1 + 0.2) / 3
    assert classwise_ece(log_probabilities, np.array([0, 1])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("confidence", "correct", "expected"),
    [
        ([1.0], [1], (0.0, 0.0, 0.0)),
        ([1.0], [0], (1.0, 1.0, 1.0)),
        ([0.0], [0], (0.0, 0.0, 0.0)),
        ([0.0], [1], (1.0, 1.0, 1.0)),
        # 0.5 closes the lower of two bins, 0.75 lies in the upper; array_split parts them too.
        ([0.5, 0.75], [1, 1], (0.375, 0.375, 0.5)),
        # |(1 - 0.5) + (0 - 0.5)| = 0: equal confidences share a bin of mass too.
        ([0.5, 0.5], [1, 0], (0.0, 0.0, 0.0)),
        # Mass: the edge after two moves behind the third, |(1 - 0.8) 2 + (0 - 0.8)| and 1 - 0.9.
        ([0.8, 0.8, 0.8, 0.9], [1, 1, 0, 1], (0.3 / 4, 0.5 / 4, 0.3 / 4)),
        # 0.0 and 0.5 share the first bin of width: residuals 0 and 0.5.
        ([0.0, 0.5, 1.0], [0, 1, 1], (0.5 / 3, 0.5 / 3, 0.25)),
    ],
    ids=[
        "sure",
        "sure, wrong",
        "none",
        "none, right",
        "on an edge",
        "tied",
        "tied on an edge",
        "both ends",
    ],
)
def test_two_bins_by_hand(confidence, correct, expected):
    values = [error(np.array(confidence), np.array(correct), 2) for error in ERRORS]
    assert values == pytest.approx(expected)


@given(seed=st.integers(0, 2**32 - 1), n=st.integers(1, 50))
def test_errors_lie_between_zero_and_one_and_mce_above_ece(seed, n):
    rng = np.random.default_rng(seed)
    confidence, correct = rng.random(n), rng.integers(0, 2, n)
    values = [float(error(confidence, correct)) for error in ERRORS]
    assert all(0 <= value <= 1 for value in values)
    # A mean of gaps never exceeds the largest (but by rounding).
    assert values[0] <= values[2] + 1e-12


TIED = {
    "histogram": lambda rng: rng.choice([0.55, 0.7, 0.85, 0.9, 0.97], 400),
    "saturated": lambda rng: np.minimum(np.float32(rng.uniform(0.5, 1.6, 400)), 1),
    "rounded": lambda rng: np.round(rng.random(400), 2),
}
"""Confidences as a calibrator of few bins, a sure network and a spreadsheet give them."""


@pytest.mark.parametrize("kind", TIED)
@pytest.mark.parametrize("num_bins", [10, 15, 20, 30])
@pytest.mark.parametrize("error", [ada_ece, l2_calibration_error_debiased])
def test_not_even_the_last_digit_depends_on_the_order_of_tied_cases(error, num_bins, kind):
    rng = np.random.default_rng(0)
    confidence, correct = TIED[kind](rng), rng.random(400) < 0.8
    orders = [rng.permutation(400) for _ in range(20)]
    # The worst orders of all: the right ones first, and the wrong ones first.
    orders += [np.argsort(correct, kind="stable"), np.argsort(~correct, kind="stable")]
    values = {float(error(confidence[order], correct[order], num_bins)) for order in orders}
    assert len(values) == 1


def test_the_last_of_many_cases_counts_as_the_first_does():
    rng = np.random.default_rng(1)
    confidence = rng.random(2 * BLOCK_CASES + 1)
    correct = rng.random(len(confidence)) < confidence
    whole = ece(confidence, correct, weights=np.ones(len(confidence)))
    assert ece(confidence, correct) == pytest.approx(whole, rel=1e-10)
    confidence[-1] = 1.5
    with pytest.raises(InputError, match=r"confidence must lie in \[0, 1\]"):
        ece(confidence, correct)


@pytest.mark.parametrize("error", [ece, ada_ece])
def test_finds_a_known_gap(error):
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.5, 0.9, 200_000)
    correct = rng.random(200_000) < confidence - 0.1
    # Sampling error of one of 15 bins: sqrt(0.25 / 13,000) = 0.004, shrinking in their mean.
    assert error(confidence, correct) == pytest.approx(0.1, abs=0.004)
