import dataclasses

from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.class_risk import shown_class_risk
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import MASKED, interval
from tests.report.test_answers import small_class


def cells_of(table, name):
    return next(row for row in table.rows if row[0].text == name)


def test_a_class_is_counted_among_its_own_images(screening):
    rows = pick(screening.frame("class_risk"), calibrator="ats", score="confidence").set_index(
        "class"
    )
    own = rows.loc["malignant"]
    cells = cells_of(shown_class_risk(screening), "malignant")
    limits = proportion_interval(int(own["missed"]), int(own["cases"]))
    assert cells[2].text.startswith(f"{own['missed']} of {own['cases']} (")
    assert interval(limits.lower, limits.upper) in cells[2].text
    assert cells[4].text == f"{100 * own['risk_at_coverage_80']:.1f}%"


def test_the_class_missed_most_is_named(screening):
    rows = pick(screening.frame("class_risk"), calibrator="ats", score="confidence")
    shares = rows.set_index("class")["missed"] / rows.set_index("class")["cases"]
    assert f"Most often missed: {shares.idxmax()}," in shown_class_risk(screening).caption


def test_a_class_without_a_rate_may_be_missed_more_and_is_not_compared(screening):
    said = shown_class_risk(small_class(screening, 9)).caption
    assert "Most often missed of the classes whose rate is shown: " in said
    risks = screening.frame("class_risk").assign(missed=0)
    never = screening.having(class_risk=risks)
    said = shown_class_risk(small_class(never, 9)).caption
    assert "No image of a class whose rate is shown is read as another." in said


def test_images_of_shared_patients_have_no_interval(screening):
    patients = dict.fromkeys(screening.dataset["patients"], 100)
    dataset = screening.dataset | {"patients": patients}
    record = screening.record | {"dataset": dataset}
    table = shown_class_risk(dataclasses.replace(screening, record=record))
    assert "CI" not in cells_of(table, "malignant")[2].text
    assert "a patient's images are not independent" in table.caption


def test_a_class_of_nine_is_masked_with_another_on_the_page_and_in_the_file(screening):
    table = shown_class_risk(small_class(screening, 9))
    hidden = {row[0].text for row in table.rows if row[2].text == MASKED}
    assert len(hidden) == 2
    numbers = table.frame[table.frame["class"].isin(hidden)].drop(
        columns=["loss", "calibrator", "seed", "score", "class"]
    )
    assert numbers.isna().all(axis=None)


def test_a_class_of_twenty_has_counts_and_no_rate(screening):
    table = shown_class_risk(small_class(screening, 20))
    cells = cells_of(table, "malignant")
    assert "%" not in cells[2].text
    assert {cell.text for cell in cells[3:]} == {"–"}
    own = pick(table.frame, **{"class": "malignant"})
    assert own["cases"].notna().all()
    assert own["aurc"].isna().all()
