import numpy as np
import pytest

from pipeline.metrics.selection_scores import SELECTION_SCORES
from pipeline.tables.class_risk import class_risk_table

CLASSES = ["none", "benign", "malignant"]


@pytest.fixture(scope="module")
def table(runs):
    return class_risk_table(runs[2], ["identity", "temperature"], CLASSES)


def test_every_score_calibrator_and_class_has_a_row(table):
    assert len(table) == 2 * len(SELECTION_SCORES) * 3
    assert set(table["class"]) == set(CLASSES)


def test_cases_and_misses_of_a_class_are_counted(runs, table):
    test = runs[2].test
    labels = test.predictions.labels
    missed = test.log_probabilities["temperature"].argmax(axis=1) != labels
    rows = table[table["calibrator"].eq("temperature") & table["score"].eq("confidence")]
    assert rows["cases"].tolist() == np.bincount(labels).tolist()
    assert rows["missed"].tolist() == [int(missed[labels == label].sum()) for label in range(3)]


def test_a_class_is_ranked_among_its_own_cases(hand):
    # Of the healthy, all read as ill, the wrong ones; of the ill, all right: (1/1 + 2/2) / 2 and 0.
    run = hand([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], patients=range(4), groups={"site": ["a"] * 4})
    table = class_risk_table(run, ["identity"], ["healthy", "ill"])
    rows = table[table["score"] == "confidence"].set_index("class")
    assert rows["aurc"].to_dict() == {"healthy": 1.0, "ill": 0.0}
    assert rows["coverage_at_risk_5"].to_dict() == {"healthy": 0.0, "ill": 1.0}


def test_the_order_in_which_a_class_is_answered_does_not_change_what_answering_all_misses(table):
    keys = ["calibrator", "class"]
    assert (table.groupby(keys)["missed"].nunique() == 1).all()
    bounds = table.groupby(keys)["augrc"].max() <= table.groupby(keys)["missed"].first()
    assert bounds.all()


def test_a_class_without_cases_has_counts_and_no_areas(hand):
    run = hand([0.9, 0.8], [1, 1], patients=range(2), groups={"site": ["a"] * 2})
    rows = class_risk_table(run, ["identity"], ["healthy", "ill"])
    absent = rows[rows["class"] == "healthy"]
    assert (absent["cases"] == 0).all()
    assert absent["aurc"].isna().all()
