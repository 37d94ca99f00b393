import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from pipeline.bring_your_own.cases import (
    read_all,
    require_other_cases,
    require_other_files,
)
from pipeline.bring_your_own.identifiers import plain_identifier, shared_rows
from pipeline.bring_your_own.notes import notes, unchecked
from pipeline.errors import InputError
from tests.bring_your_own.tables import logits_table, probability_table, read_given, write

ALIKE = [
    ("1000.0", "1000"),
    (" 1000 ", "1000"),
    ("0042", "42"),
    ("P-7", "p-7"),
    ("Mu\u0308ller", "M\u00fcller"),
    ("000", "0.0"),
    ("\u00a042", "42"),
    ("1000,0", "1000"),
    ("1,234,567", "1234567"),
    ("'0042", "42"),
    ('="0042"', "42"),
    ("42\u200b", "42"),
]
"""What a spreadsheet, pandas or another system makes of an identifier."""


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_two_spellings_of_one_identifier_are_one_patient(one, other):
    assert plain_identifier(one) == plain_identifier(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("1.5", "15"), ("1,5", "15"), ("1000", "100"), ("-1", "1"), ("p0042", "p42"), ("1a", "1")],
)
def test_other_identifiers_stay_apart(one, other):
    assert plain_identifier(one) != plain_identifier(other)


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_a_patient_in_both_files_is_found_in_any_spelling(tmp_path, one, other):
    first, second = logits_table(6, seed=0), logits_table(6, seed=1)
    paths = [
        write(first.assign(patient=[one, *"bcdef"]), tmp_path / "test.csv"),
        write(second.assign(patient=[*"vwxyz", other]), tmp_path / "held_out.csv"),
    ]
    with pytest.raises(
        InputError, match=r"held_out\.csv: other patients than in .*test\.csv expected, .* first r"
    ):
        require_other_cases(*read_all(paths))


def test_two_spellings_in_one_file_are_one_patient_too(tmp_path):
    table = logits_table(3, seed=0).assign(patient=["0042", "42.0", "43"])
    patients = read_given(write(table, tmp_path / "cases.csv")).predictions.patients
    assert patients.tolist() == ["42", "42", "43"]


def test_an_identifier_that_a_spreadsheet_rounded_is_refused(tmp_path):
    table = logits_table(3, seed=0).assign(patient=["1.23457E+11", "1.23458E+11", "7"])
    with pytest.raises(InputError, match=r"'patient': identifiers in full .* 2 of 3 rows, first"):
        read_given(write(table, tmp_path / "cases.csv"))


def test_a_long_number_that_a_float_rounded_is_refused_too(tmp_path):
    # 2**60 + 1 and 2**60 are one float, as a column with a gap holds them.
    table = logits_table(3, seed=0).assign(patient=[2.0**60, 2.0**60 + 1, 7.0])
    table.to_parquet(tmp_path / "cases.parquet")
    with pytest.raises(InputError, match=r"'patient': identifiers in full .* 2 of 3 rows, first"):
        read_given(tmp_path / "cases.parquet")


def test_the_same_file_twice_is_refused_under_any_name(tmp_path):
    path, copy = tmp_path / "test.csv", tmp_path / "copy.csv"
    write(logits_table(6, seed=0), path)
    copy.write_bytes(path.read_bytes())
    for second in (path, copy):
        with pytest.raises(InputError, match=r"other cases .* expected, got the same file"):
            require_other_files(path, second)


def test_equal_case_identifiers_are_refused(tmp_path):
    first = logits_table(6, seed=0).assign(case=[f"scan {i}" for i in range(6)])
    second = logits_table(6, seed=1).assign(case=[f"scan {i}" for i in range(5, 11)])
    paths = [write(first, tmp_path / "test.csv"), write(second, tmp_path / "held_out.csv")]
    with pytest.raises(InputError, match=r"other cases than in .*counts rows\) expected, .* row 1"):
        require_other_cases(*read_all(paths))


def test_one_row_of_logits_in_both_files_is_a_leak_though_nobody_is_named(tmp_path):
    first, second = logits_table(6, seed=0), logits_table(6, seed=1)
    second.loc[3] = first.loc[0]
    paths = [write(first, tmp_path / "test.csv"), write(second, tmp_path / "held_out.csv")]
    with pytest.raises(InputError, match=r"very same logits in 1 of 6 rows, first row 4"):
        require_other_cases(*read_all(paths))


def test_the_same_cases_shuffled_are_a_leak_though_their_probabilities_are_rounded(tmp_path):
    table = probability_table(60, seed=0, decimals=3)
    shuffled = table.sample(frac=1, random_state=1)
    paths = [write(table, tmp_path / "test.csv"), write(shuffled, tmp_path / "held_out.csv")]
    with pytest.raises(InputError, match=r"very same probabilities in 60 of 60 rows"):
        require_other_cases(*read_all(paths))


def other_decimals(table):
    return table.round(5)


def moved_by_a_constant(table):
    return table.assign(**{name: table[name] + 7.0 for name in table.filter(like="logit_")})


def as_probabilities(table):
    values = softmax(table.filter(like="logit_").to_numpy(), axis=1)
    names = [name.replace("logit_", "probability_") for name in table.filter(like="logit_")]
    return pd.DataFrame(values, columns=names).assign(label=table["label"])


@pytest.mark.parametrize("change", [other_decimals, moved_by_a_constant, as_probabilities])
@pytest.mark.parametrize("classes", [("a", "b"), ("a", "b", "c")])
def test_the_same_cases_are_a_leak_though_they_are_written_otherwise(tmp_path, classes, change):
    table = logits_table(200, seed=0, classes=classes)
    other = change(table).sample(frac=1, random_state=1)
    paths = [write(table, tmp_path / "test.csv"), write(other, tmp_path / "held_out.csv")]
    with pytest.raises(InputError, match=r"held_out\.csv: other cases than in .* expected"):
        require_other_cases(*read_all(paths))


def test_other_cases_are_no_leak_however_many_look_alike(tmp_path):
    paths = [
        write(logits_table(3000, seed=seed, classes=("a", "b")), tmp_path / f"{seed}.csv")
        for seed in (0, 1)
    ]
    require_other_cases(*read_all(paths))


def test_rounded_probabilities_that_chance_makes_equal_are_no_leak(tmp_path):
    generator = np.random.default_rng(0)
    for name in ("test", "held_out"):
        # Two classes and two decimals: 100 rows that differ, so both files hold them all.
        table = logits_table(600, seed=0, classes=("a", "b"))[["label"]]
        share = generator.random(len(table)).round(2)
        columns = {"probability_a": share, "probability_b": (1 - share).round(2)}
        write(table.assign(**columns), tmp_path / f"{name}.csv")
    given = read_all([tmp_path / "test.csv", tmp_path / "held_out.csv"])
    require_other_cases(*given)


def test_a_case_that_stands_twice_in_one_file_is_said(tmp_path):
    table = logits_table(6, seed=0)
    table.loc[5] = table.loc[2]
    path = write(table, tmp_path / "cases.csv")
    assert (
        "Rows of cases.csv with the very logits of another row: 1. Where that is one case twice, "
        "intervals are too narrow."
    ) in notes([read_given(path)])


def test_float32_in_one_file_and_its_decimals_in_the_other_are_one_case(tmp_path):
    table = logits_table(12, seed=0)
    logits = table.filter(like="logit_").to_numpy(dtype=np.float32)
    labels = np.arange(12) % 3
    np.savez(tmp_path / "test.npz", logits=logits, labels=labels, classes=np.array(list("abc")))
    text = table.assign(**{name: logits[:, k] for k, name in enumerate(table.columns[:3])})
    paths = [tmp_path / "test.npz", write(text, tmp_path / "held_out.csv")]
    with pytest.raises(InputError, match=r"very same logits in 12 of 12 rows"):
        require_other_cases(*read_all(paths))


def test_two_classes_of_float32_that_chance_makes_equal_are_no_leak(tmp_path):
    generator = np.random.default_rng(0)
    for name in ("test", "held_out"):
        margin = generator.normal(size=20_000).astype(np.float32)
        logits = np.column_stack([-margin, margin])
        np.savez(tmp_path / f"{name}.npz", logits=logits, labels=np.arange(len(margin)) % 2)
    given = read_all([tmp_path / "test.npz", tmp_path / "held_out.npz"])
    assert shared_rows(given[0].predictions, given[1].predictions).any()
    require_other_cases(*given)
    assert any("whether any is one case in both" in line for line in unchecked(given))
