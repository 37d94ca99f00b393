import numpy as np
import pandas as pd
import pytest

from pipeline.cases import COLUMNS, read_cases, validate_cases, write_cases
from pipeline.errors import InputError
from tests.mutants import refusals
from tests.sources import make_cases


def valid(**changes):
    return make_cases([0, 1], split=["train", "test"], **changes)[COLUMNS.names]


def objects(*values):
    return pd.Series(values, dtype=object)


def test_a_table_is_read_as_it_was_written(tmp_path):
    cases = valid(age=[41.5, np.nan], truth=objects([0.25, 0.75], None))
    write_cases(cases, tmp_path / "cases.parquet")
    read = read_cases(tmp_path / "cases.parquet")
    assert read["case"].tolist() == ["case-0", "case-1"]
    assert read["label"].tolist() == [0, 1]
    assert read["age"].isna().tolist() == [False, True]
    assert read["truth"][0].tolist() == [0.25, 0.75]
    assert read["truth"][1] is None


def test_equal_tables_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_cases(valid(), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("case", ["same", "same"], "'case' contains duplicate values"),
        ("patient", ["", "b"], "'patient' failed .*str_length"),
        ("site", ["north", None], "'site' contains null values"),
        ("age", [200.0, 3.0], r"'age' failed .*in_range\(0, 130\)"),
        ("label", np.array([-1, 0], np.int32), r"'label' failed .*greater_than_or_equal_to\(0\)"),
        ("label", np.array([0.0, 1.0]), "'label' to have type int32, got float64"),
        ("split", ["train", "dev"], r"'split' failed .*isin"),
        ("pixel_sha256", ["x" * 64, "0" * 64], "'pixel_sha256' failed .*str_matches"),
        ("spacing", objects([1.0, -1.0], None), "'spacing' failed .*_are_positive"),
        ("truth", objects([0.5, 0.6], None), "'truth' failed .*_are_probabilities"),
    ],
)
def test_a_fault_is_refused_by_its_column(column, values, message):
    cases = valid()
    cases[column] = values
    with pytest.raises(InputError, match=message):
        validate_cases(cases)


def test_an_unknown_column_is_refused():
    with pytest.raises(InputError, match="column 'name' not in DataFrameSchema"):
        validate_cases(valid().assign(name="Doe"))


def test_a_damaged_file_is_refused_by_name(tmp_path):
    path = tmp_path / "cases.parquet"
    path.write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"cases\.parquet: no Parquet file"):
        read_cases(path)
    with pytest.raises(InputError, match=r"absent\.parquet: no such file"):
        read_cases(tmp_path / "absent.parquet")


PLANTED = "Doe^Jane"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("case", [PLANTED, PLANTED]),
        ("split", ["train", PLANTED]),
        ("source_sha256", ["0" * 64, PLANTED]),
        ("label", [PLANTED, "1"]),
        ("age", [PLANTED, "1"]),
        ("spacing", objects([PLANTED], None)),
        ("truth", objects([0.5, 0.5], PLANTED)),
    ],
)
def test_a_fault_tells_no_value(column, values):
    cases = valid()
    cases[column] = values
    with pytest.raises(InputError, match=f"cases table: .*{column}") as refused:
        validate_cases(cases)
    assert PLANTED not in str(refused.value)


def test_a_damaged_table_is_read_or_refused_in_one_line(tmp_path):
    path = tmp_path / "cases.parquet"
    write_cases(valid(), path)
    assert len(refusals(read_cases, path, path.read_bytes(), number=100)) > 50
