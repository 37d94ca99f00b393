import csv
import shutil

import numpy as np
import pytest

from pipeline.adapters.identity import load_pseudonyms
from pipeline.artifacts import read_predictions
from pipeline.errors import InputError
from pipeline.localising import label_table
from pipeline.localising.cases import MOST_EXAMPLES, NO_LABEL, read_site
from pipeline.releasing import read_release
from pipeline.releasing.model import restore_model
from tests.small_study import EXPERIMENT, LOSS, STUDY


@pytest.fixture(scope="module")
def opened(small_release):
    released = read_release(small_release)
    return released.release, restore_model(released)


@pytest.fixture
def few(clinic, tmp_path):
    """A part of the clinic: 40 files with their rows of the table."""
    with (clinic / "labels.csv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    files = sorted((clinic / "images").rglob("*.dcm"))[:40]
    for file in files:
        target = tmp_path / "few" / file.relative_to(clinic / "images")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    return tmp_path / "few", rows


def write_table(path, rows):
    with path.open("w", encoding="utf-8", newline="") as table:
        writer = csv.DictWriter(table, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return label_table(path, "sop", "sop_uid")


def read(opened, folder, table):
    return read_site(*opened, folder, table, load_pseudonyms())


def test_the_logits_are_those_that_the_study_evaluated(opened, clinic, small_study):
    site = read(opened, clinic / "images", label_table(clinic / "labels.csv", "sop", "sop_uid"))
    folder = small_study / f"data/logits/{STUDY}/{EXPERIMENT}/{LOSS}/seed-0"
    known = read_predictions(folder / "test.parquet")
    # Keys are hashed with another secret here: rows are matched by what they hold.
    for logits, label in zip(known.logits, known.labels, strict=True):
        distance = np.abs(site.predictions.logits - logits).max(axis=1)
        nearest = int(distance.argmin())
        # Batches of other shapes change the last bits of float32.
        assert distance[nearest] < 1e-4
        assert site.predictions.labels[nearest] == label
    assert len(np.unique(site.predictions.patients)) == 250
    assert len(site.examples) == MOST_EXAMPLES
    assert site.left_out == {}
    assert site.num_nameless == 0
    assert set(site.predictions.groups["site"]) == {"north", "south"}


def test_images_without_a_label_and_files_without_an_image_are_counted(opened, few, tmp_path):
    folder, rows = few
    (folder / "broken.dcm").write_bytes(b"no image")
    everything = read(opened, folder, write_table(tmp_path / "all.csv", rows))
    assert len(everything.predictions) == 40
    assert sum(everything.left_out.values()) == 1
    site = read(opened, folder, write_table(tmp_path / "some.csv", rows[::2]))
    assert len(site.predictions) + site.left_out[NO_LABEL] == 40
    assert 0 < site.left_out[NO_LABEL] < 40


def test_a_label_outside_the_classes_is_refused_by_its_row(opened, few, tmp_path):
    folder, rows = few
    rows[1] = rows[1] | {"label": "Doe^Jane"}
    table = write_table(tmp_path / "labels.csv", rows)
    with pytest.raises(InputError, match=r"labels\.csv: row 3: label outside the cl") as refusal:
        read(opened, folder, table)
    assert "Doe" not in str(refusal.value)


def test_a_folder_without_a_labelled_image_is_refused(opened, few, tmp_path):
    folder, rows = few
    strange = [row | {"sop_uid": f"1.2.{number}"} for number, row in enumerate(rows)]
    with pytest.raises(InputError, match="at least one labelled image expected, got none: 40 no l"):
        read(opened, folder, write_table(tmp_path / "labels.csv", strange))


def test_an_image_may_be_named_by_its_file(opened, few, tmp_path):
    folder, _ = few
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*.dcm")]
    rows = [{"file": name, "label": "benign"} for name in files[:30]]
    write_table(tmp_path / "labels.csv", rows)
    site = read(opened, folder, label_table(tmp_path / "labels.csv", "file"))
    assert len(site.predictions) == 30


def test_an_unknown_kind_of_key_is_refused(tmp_path):
    with pytest.raises(InputError, match="--labels: key 'key'"):
        label_table(tmp_path / "labels.csv", "name")
