import numpy as np
import pandas as pd
import pytest

from pipeline.artifacts import Predictions
from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.parts.partners import PartnerRun
from pipeline.tables.runs import runs_table
from pipeline.tables.shift import shift_table

TARGET = 0.2
NUMBERS = ["accuracy", "nll", "ece", "brier"]
DECISIONS = ["threshold", "answered", "wrong", "coverage", "risk", "risk_lower", "risk_upper"]


@pytest.fixture(scope="module")
def points(runs):
    return operating_points_table(runs, targets=[1e-6, TARGET], delta=0.05)


def in_views(predictions, *views):
    """The same cases once for each view, as a corrupted set holds them."""
    times = len(views)
    return Predictions(
        logits=np.tile(predictions.logits, (times, 1)),
        labels=np.tile(predictions.labels, times),
        cases=np.array([f"{case}, {view}" for view in views for case in predictions.cases]),
        patients=np.tile(predictions.patients, times),
        groups=pd.DataFrame({"site": np.repeat(views, len(predictions))}),
    )


def table_of(runs, points, *views, kind="corruption", target=TARGET):
    partners = [
        PartnerRun(run, "partner", kind, in_views(run.test.predictions, *views)) for run in runs
    ]
    return shift_table(partners, points, target)


def test_undamaged_cases_give_the_numbers_of_the_clean_ones(runs, points):
    table = table_of(runs, points, "jpeg 1")
    clean, damaged = (table[table["view"] == view] for view in ("clean", "jpeg 1"))
    columns = ["cases", "patients", *NUMBERS, *DECISIONS]
    pd.testing.assert_frame_equal(
        clean[columns].reset_index(drop=True), damaged[columns].reset_index(drop=True)
    )


def test_the_clean_row_is_that_of_the_runs_and_of_the_operating_points(runs, points):
    keys = ["loss", "calibrator", "seed"]
    clean = table_of(runs, points, "jpeg 1").query("view == 'clean'").set_index(keys)
    scores = runs_table(runs).set_index(keys)
    at_target = points[points["target"] == TARGET].set_index(keys)
    for key, row in clean.iterrows():
        for name in NUMBERS:
            assert row[name] == pytest.approx(scores.loc[key, name], rel=1e-12)
        for name in ("threshold", "answered", "wrong", "risk", "risk_lower", "risk_upper"):
            np.testing.assert_equal(row[name], at_target.loc[key, name])
        assert row["coverage"] == row["answered"] / at_target.loc[key, "num_test"]


def test_a_view_says_its_corruption_and_severity_and_a_site_neither(runs, points):
    table = table_of(runs[:1], points, "gaussian noise 3", "jpeg 5")
    first = table[table["calibrator"] == "identity"]
    assert first["view"].tolist() == ["clean", "gaussian noise 3", "jpeg 5"]
    assert first["severity"].tolist() == [0, 3, 5]
    assert first["corruption"].fillna("").tolist() == ["", "gaussian noise", "jpeg"]
    sites = table_of(runs[:1], points, "ward 3", "south", kind="site")
    first = sites[sites["calibrator"] == "identity"]
    assert first["view"].tolist() == ["clean", "ward 3", "south"]
    assert first["severity"].tolist() == [0, 0, 0]
    assert first["corruption"].isna().all()


def test_a_patient_is_answered_whole_and_the_threshold_stays_where_it_was(hand):
    groups = {"site": ["south"] * 4}
    run = hand([0.9, 0.8, 0.95, 0.7], [1, 0, 1, 1], patients=list("aabb"), groups=groups)
    there = hand(
        [0.9, 0.92, 0.99, 0.6], [1, 0, 1, 1], patients=list("ccde"), groups=groups
    ).test.predictions
    points = pd.DataFrame(
        [{"loss": "hand", "seed": 0, "calibrator": "identity", "target": 0.1, "threshold": 0.85}]
    )
    table = shift_table([PartnerRun(run, "elsewhere", "site", there)], points, 0.1)
    clean, south = table.to_dict("records")
    # Both patients of home have an image below 0.85.
    assert (clean["patients"], clean["answered"], clean["coverage"]) == (2, 0, 0)
    assert pd.isna(clean["risk"])
    # c is answered, wrongly in one of two images; d rightly; e is referred.
    assert (south["cases"], south["patients"]) == (4, 3)
    assert (south["answered"], south["wrong"]) == (2, 1)
    assert (south["coverage"], south["risk"]) == (2 / 3, 1 / 2)
    interval = proportion_interval(1, 2)
    assert (south["risk_lower"], south["risk_upper"]) == (interval.lower, interval.upper)


def test_without_a_threshold_nobody_is_answered_and_there_is_no_risk(runs, points):
    table = table_of(runs, points, "jpeg 1", target=1e-6)
    assert table["threshold"].isna().all()
    assert (table["answered"] == 0).all()
    assert table["risk"].isna().all()


def test_confident_nonsense_lowers_accuracy_and_raises_the_error(runs, points):
    generator = np.random.default_rng(0)
    partners = []
    for run in runs:
        test = in_views(run.test.predictions, "gaussian noise 5")
        noise = generator.normal(scale=30, size=test.logits.shape).astype(np.float32)
        changed = Predictions(**(vars(test) | {"logits": test.logits + noise}))
        partners.append(PartnerRun(run, "noisy", "corruption", changed))
    table = shift_table(partners, points, TARGET)
    clean, damaged = (
        table[table["view"] == view].reset_index() for view in ("clean", "gaussian noise 5")
    )
    assert (damaged["accuracy"] < clean["accuracy"]).all()
    for name in ("nll", "ece", "brier"):
        assert (damaged[name] > clean[name]).all()
