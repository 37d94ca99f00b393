import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

from pipeline.errors import InputError
from pipeline.metrics.ood import OOD_SCORES, ood_metrics


def draw(seed, num_known=40, num_foreign=25, levels=None):
    rng = np.random.default_rng(seed)
    known, foreign = rng.normal(1, 1, num_known), rng.normal(0, 1, num_foreign)
    if levels is not None:
        known, foreign = np.round(known * levels) / levels, np.round(foreign * levels) / levels
    return known, foreign


def by_scikit_learn(known, foreign):
    scores = np.concatenate([known, foreign])
    is_known = np.repeat([1, 0], [len(known), len(foreign)])
    fpr, tpr, _ = roc_curve(is_known, scores, drop_intermediate=False)
    return {
        "auroc": roc_auc_score(is_known, scores),
        "aupr_in": average_precision_score(is_known, scores),
        "aupr_out": average_precision_score(1 - is_known, -scores),
        "fpr_at_95_tpr": fpr[np.argmax(tpr >= 0.95)],
    }


@given(
    seed=st.integers(0, 2**32 - 1),
    num_known=st.integers(1, 60),
    num_foreign=st.integers(1, 60),
    levels=st.sampled_from([1, 5, None]),
)
def test_agrees_with_scikit_learn_with_and_without_ties(seed, num_known, num_foreign, levels):
    known, foreign = draw(seed, num_known, num_foreign, levels)
    assert ood_metrics(known, foreign) == pytest.approx(
        by_scikit_learn(known, foreign), rel=1e-12, abs=1e-12
    )


@given(seed=st.integers(0, 2**32 - 1))
def test_a_weight_is_the_same_as_that_many_repeats(seed):
    known, foreign = draw(seed, levels=3)
    rows = np.random.default_rng(seed).integers(0, 3, size=(4, 65))
    rows[:, [0, -1]] = 1
    together = ood_metrics(known, foreign, weights=rows)
    for place, row in enumerate(rows):
        alone = ood_metrics(np.repeat(known, row[:40]), np.repeat(foreign, row[40:]))
        assert {name: value[place] for name, value in together.items()} == pytest.approx(alone)
        assert ood_metrics(known, foreign, weights=row) == pytest.approx(alone)


@given(seed=st.integers(0, 2**32 - 1))
def test_exchanging_the_kinds_and_the_sign_exchanges_the_two_precisions(seed):
    known, foreign = draw(seed, levels=4)
    here, there = ood_metrics(known, foreign), ood_metrics(-foreign, -known)
    assert here["aupr_in"] == pytest.approx(there["aupr_out"], rel=1e-12)
    assert here["auroc"] == pytest.approx(there["auroc"], rel=1e-12)


@pytest.mark.parametrize(
    ("known", "foreign", "auroc", "aupr_in", "aupr_out", "fpr"),
    [
        pytest.param([2, 3], [0, 1], 1, 1, 1, 0, id="told apart"),
        pytest.param([0, 1], [2, 3], 0, (1 / 3 + 2 / 4) / 2, (1 / 3 + 2 / 4) / 2, 1, id="reversed"),
        pytest.param([1, 1], [1, 1, 1], 1 / 2, 2 / 5, 3 / 5, 1, id="all tied"),
        pytest.param([1], [0], 1, 1, 1, 0, id="one of each"),
    ],
)
def test_figures_at_the_edges(known, foreign, auroc, aupr_in, aupr_out, fpr):
    found = ood_metrics(np.array(known, dtype=float), np.array(foreign, dtype=float))
    expected = {"auroc": auroc, "aupr_in": aupr_in, "aupr_out": aupr_out, "fpr_at_95_tpr": fpr}
    assert found == pytest.approx(expected, rel=1e-12)


def test_95_percent_of_20_known_cases_are_19():
    known = np.arange(20.0)
    # The strictest threshold that accepts 19 of 20 is 1: it accepts the foreign case at 1.
    assert ood_metrics(known, np.array([1.0, 0.5, -1.0]))["fpr_at_95_tpr"] == 1 / 3


@pytest.mark.parametrize("name", OOD_SCORES)
def test_every_score_is_higher_for_a_sure_prediction(name):
    sure, unsure = OOD_SCORES[name](np.array([[9.0, 0.0, 0.0], [1.0, 0.5, 0.0]]))
    assert sure > unsure


@pytest.mark.parametrize(
    ("known", "foreign", "message"),
    [
        ([], [1.0], "both kinds need a case, got 0 known and 1 foreign"),
        ([1.0], [], "both kinds need a case, got 1 known and 0 foreign"),
        ([1.0], [np.nan], "scores must be finite"),
    ],
)
def test_refuses_a_comparison_with_nothing(known, foreign, message):
    with pytest.raises(InputError, match=message):
        ood_metrics(np.array(known), np.array(foreign))


def test_refuses_a_resample_without_a_foreign_case():
    with pytest.raises(InputError, match="both kinds need a case"):
        ood_metrics(np.array([1.0, 2.0]), np.array([0.0]), weights=np.array([[1, 1, 1], [2, 1, 0]]))
