from pipeline.tables.differences import shown_differences
from pipeline.tables.parts.scores import pick
from pipeline.tables.selection import shown_selection
from tests.report.simulated_outcomes import CALIBRATORS


def cell(table, loss, calibrator, label):
    place = [column.label for column in table.columns].index(label)
    return next(
        row[place] for row in table.rows if (row[0].text, row[1].text) == (loss, calibrator)
    )


def test_a_difference_has_its_sign_its_spread_and_its_p_value(screening):
    row = pick(
        screening.frame("differences"), metric="nll", loss="gce", calibrator="identity"
    ).iloc[0]
    found = cell(shown_differences(screening, CALIBRATORS), "gce", "identity", "NLL")
    assert row["mean_difference"] < 0
    assert found.text == f"−{-row['mean_difference']:.3f} ±\u2009{row['sd']:.3f}"
    assert found.detail in {"p < 0.001", f"p = {row['p_value_holm']:.3f}"}


def test_the_baseline_is_not_compared_with_itself(screening):
    assert "cross_entropy" not in {
        row[0].text for row in shown_differences(screening, CALIBRATORS).rows
    }


def test_only_the_calibrators_asked_for_are_shown_and_the_file_holds_all(screening):
    table = shown_differences(screening, ["ats"])
    assert {row[1].text for row in table.rows} == {"ats"}
    assert set(table.frame["calibrator"]) == set(CALIBRATORS)


def test_an_undefined_p_value_is_left_out(screening):
    frame = screening.frame("differences").assign(p_value_holm=float("nan"))
    table = shown_differences(screening.having(differences=frame), CALIBRATORS)
    assert {row[2].detail for row in table.rows} == {""}


def test_scores_are_averaged_over_seeds(screening):
    rows = pick(screening.frame("selection"), loss="gce", calibrator="ats", score="margin")
    mean, sd = 100 * rows["aurc"].mean(), 100 * rows["aurc"].std()
    margin = next(row for row in shown_selection(screening).rows if row[0].text == "margin")
    assert margin[1].text == f"{mean:.2f} ±\u2009{sd:.2f}"
