import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from pipeline.artifacts import ForeignPredictions
from pipeline.tables.ood import ood_table
from pipeline.tables.parts.partners import PartnerRun


def foreign_cases(logits):
    names = np.array([f"foreign-{number}" for number in range(len(logits))])
    return ForeignPredictions(np.asarray(logits, dtype=np.float32), names, names)


def partners_of(runs, logits_of, *, name="spoons", kind="far_ood"):
    return [PartnerRun(run, name, kind, foreign_cases(logits_of(run))) for run in runs]


def test_cases_like_the_known_ones_are_told_apart_by_no_score(runs):
    table = ood_table(partners_of(runs, lambda run: run.test.predictions.logits))
    # Every known case meets itself among the foreign: as many pairs won as lost.
    np.testing.assert_allclose(table["auroc"], 0.5, atol=1e-12)
    assert (table["known"] == table["foreign"]).all()


def test_cases_of_which_a_model_knows_nothing_are_told_apart_by_every_score(runs):
    # Lower and flatter than any known case.
    table = ood_table(partners_of(runs, lambda _: np.full((40, 3), -100.0)))
    assert (table["auroc"] == 1).all()
    assert (table["fpr_at_95_tpr"] == 0).all()
    np.testing.assert_allclose(table[["aupr_in", "aupr_out"]], 1, atol=1e-12)


def test_figures_are_those_of_scikit_learn_on_the_scores_written_out(runs):
    run = runs[0]
    logits = np.random.default_rng(5).normal(scale=3, size=(70, 3)).astype(np.float32)
    table = ood_table(partners_of([run], lambda _: logits)).set_index(["calibrator", "score"])
    raw = np.concatenate([run.test.predictions.logits, logits]).astype(np.float64)
    is_known = np.arange(len(raw)) < len(raw) - 70
    temperature = run.calibrators["temperature"].temperature
    for calibrator, divisor in (("identity", 1.0), ("temperature", temperature)):
        expected = {
            "max_logit": (raw / divisor).max(axis=1),
            "energy": np.log(np.exp(raw / divisor).sum(axis=1)),
        }
        for score, values in expected.items():
            found = table.loc[(calibrator, score), "auroc"]
            assert found == pytest.approx(roc_auc_score(is_known, values), abs=1e-12)


def test_scores_of_logits_are_left_to_calibrators_that_keep_their_constant(runs, hand):
    table = ood_table(partners_of(runs, lambda run: run.test.predictions.logits))
    assert set(table["score"]) == {"max_softmax", "entropy", "max_logit", "energy"}
    run = runs[0]
    vector = type(run)(
        run.loss,
        run.seed,
        run.test,
        run.threshold,
        {"temperature": lambda logits: run.calibrators["identity"](logits)},
    )
    table = ood_table(partners_of([vector], lambda each: each.test.predictions.logits))
    assert list(table["score"]) == ["max_softmax", "entropy"]


def test_near_and_far_partners_stand_apart(runs):
    def logits(run):
        return run.test.predictions.logits

    near = partners_of(runs, logits, name="forks", kind="near_ood")
    table = ood_table([*partners_of(runs, logits), *near])
    assert table.groupby("partner")["kind"].unique().map(list).to_dict() == {
        "forks": ["near_ood"],
        "spoons": ["far_ood"],
    }
