import pytest

from pipeline.errors import InputError
from pipeline.figures import Frame
from pipeline.report.explorer import explorer
from tests.report.test_answers import small_class

FRAME = Frame(left=0.1, right=0.9, top=0.1, bottom=0.9, highest=20.0)


def test_no_more_than_two_hundred_rows_are_embedded_and_never_a_case(screening):
    data = explorer(screening, FRAME).data
    assert len(data["points"]["answered"]) <= 200
    assert len(data["confusion"]) == len(data["points"]["answered"])
    assert "patients" not in data


def test_the_confusion_at_a_threshold_sums_to_what_is_answered_there(screening):
    data = explorer(screening, FRAME).data
    for matrix, answered in zip(data["confusion"], data["points"]["answered"], strict=True):
        assert sum(sum(row) for row in matrix) == answered


def test_a_class_too_small_to_show_is_not_embedded(screening):
    confusion = explorer(small_class(screening, 9), FRAME).data["confusion"]
    assert all(matrix[2] is None for matrix in confusion)
    assert sum(row is None for row in confusion[0]) == 2


def test_the_workload_has_a_row_for_each_of_eight_coverages(screening):
    table = explorer(screening, FRAME).workload
    assert len(table.rows) == 8
    assert table.frame["coverage"].tolist() == pytest.approx(
        [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0], abs=0.005
    )


def test_without_a_curve_there_is_nothing_to_explore(screening):
    none = screening.having(exact_band=screening.frame("exact_band").iloc[:0])
    assert explorer(none, FRAME) is None


def test_answers_of_an_unknown_class_are_refused(screening):
    odd = screening.frame("accepted").replace({"label": {"benign": "strange"}})
    with pytest.raises(InputError, match=r"accepted\.csv: label strange is known nowhere else"):
        explorer(screening.having(accepted=odd), FRAME)
