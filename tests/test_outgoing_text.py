from io import StringIO

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.outgoing_text import csv_text, from_csv, printable, printable_record, printable_table


def read(text):
    return from_csv(pd.read_csv(StringIO(text), dtype=str, keep_default_na=False))


@pytest.mark.parametrize(
    "name", ["=1+1", " =1+1", "\u00a0@sum", "+cmd", "-cmd|x", "@sum", "'=1", "''@x"]
)
def test_what_a_spreadsheet_would_compute_begins_with_an_apostrophe_and_is_read_back(name):
    text = csv_text(pd.DataFrame({"site": [name, "north"]}))
    assert text == f"site\n'{name}\nnorth\n"
    assert read(text)["site"].tolist() == [name, "north"]


@pytest.mark.parametrize("number", ["-1", "+0.5", "-1e-9"])
def test_numbers_stay_as_they_are_even_as_text(number):
    assert csv_text(pd.DataFrame({"value": [number]})) == f"value\n{number}\n"
    table = pd.DataFrame({"n": [1, 2], "value": [-0.5, np.nan]})
    assert csv_text(table) == "n,value\n1,-0.5\n2,\n"


def test_the_name_of_a_column_is_no_formula_either():
    assert csv_text(pd.DataFrame({"=x": [1]})) == "'=x\n1\n"


@given(names=st.lists(st.text(alphabet="'=+-@a1 ", min_size=1), min_size=1))
def test_every_text_comes_back(names):
    table = pd.DataFrame({"n": range(len(names)), "site": names})
    assert read(csv_text(table))["site"].tolist() == names


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ward\x1b[31m", "ward[31m"),
        ("two\r\nlines\tand\ttabs", "two lines and tabs"),
        ("a\x00b\x7fc\x85d", "abcd"),
        ("left\u202eright", "leftright"),
        ("half\ud800pair\uffff", "halfpair"),
        ("Zürich – 3 °C, 大学", "Zürich – 3 °C, 大学"),
    ],
)
def test_no_control_character_is_printed_and_letters_are(text, shown):
    assert printable(text) == shown
    table = pd.DataFrame({"site": np.array([text, None], dtype=object)}, dtype=object)
    assert printable_table(table)["site"].tolist()[0] == shown
    assert printable_record({text: [1, {"a": text}]}) == {shown: [1, {"a": shown}]}


def test_a_table_of_clean_texts_is_the_same_table():
    table = pd.DataFrame({"site": ["north", None], "n": [1, 2]})
    pd.testing.assert_frame_equal(printable_table(table), table)
