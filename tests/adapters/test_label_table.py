import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.adapters.label_table import (
    Labelled,
    LabelTableArguments,
    label_rows,
    read_labels,
    read_rows,
    write_labels,
)
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from tests.dicom_files import write_table

CLASSES = ["healthy", "ill"]


def arguments(table="labels.csv", **changes):
    stated = {"table": str(table), "key": "patient", "key_column": "key"}
    return check_config(stated | changes, LabelTableArguments, place="test")


def hashed(kind, value):
    return f"{kind}:{value}"


def labelled(rows, columns=("key", "label"), **changes):
    table = [dict(zip(columns, row, strict=True)) for row in rows]
    return label_rows(table, arguments(**changes), CLASSES, hashed)


def test_a_label_is_found_by_its_hashed_key():
    found = labelled([("0042", "ill"), ("0043", "healthy")])
    assert found["patient:0042"].label == 1
    assert found["patient:0043"].label == 0


def test_labels_may_be_translated_into_classes():
    assert labelled([("1", "C50.9")], label_names={"C50.9": "ill"})["patient:1"].label == 1


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_key_keeps_its_zeros_and_a_number_gains_no_fraction(tmp_path, suffix):
    path = tmp_path / f"labels.{suffix}"
    frame = pd.DataFrame({"key": ["0042", "7"], "label": ["ill", ""], "age": [40.0, None]})
    frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)
    rows = read_rows(arguments(path, age_column="age"))
    assert [row["key"] for row in rows] == ["0042", "7"]
    assert [row["label"] for row in rows] == ["ill", ""]
    assert [float(row["age"] or 0) for row in rows] == [40, 0]


def test_a_parquet_key_may_be_a_number(tmp_path):
    pd.DataFrame({"key": [42], "label": ["ill"]}).to_parquet(tmp_path / "a.parquet")
    assert read_rows(arguments(tmp_path / "a.parquet"))[0]["key"] == "42"


def test_a_parquet_number_that_lost_digits_is_no_patient(tmp_path):
    frame = pd.DataFrame({"key": ["1", "2"], "label": "ill", "who": [2.0**53 - 1, 2.0**53]})
    frame.to_parquet(tmp_path / "a.parquet")
    stated = arguments(tmp_path / "a.parquet", patient_column="who")
    found = label_rows(read_rows(stated), stated, CLASSES, hashed)
    assert found["patient:1"].patient == "patient:9007199254740991"
    assert found["patient:2"].fault == "unusable patient"


def test_a_number_that_a_spreadsheet_gave_a_fraction_is_the_one_it_was():
    columns = ("key", "label", "who")
    found = labelled([("0042.0", "ill", "1000.0"), ("1.2.0", "ill", "1000")], columns,
                     patient_column="who")  # fmt: skip
    assert found.keys() == {"patient:0042", "patient:1.2.0"}
    assert {each.patient for each in found.values()} == {"patient:1000"}


def test_rows_that_agree_count_once():
    found = labelled([("1", "ill"), ("1", "ill")])
    assert found["patient:1"].fault == ""


def test_rows_that_contradict_one_another_are_a_fault():
    found = labelled([("1", "ill"), ("1", "healthy"), ("1", "ill"), ("2", "ill")])
    assert found["patient:1"].fault == "conflicting labels"
    assert found["patient:2"].fault == ""


def test_a_key_stands_where_a_spreadsheet_shows_its_first_row():
    rows = [("1", "ill"), ("2", "ill"), ("1", "healthy"), ("3", "unclear")]
    found = labelled(rows)
    assert [found[f"patient:{key}"].row for key in "123"] == [2, 3, 5]


@pytest.mark.parametrize("label", ["", "Ill", "2", "DOE^JANE"])
def test_a_label_that_is_no_class_is_a_fault_that_does_not_repeat_it(label):
    found = labelled([("1", label)])["patient:1"]
    assert found.fault == "label outside the classes"
    assert found.advice == "known: ['healthy', 'ill']"


def test_an_unknown_split_is_a_fault():
    found = labelled([("1", "ill", "dev")], ("key", "label", "split"), split_column="split")
    assert found["patient:1"].fault == "unknown split"


def test_what_the_table_says_of_a_patient_is_kept():
    columns = ("key", "label", "who", "where", "sex", "age", "split")
    found = labelled(
        [("1", "ill", "P7", "north", "F", "52", "test")],
        columns,
        patient_column="who", site_column="where", sex_column="sex", age_column="age",
        split_column="split",
    )["patient:1"]  # fmt: skip
    assert found == Labelled(
        "patient:1", label=1, patient="patient:P7", site="north", sex="female", age=52, split="test"
    )


@pytest.mark.parametrize("stated", ["ill\\L\u00e4sion.png", "./ill/La\u0308sion.png"])
def test_a_path_is_found_however_the_table_spells_it(stated):
    assert labelled([(stated, "ill")], key="file")["file:ill/L\u00e4sion.png"].label == 1


@pytest.mark.parametrize(
    ("column", "stated", "fault"),
    [
        ("sex", "weiblich", "unusable sex"),
        ("sex", "Doe^Jane", "unusable sex"),
        ("age", "52,5", "unusable age"),
        ("age", "12.03.1950", "unusable age"),
        ("age", "-1", "unusable age"),
        ("age", "150", "unusable age"),
        ("patient", "1.23457E+11", "unusable patient"),
        ("patient", "1,23E+11", "unusable patient"),
    ],
)
def test_what_is_no_sex_or_age_or_patient_is_a_fault_that_does_not_repeat_it(column, stated, fault):
    columns = {f"{column}_column": column}
    found = labelled([("1", "ill", stated)], ("key", "label", column), **columns)["patient:1"]
    assert found.fault == fault
    assert stated not in found.advice


@pytest.mark.parametrize("unknown", ["", "?", "N/A", "nan", "Unknown", "not recorded"])
def test_a_sex_and_an_age_may_be_unknown(unknown):
    columns = ("key", "label", "sex", "age")
    rows = [("1", "ill", unknown, unknown)]
    found = labelled(rows, columns, sex_column="sex", age_column="age")["patient:1"]
    assert (found.fault, found.sex, found.age) == ("", "not recorded", None)


@pytest.mark.parametrize(("stated", "years"), [("52.5", 52.5), ("045Y", 45), ("006M", 0.5)])
def test_an_age_is_a_number_of_years_or_as_dicom_writes_it(stated, years):
    found = labelled([("1", "ill", stated)], ("key", "label", "age"), age_column="age")
    assert found["patient:1"].age == years


def test_refuses_names_and_truths_that_are_not_of_the_classes():
    with pytest.raises(InputError, match=r"labels\.label_names: names of classes .* \['il'\]"):
        labelled([("1", "1")], label_names={"1": "il"})
    with pytest.raises(
        InputError, match="truth_columns: one column for each of 2 classes .* got 1"
    ):
        labelled([("1", "ill", "1")], ("key", "label", "p"), truth_columns=["p"])


@pytest.mark.parametrize("truth", [("0.2", "0.7"), ("1.2", "-0.2"), ("x", "1"), ("", "")])
def test_a_truth_that_is_no_distribution_is_a_fault(truth):
    found = labelled([("1", "ill", *truth)], ("key", "label", "p", "q"), truth_columns=["p", "q"])
    assert found["patient:1"].fault == "truth is no distribution"


def test_labels_are_the_same_after_writing_and_reading(tmp_path):
    found = labelled(
        [("2", "ill", "0.25", "0.75"), ("1", "no", "0", "1")],
        ("key", "label", "p", "q"),
        truth_columns=["p", "q"],
    )
    write_labels(found, tmp_path / "labels.parquet")
    assert read_labels(tmp_path / "labels.parquet") == found


def test_refuses_a_table_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        read_rows(arguments(tmp_path / "none.csv"))


def test_refuses_a_table_without_a_column_it_needs(tmp_path):
    path = write_table(tmp_path / "labels.csv", [("1", "ill")], ("key", "finding"))
    with pytest.raises(InputError, match=r"column 'label' expected, got 2 others: is the head"):
        read_rows(arguments(path))


def test_a_table_without_a_header_is_refused_and_no_patient_named(tmp_path):
    rows = ["0042,a,Doe^Jane,19510203", "0043,b,Roe^Richard,19490809"]
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(rows))
    with pytest.raises(InputError) as refusal:
        read_rows(arguments(path))
    message = "column 'key' expected, got 4 others: is the header missing"
    assert message in str(refusal.value)
    for cell in ("0042", "Doe", "1951", "Roe"):
        assert cell not in str(refusal.value)


def test_refuses_a_table_without_rows(tmp_path):
    with pytest.raises(InputError, match=r"the table has no rows"):
        read_rows(arguments(write_table(tmp_path / "labels.csv", [])))


@pytest.mark.parametrize(
    ("name", "message"),
    [("labels.csv", "text in UTF-8 expected"), ("labels.parquet", "no Parquet file, or a damaged")],
)
def test_refuses_a_file_that_is_no_table(tmp_path, name, message):
    (tmp_path / name).write_bytes(b"\xff\xfe\x00\x01PK\x03\x04")
    with pytest.raises(InputError, match=rf"{name}: {message}"):
        read_rows(arguments(tmp_path / name))


def test_refuses_a_kind_of_key_it_does_not_know():
    with pytest.raises(InputError, match="key 'key': Input should be 'sop', 'series'"):
        arguments(key="name")


def test_refuses_a_day_beyond_the_calendar(tmp_path):
    days = pa.array([2**31 - 1], pa.int32()).view(pa.date32())
    pq.write_table(pa.table({"key": days, "label": ["ill"]}), tmp_path / "labels.parquet")
    with pytest.raises(InputError, match=r"column 'key': numbers or text expected, got date32"):
        read_rows(arguments(tmp_path / "labels.parquet"))
