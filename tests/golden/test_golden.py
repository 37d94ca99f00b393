"""Every table of the stored logits, number by number: a net for changes that should change none."""

import pytest

from tests.golden.stored import FOLDER, SETS, differences, read_set, write_tables

TOLERANCE = 1e-12
"""Sums in another order differ by less; what is stored is rounded at 1e-14."""

OF_FITS = 1e-7
"""A search ends where its step is small: another processor's sums end it elsewhere."""

FITS = {"cox.csv": OF_FITS, "levels.csv": OF_FITS}
"""Tables of slopes and intercepts that a search finds."""


@pytest.mark.parametrize("name", SETS)
def test_every_table_is_what_it_was(name, tmp_path):
    write_tables(read_set(name), tmp_path)
    stored = {path.name for path in (FOLDER / name / "tables").glob("*.csv")}
    assert {path.name for path in tmp_path.glob("*.csv")} == stored
    found = [
        f"{table}: {difference}"
        for table in sorted(stored)
        for difference in differences(
            FOLDER / name / "tables" / table, tmp_path / table, FITS.get(table, TOLERANCE)
        )
    ]
    assert not found, "\n".join(found[:20])


def test_a_number_that_moved_by_a_millionth_is_found(tmp_path):
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text("loss,ece\ngce,0.5\n")
    after.write_text("loss,ece\ngce,0.500001\n")
    assert list(differences(before, after, TOLERANCE)) == ["row 1, ece: 0.5 stored, 0.500001 made"]


def test_a_row_that_is_missing_is_found(tmp_path):
    before, after = tmp_path / "before.csv", tmp_path / "after.csv"
    before.write_text("loss,ece\ngce,0.5\n")
    after.write_text("loss,ece\n")
    assert len(list(differences(before, after, TOLERANCE))) == 1
