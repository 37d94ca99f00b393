import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from pipeline.errors import InputError
from pipeline.metrics.auroc import auroc, binary_auroc


@given(seed=st.integers(0, 2**32 - 1), levels=st.sampled_from([2, 10, 10**9]))
def test_binary_area_agrees_with_scikit_learn_with_and_without_ties(seed, levels):
    rng = np.random.default_rng(seed)
    positive = rng.integers(1, levels + 1, 40) / (levels + 1)
    labels = np.append(rng.integers(0, 2, 38), [0, 1])
    log_probabilities = np.log(np.column_stack([1 - positive, positive]))
    assert auroc(log_probabilities, labels) == pytest.approx(roc_auc_score(labels, positive))


def test_many_classes_agree_with_scikit_learn_one_vs_rest():
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(4), 300)
    labels = rng.integers(0, 4, 300)
    expected = roc_auc_score(labels, probabilities, multi_class="ovr", average="macro")
    assert auroc(np.log(probabilities), labels) == pytest.approx(expected)


def test_an_absent_class_is_left_out_of_the_mean():
    rng = np.random.default_rng(1)
    probabilities, labels = rng.dirichlet(np.ones(3), 50), rng.integers(0, 2, 50)
    expected = [roc_auc_score(labels == k, probabilities[:, k]) for k in (0, 1)]
    assert auroc(np.log(probabilities), labels) == pytest.approx(np.mean(expected))


def test_ranks_cases_whose_probabilities_both_round_to_one():
    surest, sure = np.array([-np.inf, 0.0]), np.array([-40.0, -np.exp(-40.0)])
    assert np.exp(sure[1]) == np.exp(surest[1]) == 1.0
    assert auroc(np.array([sure, surest]), np.array([0, 1])) == 1.0


@given(seed=st.integers(0, 2**32 - 1))
def test_reversing_the_scores_gives_the_complement(seed):
    rng = np.random.default_rng(seed)
    scores, positive = rng.integers(0, 5, 30) / 4, np.append(rng.random(28) < 0.3, [True, False])
    ones = np.ones(30, dtype=int)
    area = binary_auroc(scores, positive, ones)
    assert binary_auroc(-scores, positive, ones) == pytest.approx(1 - area)


def test_a_resample_of_one_class_has_no_area():
    log_probabilities = np.log([[0.9, 0.1], [0.1, 0.9]])
    areas = auroc(log_probabilities, np.array([0, 1]), weights=np.array([[1.0, 1.0], [2.0, 0.0]]))
    np.testing.assert_array_equal(areas, [1.0, np.nan])


@pytest.mark.parametrize("num_classes", [2, 5])
def test_refuses_labels_of_one_class(num_classes):
    log_probabilities = np.full((3, num_classes), -np.log(num_classes))
    with pytest.raises(InputError, match="at least two classes, got class 1 alone"):
        auroc(log_probabilities, np.ones(3, dtype=int))


@pytest.mark.parametrize("num_classes", [2, 4])
def test_many_resamples_in_blocks_have_the_area_of_their_repeated_cases(monkeypatch, num_classes):
    rng = np.random.default_rng(2)
    # Rounded, so that cases tie.
    log_probabilities = rng.normal(size=(40, num_classes)).round(1)
    labels = np.append(np.arange(num_classes), rng.integers(num_classes, size=40 - num_classes))
    weights = rng.integers(0, 4, (9, 40)) + (np.arange(40) < num_classes)
    # More often than one byte can count.
    weights[4] *= 300
    monkeypatch.setattr(sys.modules[binary_auroc.__module__], "BLOCK_ELEMENTS", 90)
    together = auroc(log_probabilities, labels, weights=weights.astype(float))
    for row, area in zip(weights, together, strict=True):
        repeated = np.repeat(log_probabilities, row, axis=0), np.repeat(labels, row)
        assert area == pytest.approx(auroc(*repeated), abs=1e-14)
