import numpy as np
import pandas as pd
import pytest

from pipeline.bring_your_own.group_columns import MAX_LEVELS, number_bands
from pipeline.errors import InputError
from tests.bring_your_own.tables import logits_table, read_given, write


def groups(tmp_path, name, values):
    table = logits_table(len(values), seed=0).assign(**{name: values})
    given = read_given(write(table, tmp_path / "cases.csv"), [name])
    return given.predictions.groups.iloc[:, 0]


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(70, 12, size=240),
        np.arange(240) % 200,
        np.random.default_rng(0).normal(size=15),
    ],
    ids=["continuous", "200 levels", "few cases"],
)
def test_no_value_of_many_is_the_name_of_a_group(tmp_path, values):
    found = groups(tmp_path, "weight", values)
    assert 2 <= found.nunique() <= 4
    assert not set(found) & {str(value) for value in values}


def test_bands_hold_the_numbers_that_their_names_say():
    values = np.array([1.0, 12.0, 18.0, 31.0, np.nan])
    # Quarters 9.25, 15 and 21.25; a quarter of the range is 7.5, so bounds are whole numbers.
    assert number_bands(values) == [
        "below 9", "9 to below 15", "15 to below 21", "21 or more", None,
    ]  # fmt: skip


def test_few_whole_numbers_stay_as_they_stand(tmp_path):
    grades = ["1", "2", "3.0", "", "nan", "2"]
    assert groups(tmp_path, "grade", grades).tolist() == [
        "1", "2", "3", "not recorded", "not recorded", "2",
    ]  # fmt: skip


def test_words_of_more_levels_than_are_shown_are_refused_and_not_told(tmp_path):
    names = [f"Doe^{number}" for number in range(MAX_LEVELS + 1)]
    with pytest.raises(InputError, match="'ward': at most 20 names, .* got 21 value") as told:
        groups(tmp_path, "ward", names)
    assert "Doe" not in str(told.value)


def test_numbers_beside_words_are_refused(tmp_path):
    with pytest.raises(InputError, match="column 'dose': at most 20 names, or numbers alone"):
        groups(tmp_path, "dose", ["0.125", "0.25", "high", "high", "0.5", "low"])


def test_as_many_words_as_are_shown_are_groups(tmp_path):
    names = [f"ward {number}" for number in range(MAX_LEVELS)]
    assert groups(tmp_path, "ward", names).tolist() == names


@pytest.mark.parametrize("age", [-1, 450])
def test_an_age_that_nobody_has_is_refused(tmp_path, age):
    with pytest.raises(InputError, match=r"column 'age': years from 0 to 130 .* 1 of 3 rows"):
        groups(tmp_path, "age", [30, age, 60])


def test_ages_are_read_in_bands_of_years_whatever_the_case_of_the_column(tmp_path):
    assert groups(tmp_path, "Age", [17, 40, 81]).tolist() == ["under 18", "40-59", "80 and over"]


def test_a_column_of_one_number_is_one_band(tmp_path):
    assert len(set(groups(tmp_path, "dose", [1.5, 1.5, 1.5]))) == 1


def test_a_constant_that_is_not_recorded_anywhere_is_one_group(tmp_path):
    table = logits_table(3, seed=0).assign(site=pd.Series([None] * 3, dtype=object))
    given = read_given(write(table, tmp_path / "cases.csv"), ["site"])
    assert given.predictions.groups["site"].tolist() == ["not recorded"] * 3


def test_numbers_with_decimal_commas_are_read_in_bands_too(tmp_path):
    table = logits_table(40, seed=0).assign(weight=np.linspace(50.5, 90.25, 40))
    path = write(table, tmp_path / "cases.csv", sep=";", decimal=",")
    bands = read_given(path, ["weight"]).predictions.groups["weight"]
    # Quarters of 50.5 to 90.25, to whole numbers.
    assert set(bands) == {"below 60", "60 to below 70", "70 to below 80", "80 or more"}
