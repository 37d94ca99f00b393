import numpy as np
import pandas as pd
import pytest

from pipeline.bring_your_own.cases import read_all
from pipeline.errors import InputError
from tests.bring_your_own.tables import logits_table, read_given, write

ONE_TO_THREE = ("1", "2", "3")


def files(tmp_path, *labels, classes=ONE_TO_THREE):
    """One file for each list of labels."""
    paths = []
    for number, each in enumerate(labels):
        table = logits_table(len(each), seed=number, classes=classes).assign(label=each)
        paths.append(write(table, tmp_path / f"{number}.csv"))
    return paths


def test_classes_one_to_three_with_labels_from_zero_are_decided_once_for_both_files(tmp_path):
    # Alone the second file's labels are names as well.
    first, second = read_all(files(tmp_path, [0, 1, 2], [1, 2, 1]))
    assert first.predictions.labels.tolist() == [0, 1, 2]
    assert second.predictions.labels.tolist() == [1, 2, 1]


def test_classes_one_to_three_with_labels_of_those_names_are_names_in_both_files(tmp_path):
    first, second = read_all(files(tmp_path, [1, 2, 1], [1, 2, 3]))
    assert first.predictions.labels.tolist() == [0, 1, 0]
    assert second.predictions.labels.tolist() == [0, 1, 2]


def test_labels_that_may_be_names_or_numbers_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"0\.csv: column 'label': .* may be both, .* 1, 2, 3"):
        read_all(files(tmp_path, [1, 2, 1], [2, 1, 2]), chosen=ONE_TO_THREE)


def test_names_in_one_file_and_numbers_in_the_other_are_refused_where_names_are_numbers(tmp_path):
    match = r"1\.csv: column 'label': labels of the same meaning as in .*0\.csv.* expected"
    with pytest.raises(InputError, match=match):
        read_all(files(tmp_path, [1, 2, 3], [0, 1, 2]))


def test_classes_named_by_all_numbers_from_zero_are_meant_by_the_labels(tmp_path):
    (given,) = read_all(files(tmp_path, [0, 1, 2], classes=("2", "1", "0")))
    assert given.predictions.labels.tolist() == [2, 1, 0]


def test_names_in_one_file_and_numbers_in_the_other_mean_the_same_classes(tmp_path):
    classes = ("benign", "malignant")
    first, second = read_all(files(tmp_path, ["benign", "malignant"], [1, 0], classes=classes))
    assert first.predictions.labels.tolist() == [0, 1]
    assert second.predictions.labels.tolist() == [1, 0]


def test_labels_with_spaces_or_another_case_are_read_and_counted(tmp_path):
    labels = ["Benign", " malignant", "benign", "MALIGNANT "]
    (path,) = files(tmp_path, labels, classes=("benign", "malignant"))
    given = read_given(path)
    assert given.predictions.labels.tolist() == [0, 1, 0, 1]
    assert given.num_respelt == 3


def test_classes_that_differ_in_case_alone_are_told_apart(tmp_path):
    (path,) = files(tmp_path, ["a", "A", "a"], classes=("a", "A"))
    assert read_given(path).predictions.labels.tolist() == [0, 1, 0]


def test_numbers_that_a_gap_made_floats_are_labels(tmp_path):
    (path,) = files(tmp_path, ["0.0", "1.0", "2.0"], classes=("a", "b", "c"))
    assert read_given(path).predictions.labels.tolist() == [0, 1, 2]


def test_a_column_that_is_of_no_class_is_asked_for(tmp_path):
    entropy = logits_table(6, seed=0).assign(logit_entropy=np.linspace(0, 1, 6))
    path = write(entropy, tmp_path / "cases.csv")
    with pytest.raises(
        InputError, match=r"got none of entropy: if logit_entropy is no class.*--classes"
    ):
        read_given(path)
    assert read_given(path, chosen=("a", "b", "c")).classes == ("a", "b", "c")


def test_a_class_without_a_case_stays_a_class_where_it_is_named(tmp_path):
    table = logits_table(6, seed=0).assign(label=["a", "b"] * 3)
    path = write(table, tmp_path / "cases.csv")
    assert read_given(path, chosen=("a", "b", "c")).classes == ("a", "b", "c")


def test_a_chosen_class_without_a_column_is_named(tmp_path):
    path = write(logits_table(6, seed=0), tmp_path / "cases.csv")
    with pytest.raises(InputError, match=r"a column logit_CLASS for each .* got none for d"):
        read_given(path, chosen=("a", "b", "d"))


@pytest.mark.parametrize(
    ("labels", "classes", "numbers"),
    [
        (["ill", "well", "ill"], ("well", "ill"), [1, 0, 1]),
        ([1, 0, 1], ("not ill", "ill"), [1, 0, 1]),
        (["Ill", "well", "Well"], ("well", "ill"), [1, 0, 0]),
    ],
)
def test_one_column_of_a_sigmoid_becomes_a_pair(tmp_path, labels, classes, numbers):
    table = pd.DataFrame({"probability_ill": [0.75, 0.25, 1.0], "label": labels})
    given = read_given(write(table, tmp_path / "cases.csv"))
    if labels[1:] == ["well", "Well"]:
        classes = ("Well", "ill")
    assert given.outputs.pair
    assert given.classes[1] == "ill"
    assert given.classes[0].casefold() == classes[0].casefold()
    assert given.predictions.labels.tolist() == numbers
    np.testing.assert_allclose(np.exp(given.predictions.logits[:2]), [[0.25, 0.75], [0.75, 0.25]])


def test_one_column_needs_labels_of_two_classes(tmp_path):
    table = pd.DataFrame({"probability_ill": [0.1, 0.2, 0.9], "label": ["x", "y", "ill"]})
    with pytest.raises(InputError, match="labels of one other class expected beside .*, got 2"):
        read_given(write(table, tmp_path / "cases.csv"))
