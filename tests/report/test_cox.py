import numpy as np

from pipeline.tables.cox import shown_cox
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import MASKED
from tests.report.test_answers import small_class


def cells_of(table, name, calibrator):
    return next(row for row in table.rows if (row[0].text, row[1].text) == (name, calibrator))


def test_a_line_is_the_mean_over_seeds_with_its_deviation(screening):
    rows = pick(screening.frame("cox"), loss="gce", calibrator="ats", **{"class": "benign"})
    slopes = rows["slope"]
    cells = cells_of(shown_cox(screening), "benign", "ats")
    assert cells[4].text == f"{slopes.mean():.2f} ±\u2009{slopes.std():.2f}"
    shift = rows["intercept_at_slope_one"]
    assert cells[3].text == f"{shift.mean():.2f} ±\u2009{shift.std():.2f}".replace("-", "−")


def test_seeds_without_a_line_are_said(screening):
    frame = screening.frame("cox").copy()
    own = (frame["loss"] == "gce") & (frame["calibrator"] == "ats") & (frame["class"] == "benign")
    frame.loc[own & (frame["seed"] == 0), ["slope", "intercept_at_slope_one"]] = np.nan
    cells = cells_of(shown_cox(screening.having(cox=frame)), "benign", "ats")
    assert cells[4].detail == "2 of 3 seeds have a line"
    frame.loc[own, ["slope", "intercept_at_slope_one"]] = np.nan
    cells = cells_of(shown_cox(screening.having(cox=frame)), "benign", "ats")
    assert cells[4].text == "no line"


def test_the_sentence_counts_the_classes_that_are_too_extreme(screening):
    rows = pick(screening.frame("cox"), loss="gce", calibrator="ats")
    extreme = (rows.groupby("class")["slope"].mean() < 1).sum()
    said = f"(ats) the mean slope is below 1 in {extreme} of 3 classes with a line."
    assert said in shown_cox(screening).caption


def test_a_masked_class_has_no_number_on_the_page_or_in_the_file(screening):
    table = shown_cox(small_class(screening, 9))
    hidden = {row[0].text for row in table.rows if row[2].text == MASKED}
    assert len(hidden) == 2
    own = table.frame[table.frame["class"].isin(hidden)]
    assert own[["cases", "slope", "intercept", "intercept_at_slope_one"]].isna().all(axis=None)
