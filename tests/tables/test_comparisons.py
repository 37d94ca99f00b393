import pandas as pd
import pytest
from scipy.stats import ttest_rel

from pipeline.tables.comparisons import comparisons_table
from pipeline.tables.differences import differences_table

ECE = {
    ("ce", "identity"): [0.10, 0.12, 0.11],
    ("ce", "ats"): [0.04, 0.05, 0.06],
    ("gce", "identity"): [0.06, 0.05, 0.08],
    ("gce", "ats"): [0.03, 0.02, 0.05],
}


@pytest.fixture
def scores():
    return pd.DataFrame(
        [
            {"loss": loss, "seed": seed, "calibrator": calibrator}
            | {"ece": value, "accuracy": 1 - value, "confidence_gap": value, "auroc": None}
            for (loss, calibrator), values in ECE.items()
            for seed, value in enumerate(values)
        ]
    )


def test_every_method_is_compared_with_the_best_of_each_metric(scores):
    table = comparisons_table(scores)
    assert (table["reference_loss"] == "gce").all()
    assert (table["reference_calibrator"] == "ats").all()
    ece = table[table["metric"] == "ece"].set_index(["loss", "calibrator"])
    assert set(ece.index) == set(ECE) - {("gce", "ats")}
    found = ece.loc[("ce", "ats")]
    # (0.04 - 0.03 + 0.05 - 0.02 + 0.06 - 0.05) / 3
    assert found["mean_difference"] == pytest.approx(0.05 / 3)
    expected = ttest_rel(ECE["ce", "ats"], ECE["gce", "ats"]).pvalue
    assert found["p_value"] == pytest.approx(expected)
    accuracy = table[table["metric"] == "accuracy"].set_index(["loss", "calibrator"])
    assert accuracy.loc[("ce", "ats")]["mean_difference"] == pytest.approx(-0.05 / 3)


def test_p_values_are_corrected_for_the_number_compared(scores):
    table = comparisons_table(scores)
    ece = table[table["metric"] == "ece"].sort_values("p_value")
    smallest = ece.iloc[0]
    assert smallest["p_value_holm"] == pytest.approx(3 * smallest["p_value"])
    assert (ece["p_value_holm"] >= ece["p_value"]).all()


def test_metrics_without_a_better_direction_or_a_value_are_left_out(scores):
    assert set(comparisons_table(scores)["metric"]) == {"accuracy", "ece"}


def test_losses_are_compared_with_the_baseline_under_the_same_calibrator(scores):
    table = differences_table(scores, "ce")
    assert (table["baseline"] == "ce").all()
    assert (table["loss"] == "gce").all()
    ece = table[table["metric"] == "ece"].set_index("calibrator")
    # (0.06 - 0.10 + 0.05 - 0.12 + 0.08 - 0.11) / 3
    assert ece.loc["identity", "mean_difference"] == pytest.approx(-0.14 / 3)
    # One loss is compared under each calibrator: nothing to correct.
    assert ece["p_value_holm"].tolist() == pytest.approx(ece["p_value"].tolist())
    assert (ece["num_pairs"] == 3).all()


def test_mean_differences_over_seeds_stand_with_students_interval(scores):
    ece = differences_table(scores, "ce").set_index(["metric", "calibrator"]).loc["ece"]
    for calibrator, row in ece.iterrows():
        found = ttest_rel(ECE["gce", calibrator], ECE["ce", calibrator]).confidence_interval(0.95)
        assert (row["lower"], row["upper"]) == pytest.approx((found.low, found.high))
    assert {"lower", "upper"} <= set(comparisons_table(scores).columns)


def test_one_seed_gives_differences_and_neither_interval_nor_p_value(scores):
    table = differences_table(scores[scores["seed"] == 0], "ce")
    assert table["mean_difference"].notna().all()
    assert table[["sd", "lower", "upper", "p_value", "p_value_holm"]].isna().all(axis=None)


def test_a_single_method_has_nothing_to_be_compared_with(scores):
    alone = scores[(scores["loss"] == "ce") & (scores["calibrator"] == "ats")]
    assert comparisons_table(alone).empty
    assert differences_table(alone, "ce").empty
