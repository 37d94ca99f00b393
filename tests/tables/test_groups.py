import numpy as np
import pandas as pd
import pytest

from pipeline.metrics import METRICS
from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.group_scores import group_scores_table
from pipeline.tables.groups import groups_table
from pipeline.tables.parts.group_columns import group_columns

SIZES = {"A": 40, "B": 32, "C": 12, "D": 4}
"""C is masked with D, which alone could be found by subtraction."""


@pytest.fixture(scope="module")
def run(hand):
    """One case a patient. Of A every fourth is unsure, and of the sure ones of A every fifth wrong.

    So of A 10 of 40 are referred and 6 of the 30 answered are wrong; all others are sure and right.
    """
    site = np.repeat(list(SIZES), list(SIZES.values()))
    place = np.arange(len(site))
    unsure = (site == "A") & (place % 4 == 0)
    sure = np.flatnonzero((site == "A") & ~unsure)
    wrong = np.isin(place, sure[::5])
    return hand(
        np.where(unsure, 0.6, 0.9),
        ~wrong,
        patients=[f"p{i}" for i in place],
        groups={"site": site, "scanner": "one"},
    )


def point(threshold):
    key = {"loss": "hand", "calibrator": "identity", "seed": 0, "target": 0.05}
    return pd.DataFrame([key | {"threshold": threshold}])


@pytest.fixture(scope="module")
def groups(run):
    return groups_table([run], point(0.8)).set_index(["quantity", "group"])


def test_referred_are_counted_of_all_and_wrong_of_the_answered(groups):
    referred, wrong = groups.loc["referred", "A"], groups.loc["wrong", "A"]
    assert (referred["num_marked"], referred["num_patients"]) == (10, 40)
    assert (wrong["num_marked"], wrong["num_patients"]) == (6, 30)
    assert wrong["share"] == pytest.approx(6 / 30)
    exact = proportion_interval(6, 30)
    assert (wrong["lower"], wrong["upper"]) == (exact.lower, exact.upper)
    # Of B, C and D none of 48 is wrong.
    assert wrong["difference"] == pytest.approx(6 / 30 - 0 / 48)


def test_small_groups_are_masked_with_a_second_one(groups):
    for quantity in ("referred", "wrong"):
        shown = groups.loc[quantity]["visibility"].to_dict()
        assert shown == {"A": "full", "B": "full", "C": "masked", "D": "masked"}
        masked = groups.loc[quantity].loc[["C", "D"]]
        assert (
            masked.drop(columns=["loss", "calibrator", "seed", "target", "column"])
            .drop(columns="visibility")
            .isna()
            .all(axis=None)
        )


def test_groups_without_anybody_answered_stand_masked(run):
    table = groups_table([run], point(np.nan))
    referred = table[table["quantity"] == "referred"].set_index("group")
    wrong = table[table["quantity"] == "wrong"].set_index("group")
    assert referred.loc["A", "num_marked"] == 40
    assert set(wrong.index) == set(SIZES)
    assert (wrong["visibility"] == "masked").all()


def test_a_group_masked_among_all_is_masked_among_the_answered(hand):
    # Of the 11 of B one is answered, of C nobody else but all 12: C would be shown, B not.
    site = np.repeat(["A", "B", "C", "D"], [40, 12, 13, 4])
    sure = np.ones(len(site), dtype=bool)
    sure[(site == "C").nonzero()[0][:5]] = False
    run = hand(
        np.where(sure, 0.9, 0.6),
        np.ones(len(site)),
        patients=[f"p{i}" for i in range(len(site))],
        groups={"site": site},
    )
    table = groups_table([run], point(0.8)).set_index(["quantity", "group"])
    assert table.loc["referred", "B"]["visibility"] == "masked"
    assert table.loc["wrong", "C"]["visibility"] == "masked"
    assert table.loc["wrong", "B"]["visibility"] == "masked"


def test_a_column_with_one_group_is_left_out(run):
    assert list(group_columns(run.test.predictions.groups)) == ["site"]
    assert groups_table([run], point(0.8))["column"].unique().tolist() == ["site"]


def test_without_groups_there_are_no_rows(hand):
    run = hand([0.9, 0.8], [1, 0], patients=["a", "b"], groups={})
    assert groups_table([run], point(0.5)).empty


@pytest.fixture(scope="module")
def scored(run):
    return group_scores_table(
        run, ["identity"], ["healthy", "ill"], num_resamples=20, seed=0
    ).set_index(["column", "group", "metric"])


def test_each_group_has_the_metrics_of_its_own_cases(scored):
    accuracy = scored.loc[("site", "A", "accuracy")]
    assert accuracy["value"] == pytest.approx(34 / 40)
    assert accuracy["lower"] < accuracy["value"] < accuracy["upper"]
    assert scored.loc[("site", "B", "accuracy")]["value"] == 1.0
    # All of B are 90 % sure and right: the gap is 0.1.
    assert scored.loc[("site", "B", "ece")]["value"] == pytest.approx(0.1)


def test_groups_in_full_have_every_metric_and_masked_ones_a_row_without_numbers(scored):
    names = scored.reset_index().groupby(["column", "group"])["metric"].apply(list)
    assert names["site", "A"] == ["wrong_patients", *METRICS]
    assert names["site", "D"] == ["wrong_patients"]
    masked = scored.loc[("site", "D", "wrong_patients")]
    assert masked[["num_patients", "num_wrong", "value", "lower", "upper"]].isna().all()


def test_true_classes_are_groups_as_well(scored):
    # The six wrong ones are the healthy: too few to be shown, and the ill with them.
    assert scored.loc[("class", "healthy", "wrong_patients")]["visibility"] == "masked"
    assert scored.loc[("class", "ill", "wrong_patients")]["visibility"] == "masked"
