import pandas as pd

from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import MASKED, interval
from pipeline.tables.prediction_sets import (
    kept_sentence,
    shown_prediction_sets,
    shown_prediction_sets_by_class,
)
from tests.report.test_answers import small_class

NAN = float("nan")


def promised(scores, name):
    rows = pick(scores.frame("prediction_sets"), method="marginal", level=0.9, calibrator="ats")
    return pick(rows, **{"class": name}).iloc[0]


def test_coverage_is_a_count_with_its_exact_interval(screening):
    row = promised(screening, "")
    cells = next(
        each for each in shown_prediction_sets(screening).rows
        if [cell.text for cell in each[:3]] == ["marginal", "90%", "ats"]
    )  # fmt: skip
    assert cells[3].text == f"{row['covered']} of {row['cases']}"
    assert interval(row["lower"], row["upper"]) in cells[3].detail
    assert cells[5].text == f"{row['mean_size']:.2f}"


def test_the_least_held_class_is_one_that_may_be_shown(screening):
    few = small_class(screening, 20)
    rows = pick(few.frame("prediction_sets"), method="marginal", level=0.9, calibrator="ats")
    judged = rows[rows["class"].isin(["normal", "benign"])]
    least = judged.loc[judged["coverage"].idxmin(), "class"]
    table = shown_prediction_sets(few)
    assert {row[4].detail.split(" ")[0] for row in table.rows} <= {"normal", "benign"}
    assert f"% of {least})" in table.caption


def test_each_class_stands_under_both_promises(screening):
    row = promised(screening, "malignant")
    table = shown_prediction_sets_by_class(screening)
    assert [column.label for column in table.columns[1:]] == [
        "marginal", "marginal", "class-conditional", "class-conditional",
    ]  # fmt: skip
    cells = next(each for each in table.rows if each[0].text == "malignant")
    assert cells[1].text == f"{row['covered']} of {row['cases']}"


def test_small_classes_are_masked_or_have_no_rate(screening):
    table = shown_prediction_sets_by_class(small_class(screening, 20))
    cells = next(each for each in table.rows if each[0].text == "malignant")
    assert all(cell.detail.startswith("(") for cell in cells[1:])
    assert pick(table.frame, **{"class": "malignant"})["coverage"].isna().all()
    table = shown_prediction_sets_by_class(small_class(screening, 9))
    hidden = [each[0].text for each in table.rows if each[1].text == MASKED]
    numbers = table.frame[table.frame["class"].isin(hidden)][["cases", "covered", "lower"]]
    assert len(hidden) == 2
    assert numbers.isna().all(axis=None)


def sets_of(*rows):
    return pd.DataFrame([{"class": name, "level": 0.9, "upper": upper} for name, upper in rows])


def test_that_no_interval_lies_below_is_said_of_every_class_as_well():
    assert kept_sentence(sets_of(("", 0.93), ("a", 0.95), ("b", 0.91), ("hidden", NAN))) == (
        "Of 1 interval over all classes and 2 of single classes none lies wholly below its level."
    )


def test_a_class_whose_interval_lies_below_is_named_though_all_together_are_held():
    # 64 %, from 53.8 to 73.4 %, against 90 %.
    assert kept_sentence(sets_of(("", 0.93), ("a", 0.734), ("b", 0.95))) == (
        "The whole interval lies below the level in 0 of 1 over all classes and in 1 of 2 of "
        "single classes (a)."
    )
