import numpy as np
import pandas as pd
import pytest

from pipeline.tables.costs import costs_table
from pipeline.tables.net_benefit import NO_MODEL, REFERRAL_COST, net_benefit_table

CLASSES = ["healthy", "ill"]


@pytest.fixture(scope="module")
def run(hand):
    """Patients: a, sure and right; b, one image unsure and both right; c, sure and wrong; d, unsure
    and wrong."""
    return hand(
        [0.9, 0.9, 0.6, 0.8, 0.7], [1, 1, 1, 0, 0], patients=["a", "b", "b", "c", "d"], groups={}
    )


def point(threshold):
    key = {"loss": "hand", "calibrator": "identity", "seed": 0, "target": 0.05}
    return pd.DataFrame([key | {"threshold": threshold}])


def test_a_referral_costs_one_and_an_error_its_weight(run):
    table = costs_table([run], point(0.75), num_resamples=20, seed=0)
    cost = table.set_index(["policy", "weight"])["cost"]
    # Of four patients b and d are referred, and c is answered wrongly.
    assert cost["model", 10.0] == pytest.approx(1000 * (2 + 10 * 1) / 4)
    assert cost["answer_all", 10.0] == pytest.approx(1000 * 10 * 2 / 4)
    assert cost["refer_all", 10.0] == pytest.approx(1000)
    assert cost["refer_at_random", 10.0] == pytest.approx(1000 * (0.5 + 10 * 0.5 * 0.5))
    assert (table["lower"] <= table["cost"]).all()
    assert (table["cost"] <= table["upper"]).all()


def test_without_a_threshold_the_model_refers_all(run):
    cost = costs_table([run], point(np.nan), num_resamples=5, seed=0).set_index("policy")["cost"]
    assert set(cost["model"]) == {1000.0}


@pytest.fixture(scope="module")
def benefit(run):
    table = net_benefit_table(run, point(0.75), CLASSES, ["ill"], num_resamples=20, seed=0)
    return table.set_index(["policy", "threshold_probability"])["net_benefit"]


def test_a_patient_has_the_largest_probability_of_their_images(benefit):
    # a and b are ill, with 0.9 each; c and d are not, with 0.8 and 0.7.
    assert benefit["model", 0.5] == pytest.approx((2 - 2 * 1) / 4)
    assert benefit["model", 0.2] == pytest.approx((2 - 2 * 0.2 / 0.8) / 4)
    assert benefit["act_on_all", 0.2] == pytest.approx(benefit["model", 0.2])
    assert benefit["act_on_none", 0.2] == 0.0


def test_a_perfect_reader_finds_who_is_referred_at_a_cost(benefit):
    # b is found and d is not acted on; a is found and c acted on by the model.
    expected = (2 - 1 * 0.5 / 0.5) / 4 - REFERRAL_COST * 2 / 4
    assert benefit["model_with_referral", 0.5] == pytest.approx(expected)
    assert benefit["refer_all", 0.5] == pytest.approx(2 / 4 - REFERRAL_COST)


def test_policies_without_a_model_stand_once_and_belong_to_nobody(runs):
    points = pd.DataFrame(
        [
            {"loss": "fair", "calibrator": name, "seed": 0, "threshold": 0.8}
            for name in ("identity", "temperature")
        ]
    )
    table = net_benefit_table(
        runs[2], points, ["none", "benign", "malignant"], ["malignant"], num_resamples=5, seed=0
    )
    without = table[table["policy"].isin(NO_MODEL)]
    assert (without[["loss", "calibrator"]] == "").all(axis=None)
    assert not without.duplicated(["policy", "threshold_probability"]).any()
    assert set(table[table["policy"] == "model"]["calibrator"]) == {"identity", "temperature"}


def test_without_a_critical_class_there_is_nothing_to_act_on(run):
    assert net_benefit_table(run, point(0.5), CLASSES, [], num_resamples=5, seed=0).empty
