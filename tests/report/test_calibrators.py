import dataclasses

from pipeline.report.calibrators import calibrator_notes_table, calibrators_table


def test_a_temperature_at_its_bound_is_told(screening):
    notes = {cells[6].text for cells in calibrators_table(screening).rows}
    assert "temperature stopped at its upper bound" in notes


def test_a_changed_class_and_rank_inversions_are_counted(screening):
    changed = screening.calibrators.assign(preserves_argmax=False, argmax_changed=4)
    rows = calibrators_table(dataclasses.replace(screening, calibrators=changed)).rows
    assert {cells[4].text for cells in rows} == {"changed in 4"}
    assert {cells[5].text for cells in rows} == {"0", "37"}


def test_notes_are_gathered_over_seeds(screening):
    rows = calibrator_notes_table(screening).rows
    noted = {cells[4].text for cells in rows if cells[1].text == "temperature"}
    assert noted == {"temperature stopped at its upper bound (seed 1)"}
    assert {cells[4].text for cells in rows if cells[1].text != "temperature"} == {"–"}


def test_rank_inversions_are_given_from_fewest_to_most(screening):
    calibrators = screening.calibrators.copy()
    where = (calibrators["calibrator"] == "ats") & (calibrators["seed"] == 2)
    calibrators.loc[where, "rank_inversions"] = 1234
    rows = calibrator_notes_table(dataclasses.replace(screening, calibrators=calibrators)).rows
    assert {cells[3].text for cells in rows if cells[1].text == "ats"} == {"37 to 1,234"}
