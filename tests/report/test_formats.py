from io import BytesIO

import pandas as pd
import pytest

from pipeline.outgoing_text import csv_text
from pipeline.report.formats import latex_escape, latex_text, parquet_bytes
from pipeline.report.views import experiment_view
from pipeline.tables.parts.shown import Cell, Heading, Table


def table(frame):
    columns = (Heading("Class", numeric=False), Heading("Wrong", "%"))
    rows = ((Cell("A & B"), Cell("1.2 ± 0.1", "0.9–1.4", "best")), (Cell("C"), Cell("2.0")))
    return Table("t", "What went wrong,\nby class", columns, rows, frame)


FRAME = pd.DataFrame({"class": ["A & B", 'C, "c"'], "wrong": [0.1 + 0.2, float("nan")]})


def test_csv_keeps_every_bit_and_leaves_the_undefined_empty():
    text = csv_text(FRAME)
    assert text == 'class,wrong\nA & B,0.30000000000000004\n"C, ""c""",\n'


def test_parquet_gives_the_same_numbers_back():
    pd.testing.assert_frame_equal(pd.read_parquet(BytesIO(parquet_bytes(table(FRAME)))), FRAME)


def test_parquet_of_the_same_numbers_is_the_same_bytes():
    assert parquet_bytes(table(FRAME)) == parquet_bytes(table(FRAME.copy()))


def test_latex_holds_the_table_on_lines_that_latex_can_read():
    lines = latex_text(table(FRAME)).splitlines()
    assert lines[0] == "% What went wrong, by class"
    assert r"A \& B & \textbf{1.2 $\pm$ 0.1} (0.9--1.4) \\" in lines
    assert all(line.count(" & ") == 1 for line in lines if line.endswith(r"\\"))


@pytest.mark.parametrize("character", list("\\&%$#_{}~^"))
def test_what_latex_would_obey_is_printed(character):
    assert latex_escape(character) != character
    assert latex_escape(f"a{character}b").startswith("a\\")


def test_every_table_of_an_experiment_can_be_written_in_every_format(screening):
    for each in experiment_view(screening).all_tables:
        frame = pd.read_parquet(BytesIO(parquet_bytes(each)))
        assert list(frame.columns) == list(each.frame.columns)
        assert csv_text(each.frame).count("\n") >= len(each.frame) + 1
        assert latex_text(each).count(r"\\") >= len(each.rows) + 1
