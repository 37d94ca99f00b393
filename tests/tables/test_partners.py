import numpy as np
import pytest

from pipeline.artifacts import ForeignPredictions
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.parts.partners import PartnerRun, foreign, labelled, threshold_at


def as_foreign(predictions):
    return ForeignPredictions(predictions.logits, predictions.cases, predictions.patients)


@pytest.fixture(scope="module")
def partners(runs):
    run, test = runs[0], runs[0].test.predictions
    return [
        PartnerRun(run, "spoons", "far_ood", as_foreign(test)),
        PartnerRun(run, "noisy", "corruption", test),
        PartnerRun(run, "south", "site", test),
    ]


def test_cases_without_labels_are_told_from_those_that_have_them(partners):
    assert [each.partner for each in foreign(partners)] == ["spoons"]
    assert [each.partner for each, _ in labelled(partners, "corruption", "site")] == [
        "noisy",
        "south",
    ]
    assert [each.partner for each, _ in labelled(partners, "site")] == ["south"]


def test_a_partner_gets_what_the_calibrators_fitted_at_home_make_of_its_logits(partners):
    for each in partners:
        for calibrator, known in each.run.test.log_probabilities.items():
            np.testing.assert_array_equal(each.log_probabilities(calibrator), known)


def test_the_threshold_is_that_of_the_operating_points(runs, partners):
    points = operating_points_table(runs, targets=[1e-6, 0.2], delta=0.05)
    for run in runs:
        own = points[(points["loss"] == run.loss) & (points["seed"] == run.seed)]
        for row in own.to_dict("records"):
            found = threshold_at(points, run, row["calibrator"], row["target"])
            np.testing.assert_equal(found, row["threshold"])
    # One error in a million cannot be shown with 400 patients: nobody is answered.
    assert np.isnan(threshold_at(points, runs[0], "identity", 1e-6))
    assert threshold_at(points, runs[0], "identity", 0.2) > 0
