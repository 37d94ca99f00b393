import pytest

from pipeline import csv_table
from pipeline.csv_table import read_csv, read_separated
from pipeline.errors import InputError


@pytest.fixture
def table(tmp_path):
    """Write a text as a table and return its path."""

    def write(text):
        path = tmp_path / "table.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_is_told_by_the_header(table, separator):
    path = table(f'a{separator}"b, c; d"\n1{separator}"x{separator}y"\n')
    columns, found = read_separated(path)
    assert columns == {"a": ["1"], "b, c; d": [f"x{separator}y"]}
    assert found == separator


def test_a_semicolon_in_a_name_parts_nothing_where_commas_do(table):
    path = table("case,finding; side,label\n1,mass; left,a\n2,none; right,b\n")
    columns, separator = read_separated(path)
    assert (list(columns), separator) == (["case", "finding; side", "label"], ",")


def test_decimal_commas_do_not_part_cells(table):
    assert read_csv(table("a;b\n0,5;1,5\n")) == {"a": ["0,5"], "b": ["1,5"]}


def test_one_column_needs_no_separator(table):
    assert read_csv(table("a\n1\n2\n")) == {"a": ["1", "2"]}


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("1#2#3", "row 2 below the header: 2 cells expected, as the header has, got 3"),
        ("1", "row 2 below the header: 2 cells expected, as the header has, got 1"),
        ('1#x"y"', "row 2 below the header: quotes expected around whole cells"),
        ('1#"x', "row 2 below the header: quotes expected around whole cells"),
        ("1#\ufeffx", "row 2 below the header: text expected, got a zero byte or the mark"),
        ("1#\0", "row 2 below the header: text expected, got a zero byte or the mark"),
    ],
)
def test_what_would_be_read_shifted_is_refused_with_its_row(table, separator, rows, message):
    text = f"a#b\n1#2\n{rows}\n".replace("#", separator)
    with pytest.raises(InputError, match=rf"table\.csv: {message}"):
        read_csv(table(text))


def test_two_columns_of_one_name_are_refused(table):
    with pytest.raises(InputError, match="the header: names that differ expected, .* 1 and 3"):
        read_csv(table("a;b;a\n1;2;3\n"))


def test_hundreds_of_thousands_of_columns_are_refused_before_any_row_is_parted(table):
    header = ";".join(f"c{number}" for number in range(100_000))
    with pytest.raises(InputError, match="the header: at most 10,000 cells expected, got 100,000"):
        read_csv(table(f"{header}\n{';' * 99_999}\n"))


@pytest.mark.parametrize("place", ["the header", "row 1 below the header"])
def test_a_field_of_millions_of_characters_is_refused(table, place):
    field = "x" * 2_000_000
    text = f"a,{field}\n1,2\n" if place == "the header" else f"a,b\n1,{field}\n"
    with pytest.raises(InputError, match=rf"{place}: at most 1,000,000 characters expected"):
        read_csv(table(text))


def test_a_cell_longer_than_a_spreadsheet_holds_is_refused(table):
    with pytest.raises(InputError, match="row 1 .*: at most 100,000 characters in a cell"):
        read_csv(table(f"a,b\n1,{'x' * 100_001}\n"))


def test_a_file_larger_than_a_table_may_be_is_not_read(table, monkeypatch):
    monkeypatch.setattr(csv_table, "MAX_BYTES", 10)
    with pytest.raises(InputError, match=r"table\.csv: at most 10 bytes expected, got 12"):
        read_csv(table("a,b\n1,2\n3,4\n"))


@pytest.mark.parametrize("text", [b"\xff\xfea\x00,\x00", b"a,b\n\xe4,2\n"])
def test_another_encoding_is_refused_with_its_line(table, text):
    with pytest.raises(InputError, match=r"table\.csv: text in UTF-8 expected, .* in line"):
        read_csv(table(text))
