"""What is said of the study's patients: groups of enough, excess risk, and a reference."""

import numpy as np
import pandas as pd
import pytest

from pipeline.artifacts import Predictions
from pipeline.calibrators.identity import Identity
from pipeline.releasing.bundle import metadata
from pipeline.releasing.describing import limits, reference
from pipeline.releasing.manifest import Rule
from pipeline.releasing.reading import read_release
from pipeline.tables.parts.run import Applied, Run

RULE = Rule(
    score="confidence",
    threshold=0.6,
    unproven_threshold=None,
    target=0.1,
    delta=0.05,
    status="found",
    num_patients=100,
    num_test_patients=100,
    expected_answered=0.5,
    expected_risk=0.0,
    guarantee="A promise.",
)


def cases(**groups):
    """One case a patient: groups by name as (value, number of patients)."""
    columns = {
        name: np.repeat([value for value, _ in pairs], [n for _, n in pairs])
        for name, pairs in groups.items()
    }
    size = len(next(iter(columns.values())))
    base = {"patient": [f"p{i}" for i in range(size)], "site": None, "sex": None, "age": np.nan}
    return pd.DataFrame(base | columns)


def applied(confidence, wrong, groups=None):
    """One case a patient, of two classes."""
    n = len(confidence)
    p = np.stack([confidence, 1 - np.asarray(confidence)], axis=1)
    predictions = Predictions(
        logits=np.log(p),
        labels=np.asarray(wrong, dtype=np.int64),
        cases=np.array([f"c{i:04d}" for i in range(n)]),
        patients=np.array([f"p{i:04d}" for i in range(n)]),
        groups=pd.DataFrame(groups or {}),
    )
    return Applied(predictions, {"identity": np.log(p)})


def a_run(test):
    return Run("gce", 0, test, None, {"identity": Identity()})


NOBODY = a_run(applied([0.55] * 20, [0] * 20))


def test_a_group_of_few_patients_is_not_named_nor_one_that_would_give_it_away():
    table = cases(site=[("north", 40), ("south", 11), ("east", 4)])
    found = limits(table, NOBODY, RULE)
    # South is masked as well, since north and a total would give east.
    assert found.sites == ["north"]
    assert found.at_least == 10


def test_what_nobody_recorded_is_no_limit():
    found = limits(cases(sex=[("female", 20), ("male", 20)]), NOBODY, RULE)
    assert found.sites is None
    assert found.age_bands is None
    assert found.sexes == ["female", "male"]


def test_ages_are_bands_and_those_not_recorded_a_group_of_their_own():
    table = cases(age=[(30.0, 12), (70.0, 25), (np.nan, 15)])
    assert limits(table, NOBODY, RULE).age_bands == ["<40", "60-79", "not recorded"]


def test_a_group_that_errs_more_than_all_others_is_told():
    sites = np.repeat(["north", "south"], 100)
    wrong = np.concatenate([np.arange(100) < 40, np.arange(100) < 1]).astype(int)
    test = applied([0.9] * 200, wrong, {"site": sites})
    (found,) = limits(cases(site=[("north", 100), ("south", 100)]), a_run(test), RULE).excess_risk
    assert (found.column, found.group) == ("site", "north")
    assert found.risk == pytest.approx(0.40)
    assert found.others == pytest.approx(0.01)


def test_nobody_answered_leaves_no_risk_to_compare():
    refused = RULE.model_copy(update={"threshold": None, "status": "none"})
    sites = np.repeat(["north", "south"], 50)
    test = applied([0.9] * 100, [1] * 50 + [0] * 50, {"site": sites})
    table = cases(site=[("north", 50), ("south", 50)])
    assert limits(table, a_run(test), refused).excess_risk == []


def test_the_reference_counts_patients_out_of_scope_as_referred():
    confidence = np.linspace(0.505, 0.995, 50)
    in_scope = np.ones(50, bool)
    in_scope[-10:] = False
    held_out = applied(confidence, [0] * 50)
    found = reference(held_out, in_scope, RULE, split="threshold", classes=["a", "b"])
    answered = (confidence >= 0.6) & in_scope
    assert found.referred == pytest.approx(1 - answered.mean())
    assert found.out_of_scope == pytest.approx(0.2)
    assert found.mean_error_answered == pytest.approx(1 - confidence[answered].mean())
    assert found.prevalence == pytest.approx({"a": confidence.mean(), "b": 1 - confidence.mean()})
    assert len(found.confidence_quantiles) == 101
    assert found.confidence_quantiles[0] == pytest.approx(0.505)


def test_metadata_hold_no_text_that_monai_would_evaluate(small_release):
    release = read_release(small_release).release
    named = release.model_copy(
        update={"classes": ["$__import__('os').abort()", "@device", "%macro"]}
    )
    content = metadata(named)

    def texts(value):
        if isinstance(value, dict):
            return [text for each in value.values() for text in texts(each)]
        if isinstance(value, list):
            return [text for each in value for text in texts(each)]
        return [value] if isinstance(value, str) else []

    assert not [text for text in texts(content) if text.startswith(("$", "@", "%"))]
    assert "probability of @device" in texts(content)
