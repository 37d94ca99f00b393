"""Predictions as a disk, an editor or a spreadsheet may have damaged them."""

import io
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.bring_your_own import npz_file
from pipeline.errors import InputError
from tests.bring_your_own.tables import logits_table, read_given, write
from tests.mutants import refusals


def content(ending, path):
    """One sound file, as bytes."""
    table = logits_table(12, seed=0).assign(
        patient=[f"p{i}" for i in range(12)], group_site=["north", "south"] * 6
    )
    if ending == "csv":
        write(table, path)
    elif ending == "parquet":
        table.to_parquet(path)
    else:
        np.savez(
            path,
            logits=table.filter(like="logit_").to_numpy(),
            labels=table["label"].to_numpy(dtype=str),
            patients=table["patient"].to_numpy(dtype=str),
            classes=np.array(["a", "b", "c"]),
        )
    return path.read_bytes()


@pytest.mark.parametrize("ending", ["csv", "parquet", "npz"])
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path, ending):
    path = tmp_path / f"cases.{ending}"
    told = refusals(read_given, path, content(ending, path), number=200)
    assert len(told) > 50


@pytest.mark.parametrize("column", ["label", "patient", "case", "logit_a"])
def test_an_empty_cell_in_parquet_is_refused(tmp_path, column):
    table = logits_table(6, seed=0).assign(patient=list("pqrstu"), case=list("uvwxyz"))
    table[column] = table[column].astype(object)
    table.loc[1, column] = None
    table.to_parquet(tmp_path / "cases.parquet")
    with pytest.raises(InputError, match=rf"'{column}': .* 1 of 6 rows, first row 2"):
        read_given(tmp_path / "cases.parquet")


def test_a_number_of_a_class_beside_an_empty_cell_is_refused_and_not_rounded(tmp_path):
    columns = {
        "logits": pa.array([[2.0, 0.0]] * 3, pa.list_(pa.float64(), 2)),
        "label": pa.array([0, None, 1], pa.int64()),
    }
    pq.write_table(pa.table(columns), tmp_path / "cases.parquet")
    with pytest.raises(InputError, match="'label': a value in every row expected, .* first row 2"):
        read_given(tmp_path / "cases.parquet")


@pytest.mark.parametrize("missing", [None, [1.0]])
def test_a_list_that_is_missing_or_too_short_is_refused_and_never_read_shifted(tmp_path, missing):
    columns = {
        "logits": pa.array([[1.0, 0.0], missing, [0.0, 2.0]], pa.list_(pa.float64())),
        "label": [0, 1, 1],
    }
    pq.write_table(pa.table(columns), tmp_path / "cases.parquet")
    with pytest.raises(InputError, match=r"cases\.parquet: column 'logits': .* row 2"):
        read_given(tmp_path / "cases.parquet")


@pytest.mark.parametrize(
    "values",
    [
        pa.array([2**31 - 1] * 6, pa.int32()).view(pa.date32()),
        pa.array([2**62] * 6, pa.int64()).view(pa.date64()),
        pa.array([2**62] * 6, pa.duration("s")),
        pa.array([0] * 6, pa.timestamp("ms", tz="Mars/Phobos")),
    ],
    ids=["day", "millisecond", "duration", "time zone"],
)
def test_a_value_that_python_does_not_have_matters_where_it_is_asked_for(tmp_path, values):
    table = pa.Table.from_pandas(logits_table(6, seed=0)).append_column("seen", values)
    pq.write_table(table, tmp_path / "cases.parquet")
    assert len(read_given(tmp_path / "cases.parquet").predictions) == 6
    with pytest.raises(InputError, match=r"column 'seen': numbers or text expected, .* range"):
        read_given(tmp_path / "cases.parquet", ["seen"])


def test_a_group_that_parquet_has_no_value_of_is_not_recorded(tmp_path):
    table = logits_table(3, seed=0).assign(site=pd.Series(["north", None, "None"], dtype=object))
    table.to_parquet(tmp_path / "cases.parquet")
    found = read_given(tmp_path / "cases.parquet", ["site"]).predictions.groups["site"]
    assert found.tolist() == ["north", "not recorded", "None"]


def test_a_date_that_is_none_is_a_word_like_any_other(tmp_path):
    table = logits_table(6, seed=0).assign(seen=["2020-13-45", "2020-01-02"] * 3)
    given = read_given(write(table, tmp_path / "cases.csv"), ["seen"])
    assert set(given.predictions.groups["seen"]) == {"2020-13-45", "2020-01-02"}


def members(**arrays):
    """The members of an npz archive, as bytes."""
    made = {}
    for name, array in arrays.items():
        buffer = io.BytesIO()
        np.save(buffer, array)
        made[f"{name}.npy"] = buffer.getvalue()
    return made


GOOD = members(logits=2 * np.eye(3), labels=np.arange(3))
HEADER = b"\x93NUMPY\x01\x00"
BROKEN = {
    "empty": b"",
    "no array": b"label,logit",
    "cut": GOOD["logits.npy"][:-8],
    "cut header": GOOD["logits.npy"][:20],
    "another version": b"\x93NUMPY\x09\x00" + GOOD["logits.npy"][8:],
    "no dictionary": HEADER + b"\x10\x00" + b"{'descr': '<f8',\n",
    "negative shape": GOOD["logits.npy"].replace(b"(3, 3)", b"(-3,3)"),
    "shape of gigabytes": GOOD["logits.npy"].replace(b"(3, 3)", b"(9**9,)"),
    "dates": members(logits=np.array(["2020-01-01"] * 3, dtype="datetime64[D]"))["logits.npy"],
    "complex numbers": members(logits=np.eye(3) * 1j)["logits.npy"],
    "records": members(logits=np.zeros(3, dtype=[("a", "f8")]))["logits.npy"],
    "three axes": members(logits=np.zeros((3, 3, 3)))["logits.npy"],
}


@pytest.mark.parametrize("member", BROKEN)
def test_a_broken_member_of_an_npz_is_named(tmp_path, member):
    path = tmp_path / "cases.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in (GOOD | {"logits.npy": BROKEN[member]}).items():
            archive.writestr(name, array)
    with pytest.raises(InputError, match=r"cases\.npz: array 'logits': ") as refused:
        read_given(path)
    assert "\n" not in str(refused.value)


def test_two_members_of_one_name_are_refused(tmp_path):
    path = tmp_path / "cases.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in GOOD.items():
            archive.writestr(name, array)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("labels.npy", GOOD["labels.npy"])
    with pytest.raises(InputError, match=r"cases\.npz: at most 10,000 arrays of different names"):
        read_given(path)


def test_arrays_that_unpack_to_more_than_memory_are_not_unpacked(tmp_path, monkeypatch):
    path = tmp_path / "cases.npz"
    np.savez_compressed(path, logits=np.zeros((3, 1000)), labels=np.arange(3))
    assert path.stat().st_size < 2000
    monkeypatch.setattr(npz_file, "MAX_BYTES", 20_000)
    with pytest.raises(InputError, match=r"arrays of at most 20,000 bytes expected, got 24,"):
        read_given(path)
