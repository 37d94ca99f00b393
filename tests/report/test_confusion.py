import dataclasses

import pytest

from pipeline.tables.accepted import failures_sentence, shown_confusion
from pipeline.tables.parts.scores import pick
from tests.report.simulated_scores import with_last_class_called
from tests.report.test_answers import small_class


def approved_rows(scores):
    point = pick(scores.frame("operating_points"), **scores.headline, target=0.05).iloc[0]
    rows = scores.frame("accepted")
    return rows[
        rows["threshold"] == rows["threshold"][rows["threshold"] >= point["threshold"]].min()
    ]


def test_answered_and_referred_together_are_every_test_image(screening):
    matrix, _ = shown_confusion(screening)
    counts = screening.dataset["classes"]
    everything = screening.frame("accepted").query("threshold == threshold.min()")
    by_class = everything.groupby("label")["cases"].sum()
    found = matrix.frame.groupby("label")[["answered", "referred"]].sum().sum(axis=1)
    assert {name: found[name] for name in counts} == {name: by_class[name] for name in counts}


def test_the_matrix_is_that_of_the_approved_threshold(screening):
    matrix, _ = shown_confusion(screening)
    for row in approved_rows(screening).itertuples():
        cells = pick(matrix.frame, label=row.label, prediction=row.prediction)
        assert cells["answered"].item() == row.cases


def test_the_commonest_confident_error_is_named(screening):
    _, errors = shown_confusion(screening)
    wrong = approved_rows(screening).query("label != prediction")
    most = wrong.loc[wrong["cases"].idxmax()]
    assert errors.caption.startswith(
        f"Commonest confident error: {most['label']} read as {most['prediction']}."
    )


def test_without_a_threshold_everything_is_referred_and_nothing_read_wrongly(screening):
    points = screening.frame("operating_points").assign(threshold=float("nan"), status="none")
    matrix, errors = shown_confusion(screening.having(operating_points=points))
    assert matrix.frame["answered"].sum() == 0
    assert matrix.frame["referred"].sum() == 600
    assert errors.rows == ()
    assert errors.caption.startswith("No image is answered, so none is misclassified.")


def test_answers_of_fewer_than_the_table_holds_are_not_said_to_be_none(screening):
    # A threshold above every one of the table's answers some all the same.
    points = screening.frame("operating_points").assign(
        threshold=0.99999999, status="found", answered=12
    )
    few = screening.having(operating_points=points)
    assert shown_confusion(few) == []
    assert failures_sentence(few, 3).startswith("Fewer than 30 cases are answered, so which errors")


def test_that_no_answered_image_is_wrong_is_said_only_of_classes_shown(screening):
    right = screening.frame("accepted").query("label == prediction")
    said = shown_confusion(screening.having(accepted=right))[1].caption
    assert said.startswith("No answered image was misclassified.")
    few = small_class(screening.having(accepted=right), 9)
    assert shown_confusion(few)[1].caption.startswith(
        "No answered image of the classes that are not hidden was misclassified."
    )


def test_the_commonest_error_is_said_to_be_of_the_classes_shown_where_some_are_not(screening):
    _, errors = shown_confusion(small_class(screening, 9))
    said = "Commonest confident error of the classes that are not hidden: "
    assert errors.caption.startswith(said)
    assert failures_sentence(small_class(screening, 9), 3).startswith(
        "Images of the classes that are not hidden answered wrongly, commonest first: "
    )


def test_a_class_of_a_few_patients_is_masked_here_and_in_the_file(screening):
    matrix, errors = shown_confusion(small_class(screening, 9))
    hidden = matrix.frame[matrix.frame["label"] == "malignant"]
    assert hidden["answered"].isna().all()
    assert {cell.text for row in matrix.rows if row[0].text == "malignant" for cell in row[1:]} == {
        "–*"
    }
    assert "malignant" not in {row[0].text for row in errors.rows}


def test_more_classes_than_a_matrix_can_show_have_their_errors_alone(screening):
    classes = [*screening.dataset["classes"], *(f"class {i}" for i in range(37))]
    dataset = screening.dataset | {"classes": classes}
    many = dataclasses.replace(screening, record=screening.record | {"dataset": dataset})
    assert [table.name for table in shown_confusion(many)] == ["commonest_errors"]


@pytest.mark.parametrize("name", ["null", "a,b"])
def test_odd_class_names_are_found(screening, name):
    matrix, _ = shown_confusion(with_last_class_called(name, screening))
    assert name in {row[0].text for row in matrix.rows}
