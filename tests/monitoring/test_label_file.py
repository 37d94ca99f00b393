import pandas as pd
import pytest

from pipeline.errors import InputError
from pipeline.monitoring.label_file import read_labels
from tests.monitoring.watched_release import CLASSES

LOG = pd.DataFrame({"patient": ["p1", "p1", "p2"], "study": ["s1", "s2", "s3"]})


def read(tmp_path, text):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return read_labels(path, LOG, CLASSES)


def test_labels_stay_in_the_order_of_the_rows_and_count_once(tmp_path):
    labels = read(
        tmp_path,
        "patient,study,label,note\np2,s3,benign,x\np1,s1, malignant,\np2,s3,benign,again\n",
    )
    assert labels["study"].tolist() == ["s3", "s1"]
    assert labels["label"].tolist() == ["benign", "malignant"]


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ("p9,s1,benign", "row 1 below the header: a patient of the log expected"),
        ("p2,s1,benign", "row 1 below the header: a study of this patient in the log expected"),
        ("p1,s1,cyst", "row 1 below the header: a class of the release expected: benign, malignan"),
        ("p1,s1,benign\np2,s3,benign\np1,s1,malignant", "row 3 .*: the label of the row before on"),
        ("p1,s1", "row 1 below the header: 3 cells expected"),
    ],
)
def test_a_row_that_cannot_be_believed_is_named(tmp_path, rows, fault):
    with pytest.raises(InputError, match=rf"labels\.csv: {fault}"):
        read(tmp_path, f"patient,study,label\n{rows}\n")


def test_a_table_without_a_column_is_refused(tmp_path):
    with pytest.raises(InputError, match="column 'study' expected, got 2 others"):
        read(tmp_path, "patient,label\np1,benign\n")
