import numpy as np
import pytest

from pipeline.metrics import score
from pipeline.metrics.selection_scores import SELECTION_SCORES
from pipeline.tables.selection import selection_table


@pytest.fixture(scope="module")
def table(runs):
    return selection_table(runs)


def test_every_score_is_tried_on_every_run_and_calibrator(runs, table):
    assert len(table) == len(runs) * 2 * len(SELECTION_SCORES)
    assert set(table["score"]) == set(SELECTION_SCORES)


def test_confidence_gives_the_curve_of_the_metrics(runs, table):
    run = runs[1]
    expected = score(run.test.log_probabilities["temperature"], run.test.predictions.labels)
    rows = table[(table["loss"] == run.loss) & (table["seed"] == run.seed)]
    row = rows[(rows["calibrator"] == "temperature") & (rows["score"] == "confidence")].iloc[0]
    for metric in ("aurc", "e_aurc", "augrc", "coverage_at_risk_5", "risk_at_coverage_80"):
        assert row[metric] == pytest.approx(expected[metric], rel=1e-9, abs=1e-12)


def test_one_temperature_for_all_leaves_the_order_of_maximum_logits(table):
    rows = table[table["score"] == "max_logit"].set_index(["loss", "seed", "calibrator"])["aurc"]
    before = rows.xs("identity", level="calibrator")
    after = rows.xs("temperature", level="calibrator")
    np.testing.assert_allclose(after, before, rtol=1e-9)


def test_probabilities_brought_as_such_have_neither_a_maximum_logit_nor_an_energy(hand):
    run = hand([0.9, 0.8], [1, 0], patients=range(2), groups={"site": ["a"] * 2})
    scores = selection_table([run])["score"]
    assert scores.tolist() == ["confidence", "margin", "negative_entropy"]
