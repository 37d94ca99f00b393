import numpy as np
import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.per_class import per_class_table

TARGETS = [0.01, 0.1, 0.2]
CLASSES = ["none", "benign", "malignant"]


@pytest.fixture(scope="module")
def points(runs):
    return operating_points_table(runs, targets=TARGETS, delta=0.05)


def test_every_run_calibrator_and_target_has_a_row(points):
    assert len(points) == 4 * 2 * 3
    assert set(points["status"]) <= {"found", "none", "too_few"}


def test_a_loose_target_is_found_and_answers_more_than_a_strict_one(points):
    fair = points[(points["loss"] == "fair") & (points["calibrator"] == "temperature")]
    by_target = fair.groupby("target")["answered"].mean()
    assert (fair[fair["target"] == 0.2]["status"] == "found").all()
    assert by_target[0.2] > by_target[0.01]


def test_test_patients_are_answered_only_if_all_their_cases_pass(runs, points):
    point = points[points["status"] == "found"].iloc[-1]
    (run,) = [run for run in runs if (run.loss, run.seed) == (point["loss"], point["seed"])]
    log_probabilities = run.test.log_probabilities[point["calibrator"]]
    confidence = np.exp(log_probabilities.max(axis=1))
    wrong = log_probabilities.argmax(axis=1) != run.test.predictions.labels
    answered = failed = 0
    for patient in np.unique(run.test.predictions.patients):
        mine = run.test.predictions.patients == patient
        if (confidence[mine] >= point["threshold"]).all():
            answered += 1
            failed += wrong[mine].any()
    assert (point["answered"], point["wrong"]) == (answered, failed)
    assert point["referred"] == 150 - answered
    assert point["risk_upper"] == pytest.approx(proportion_interval(failed, answered).upper)


def test_without_a_threshold_every_patient_is_referred(points):
    without = points[points["status"] != "found"]
    assert len(without) > 0
    assert (without["answered"] == 0).all()
    assert (without["referred"] == 150).all()
    assert without["risk"].isna().all()


def test_without_threshold_cases_the_answer_is_too_few(runs_without_threshold_cases):
    points = operating_points_table(runs_without_threshold_cases, targets=[0.05], delta=0.05)
    assert (points["status"] == "too_few").all()
    assert (points["minimum_answered"] == 59).all()


def test_classes_of_a_point_are_answered_or_referred(runs, points):
    table = per_class_table(runs, CLASSES, points)
    assert len(table) == len(points) * 3
    assert (table["answered"] + table["referred"] == table["cases"]).all()
    assert (table["wrong"] <= table["answered"]).all()


def test_every_wrong_patient_is_counted_in_some_class(runs, points):
    keys = ["loss", "seed", "calibrator", "target"]
    by_class = per_class_table(runs, CLASSES, points).groupby(keys)["wrong"].sum()
    wrong = points.set_index(keys)["wrong"]
    # A patient with two images wrong may count in two classes, never in none.
    assert (by_class >= wrong[by_class.index]).all()
    assert ((by_class == 0) == (wrong[by_class.index] == 0)).all()
