from pipeline.tables.calibrators import shown_calibrator_notes, shown_calibrators
from tests.report.simulated_scores import enlarged


def test_a_temperature_at_its_bound_is_told(screening):
    notes = {cells[6].text for cells in shown_calibrators(screening).rows}
    assert "temperature stopped at its upper bound" in notes


def test_a_changed_class_and_rank_inversions_are_counted(screening):
    changed = screening.frame("calibrators").assign(preserves_argmax=False, argmax_changed=4)
    rows = shown_calibrators(screening.having(calibrators=changed)).rows
    assert {cells[4].text for cells in rows} == {"changed in 4"}
    assert {cells[5].text for cells in rows} == {"0", "37"}


def test_notes_are_gathered_over_seeds(screening):
    rows = shown_calibrator_notes(screening).rows
    noted = {cells[4].text for cells in rows if cells[1].text == "temperature"}
    assert noted == {"temperature stopped at its upper bound (seed 1)"}
    assert {cells[4].text for cells in rows if cells[1].text != "temperature"} == {"–"}


def test_rank_inversions_are_given_from_fewest_to_most(screening):
    calibrators = screening.frame("calibrators").copy()
    where = (calibrators["calibrator"] == "ats") & (calibrators["seed"] == 2)
    calibrators.loc[where, "rank_inversions"] = 1234
    rows = shown_calibrator_notes(screening.having(calibrators=calibrators)).rows
    assert {cells[3].text for cells in rows if cells[1].text == "ats"} == {"37 to 1,234"}


def test_of_very_many_the_page_shows_one_models_and_the_files_hold_all(screening):
    many = enlarged(screening, name="many", num_losses=4, num_seeds=5, num_calibrators=12)
    table = shown_calibrators(many)
    assert {(cells[0].text, cells[2].text) for cells in table.rows} == {("gce", "0")}
    assert (len(table.rows), len(table.frame)) == (12, 4 * 5 * 12)
    notes = shown_calibrator_notes(many)
    assert {cells[1].text for cells in notes.rows} == {"identity", "temperature", "ats"}
    assert notes.frame["calibrator"].nunique() == 12
