import pandas as pd
import pytest

from pipeline.tables.parts.column import (
    CALIBRATOR,
    LOSS,
    Across,
    count,
    metric,
    number,
    points,
    share,
    text,
)
from pipeline.tables.parts.over_seeds import over_seeds
from pipeline.tables.parts.rendering import rendered
from pipeline.tables.parts.shown import Cell
from pipeline.tables.parts.wording import MASKED

NAN = float("nan")


def cells(columns, **values):
    (row,) = rendered("name", "Caption.", columns, pd.DataFrame([values])).rows
    return row


def test_columns_without_a_label_are_left_out_and_leading_keys_name_the_row():
    frame = pd.DataFrame({"loss": ["gce"], "calibrator": ["ats"], "cases": [3], "risk": [0.5]})
    table = rendered("name", "A  b.", [LOSS, CALIBRATOR, count("cases", "Cases")], frame)
    assert [column.label for column in table.columns] == ["Loss", "Calibrator", "Cases"]
    assert (table.headings, table.caption) == (2, "A b.")
    assert table.rows == ((Cell("gce"), Cell("ats"), Cell("3")),)
    assert table.frame is frame


def test_a_count_has_its_total_behind_it_and_its_rate_and_interval_beneath():
    column = count("wrong", "Wrong", of="cases", rate="risk", ends=("lower", "upper"))
    values = {"wrong": 7, "cases": 1412, "lower": 0.002, "upper": 0.01}
    assert cells([column], **values, risk=0.005) == (Cell("7 of 1,412", "0.5% (0.2–1.0%)"),)
    assert cells([column], **values, risk=NAN) == (Cell("7 of 1,412", "(0.2–1.0%)"),)


@pytest.mark.parametrize(
    ("column", "beneath"),
    [
        (number("x", "X", digits=2, ends=("lower", "upper")), "0.10–0.30"),
        (share("x", "X", ends=("lower", "upper")), "10.0–30.0%"),
        (points("x", "X", ends=("lower", "upper")), "+10.0 to +30.0"),
    ],
)
def test_an_interval_stands_beneath_its_value(column, beneath):
    assert cells([column], x=0.2, lower=0.1, upper=0.3)[0].detail == beneath
    assert cells([column], x=0.2, lower=NAN, upper=NAN)[0].detail == ""


def test_an_interval_that_begins_below_zero_has_a_word_between_its_ends():
    (cell,) = cells([number("x", "X", digits=1, ends=("low", "high"))], x=0, low=-1, high=2)
    assert cell.detail == "−1.0 to 2.0"


def test_a_metric_is_written_in_its_unit_with_its_deviation_and_mark():
    column = metric("ece", "mean", sd="sd", mark="mark")
    assert column.heading.unit == "%"
    assert cells([column], mean=0.0123, sd=0.001, mark="best") == (
        Cell("1.23 ±\u20090.10", mark="best"),
    )
    assert cells([column], mean=0.0123, sd=NAN, mark="") == (Cell("1.23"),)


def test_a_row_without_its_first_count_is_masked_but_for_what_is_open():
    columns = [
        text("class", "Class", key=True),
        count("cases", "Cases", disclosure="count"),
        share("risk", "Risk", disclosure="rate"),
        text("reason", "Why", disclosure="rate", write=lambda row: row["reason"]),
    ]
    hidden = cells(columns, **{"class": "a", "cases": NAN, "risk": NAN, "reason": ""})
    assert [cell.text for cell in hidden] == ["a", MASKED, MASKED, MASKED]


def test_a_count_that_is_hidden_alone_is_masked_alone_and_an_undefined_rate_is_a_dash():
    columns = [count(name, name, disclosure="count") for name in ("cases", "wrong")]
    shown = cells([*columns, share("risk", "Risk")], cases=40, wrong=NAN, risk=NAN)
    assert [cell.text for cell in shown] == ["40", MASKED, "–"]


def test_rows_with_the_same_keys_stand_side_by_side():
    frame = pd.DataFrame(
        [("b", "ece", 0.01), ("a", "ece", 0.02), ("b", "nll", 0.3)],
        columns=["loss", "metric", "mean"],
    )
    across = Across("metric", ["nll", "ece"], lambda key: metric(key, "mean"))
    table = rendered("name", "Caption.", [LOSS], frame, across=across)
    assert [column.label for column in table.columns] == ["Loss", "NLL", "ECE"]
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["b", "0.300", "1.00"],
        ["a", "–", "2.00"],
    ]


def test_marked_rows_are_set_apart():
    frame = pd.DataFrame({"loss": ["a", "b"]})
    assert rendered("n", "C.", [LOSS], frame, marked=lambda row: row["loss"] == "b").marked == {1}


def test_seeds_become_mean_and_deviation_beside_what_they_share():
    rows = pd.DataFrame(
        {"loss": ["b", "b", "a"], "cases": [9, 9, 5], "ece": [0.1, 0.3, 0.4]},
    )
    found = over_seeds(rows, ["loss"], ["ece"])
    assert found["loss"].tolist() == ["b", "a"]
    assert found["cases"].tolist() == [9, 5]
    # The deviation of two values is their distance over the root of two.
    assert found["ece"].tolist() == pytest.approx([0.2, 0.4])
    assert found["ece_sd"].tolist() == pytest.approx([0.2 / 2**0.5, NAN], nan_ok=True)
