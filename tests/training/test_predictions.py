import numpy as np
import pytest

from pipeline.artifacts import Prepared
from pipeline.errors import InputError
from pipeline.training.predictions import age_band, join_predictions, require_every_class
from tests.training.examples import make_cases


def make_prepared(cases=None):
    cases = make_cases(8) if cases is None else cases
    return Prepared(images=np.zeros((len(cases), 2, 2, 1)), cases=cases, card={"reuse": {}})


def test_each_row_of_logits_meets_its_own_case():
    logits = np.arange(6, dtype=np.float32).reshape(2, 3)
    joined = join_predictions(make_prepared(), np.array([5, 2]), logits)
    assert joined.logits.dtype == np.float32
    assert joined.cases.tolist() == ["case-5", "case-2"]
    assert joined.patients.tolist() == ["patient-2", "patient-1"]
    assert joined.labels.tolist() == [5 % 3, 2 % 3]
    assert joined.groups["site"].tolist() == ["north", "south"]
    assert joined.groups["sex"].tolist() == ["female", "female"]
    # The example's ages go round 12, 47.5, 63, 88 and none.
    assert joined.groups["age_band"].tolist() == ["<40", "60-79"]
    assert joined.truth is None


def test_known_truths_come_along():
    cases = make_cases(4)
    cases["truth"] = [[0.5, 0.3, 0.2], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.2, 0.2, 0.6]]
    joined = join_predictions(make_prepared(cases), np.array([3, 0]), np.zeros((2, 3)))
    assert joined.truth.tolist() == [[0.2, 0.2, 0.6], [0.5, 0.3, 0.2]]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "<40"),
        (39.9, "<40"),
        (40, "40-59"),
        (60, "60-79"),
        (79.99, "60-79"),
        (80, ">=80"),
        (130, ">=80"),
        (None, "not recorded"),
        (float("nan"), "not recorded"),
    ],
)
def test_ages_fall_into_bands_that_begin_at_their_name(age, band):
    assert age_band(age) == band


def test_refuses_a_class_without_a_training_case():
    labels = np.array([0, 0, 2])
    with pytest.raises(InputError, match="data set scans: no training case of class b, d"):
        require_every_class(labels, ["a", "b", "c", "d"], dataset="scans")


def test_accepts_one_training_case_of_each_class():
    require_every_class(np.array([2, 0, 1]), ["a", "b", "c"], dataset="scans")
