import numpy as np
import pandas as pd
import pytest

from pipeline.bring_your_own.class_columns import sum_tolerance
from pipeline.errors import InputError
from tests.bring_your_own.tables import logits_table, probability_table, read_given, write


@pytest.mark.parametrize("factor", [1, 100])
def test_probabilities_that_are_called_logits_are_refused(tmp_path, factor):
    table = probability_table(30, seed=0, decimals=9)
    numbers = factor * table.filter(like="probability_")
    renamed = numbers.rename(columns=lambda name: name.replace("probability", "logit"))
    path = write(renamed.assign(label=table["label"]), tmp_path / "cases.csv")
    with pytest.raises(InputError, match="column 'logit_a': logits expected, .* throughout: call"):
        read_given(path)


def test_probabilities_of_three_decimals_are_divided_by_their_sum_and_counted(tmp_path):
    table = probability_table(300, seed=0, decimals=3)
    sums = table.filter(like="probability_").sum(axis=1)
    given = read_given(write(table, tmp_path / "cases.csv"))
    np.testing.assert_allclose(np.exp(given.predictions.logits).sum(axis=1), 1.0, rtol=1e-12)
    assert given.outputs.num_rescaled == (np.abs(sums - 1) > 1e-6).sum() > 0


def test_the_tolerance_is_half_a_unit_of_the_third_decimal_for_each_class(tmp_path):
    # Ten classes of 0.0995 are rounded to 0.1, or, to even, to 0.0: sums miss by 0.005 at most.
    assert sum_tolerance(10) == pytest.approx(10 * 0.0005)
    columns = {f"probability_{k}": np.full(10, 0.1) for k in range(10)}
    table = pd.DataFrame(columns | {"label": np.arange(10)})
    table.loc[0, "probability_3"] = 0.105
    assert read_given(write(table, tmp_path / "cases.csv")).outputs.num_rescaled == 1
    table.loc[0, "probability_3"] = 0.1061
    with pytest.raises(InputError, match=r"sum to one within 0\.005, got 1\.0061 in 1 of 10 rows"):
        read_given(write(table, tmp_path / "cases.csv"))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_are_read_as_commas_are(tmp_path, separator):
    table = logits_table(6, seed=0)
    with_commas = read_given(write(table, tmp_path / "commas.csv"))
    given = read_given(write(table, tmp_path / "cases.csv", sep=separator))
    np.testing.assert_array_equal(given.predictions.logits, with_commas.predictions.logits)
    assert given.separator == separator


def test_decimal_commas_are_read_where_cells_are_parted_by_semicolons(tmp_path):
    table = logits_table(6, seed=0)
    points = read_given(write(table, tmp_path / "points.csv"))
    commas = read_given(write(table, tmp_path / "commas.csv", sep=";", decimal=","))
    np.testing.assert_array_equal(commas.predictions.logits, points.predictions.logits)


def test_thousands_with_commas_are_no_numbers(tmp_path):
    text = "logit_a;logit_b;label\n1,234.5;0.5;a\n0.5;1.5;b\n"
    (tmp_path / "cases.csv").write_text(text)
    with pytest.raises(InputError, match="column 'logit_a': numbers expected, .* first row 1"):
        read_given(tmp_path / "cases.csv")


def test_names_of_columns_are_read_in_any_case(tmp_path):
    table = logits_table(6, seed=0).assign(Patient=list("pqrstu"))
    renamed = table.rename(columns={"label": " Label", "logit_a": "Logit_a"})
    given = read_given(write(renamed, tmp_path / "cases.csv"))
    assert given.classes == ("a", "b", "c")
    assert given.names_patients


def test_two_columns_that_differ_in_case_alone_are_refused(tmp_path):
    table = logits_table(6, seed=0).assign(Patient=list("pqrstu"), PATIENT=list("pqrstu"))
    with pytest.raises(InputError, match="one column 'Patient' expected, got 2 that differ"):
        read_given(write(table, tmp_path / "cases.csv"))
