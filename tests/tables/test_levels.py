import numpy as np
import pytest

from pipeline.metrics.calibration_error import ece
from pipeline.tables.class_calibration import class_calibration_table
from pipeline.tables.cox import cox_table
from pipeline.tables.levels import levels_table

CLASSES = ["none", "benign", "malignant"]


@pytest.fixture(scope="module")
def levels(runs):
    table = levels_table(runs[0], ["identity", "temperature"], num_resamples=100, seed=0)
    return table.set_index(["calibrator", "quantity"])


def test_the_gap_is_mean_confidence_less_accuracy(hand):
    run = hand([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], patients=list("abcd"), groups={})
    table = levels_table(run, ["identity"], num_resamples=50, seed=0).set_index("quantity")
    assert table.loc["gap", "value"] == pytest.approx(3.0 / 4 - 2 / 4)


def test_logits_three_times_too_sure_have_a_slope_far_below_one(levels):
    slope = levels.loc[("identity", "slope")]
    assert slope["upper"] < 0.7
    assert levels.loc[("identity", "gap")]["lower"] > 0
    # The temperature of about 3 that is found stretches the line back.
    assert levels.loc[("temperature", "slope")]["lower"] > slope["upper"]
    assert (levels["lower"] < levels["upper"]).all()


def test_a_model_that_is_always_right_has_a_gap_and_no_line(hand):
    run = hand([0.9, 0.8], [1, 1], patients=list("ab"), groups={})
    table = levels_table(run, ["identity"], num_resamples=10, seed=0).set_index("quantity")
    assert table.loc["gap", "value"] == pytest.approx(0.85 - 1)
    assert table.loc[["slope", "intercept"], ["value", "lower", "upper"]].isna().all(axis=None)


def test_classes_compare_their_mean_probability_with_their_share(hand):
    run = hand([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 1], patients=list("abcd"), groups={})
    table = class_calibration_table(
        run, ["identity"], ["healthy", "ill"], num_resamples=50, seed=0
    ).set_index("class")
    ill = table.loc["ill"]
    assert (ill["cases"], ill["share"]) == (3, 0.75)
    assert ill["mean_probability"] == pytest.approx(0.75)
    assert ill["gap"] == pytest.approx(0.0)
    assert table.loc["healthy", "gap"] == pytest.approx(0.0)
    confidence, own = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 0, 1, 1])
    assert ill["ece"] == pytest.approx(float(ece(confidence, own)))
    assert (table["gap_lower"] < table["gap"]).all()
    assert (table["gap"] < table["gap_upper"]).all()


def test_gaps_of_the_classes_sum_to_zero(runs):
    table = class_calibration_table(runs[2], ["identity"], CLASSES, num_resamples=10, seed=0)
    assert table["gap"].sum() == pytest.approx(0.0, abs=1e-12)


def test_each_class_has_its_line_or_the_reason_why_not(hand, runs):
    table = cox_table(runs, CLASSES)
    assert len(table) == 4 * 2 * 3
    sharp = table[(table["loss"] == "sharp") & (table["calibrator"] == "identity")]
    assert (sharp["slope"] < 0.7).all()
    assert sharp["reason"].isna().all()
    right = hand([0.9, 0.8], [1, 1], patients=list("ab"), groups={})
    none = cox_table([right], ["healthy", "ill"])
    assert none["slope"].isna().all()
    assert none["reason"].notna().all()
