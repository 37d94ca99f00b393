import json

import numpy as np
import pytest
import yaml

from pipeline.artifacts import read_prepared
from pipeline.config import read_dataset
from pipeline.errors import InputError
from pipeline.stages import acquire, prepare
from tests.dicom_files import write_image, write_table
from tests.projects import ROOT
from tests.sources import make_dataset, mirrored, write_medmnist

OFFICIAL = {
    "official": True,
    "divide": {"val": {"calibration": 0.5, "threshold": 0.5}},
    "reuse": {"val": "calibration"},
}


def configure(root, **changes):
    path = root / "configs/datasets/small.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset = make_dataset(**({"splits": OFFICIAL} | changes))
    path.write_text(yaml.safe_dump(dataset.model_dump(exclude_none=True)))


@pytest.fixture
def root(tmp_path):
    (tmp_path / "data/raw/small").mkdir(parents=True)
    write_medmnist(tmp_path / "data/raw/small/f.npz")
    return tmp_path


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_images_rows_and_card_agree(root, capsys):
    configure(root)
    prepare.run("small", root=root)
    assert capsys.readouterr().out == (
        "small: 24 cases read, 0 quarantined\n"
        "small: no case names its patient: every image counts as a patient of its own\n"
    )
    prepared = read_prepared(root / "data/prepared/small")
    assert prepared.images.shape == (24, 4, 4, 1)
    assert len(prepared.rows("train")) == 12
    np.testing.assert_array_equal(prepared.rows("val"), prepared.rows("calibration"))
    assert prepared.card["counts"]["test"] == {"healthy": 3, "ill": 3}
    assert sorted(contents(root / "data/prepared/small")) == [
        "SHA256SUMS", "card.html", "card.json", "cases.parquet", "images.npy", "quarantine.csv",
    ]  # fmt: skip


def test_every_image_stays_with_its_row_when_cases_are_left_out(root):
    configure(root, max_cases={"train": 5})
    prepare.run("small", root=root)
    prepared = read_prepared(root / "data/prepared/small")
    originals = np.load(root / "data/raw/small/f.npz")
    for case, image in zip(prepared.cases["case"], prepared.images, strict=True):
        split, number = case.split("-")
        np.testing.assert_array_equal(image[..., 0], originals[f"{split}_images"][int(number)])
    assert len(prepared.rows("train")) == 5


def test_two_runs_give_the_same_bytes(root):
    configure(root, show_images=True)
    prepare.run("small", root=root)
    first = contents(root / "data/prepared/small")
    prepare.run("small", root=root)
    assert contents(root / "data/prepared/small") == first


def test_a_failure_leaves_the_former_data_set_as_it_was(root):
    configure(root)
    prepare.run("small", root=root)
    first = contents(root / "data/prepared/small")
    write_medmnist(root / "data/raw/small/f.npz", train_labels=np.full((12, 1), 2))
    message = r"small\.yaml: case train-000000 of f\.npz: label must lie in \[0, 2\), got 2"
    with pytest.raises(InputError, match=message):
        prepare.run("small", root=root)
    assert contents(root / "data/prepared/small") == first
    assert [path.name for path in (root / "data/prepared").iterdir()] == ["small"]


def test_what_was_not_acquired_cannot_be_prepared(tmp_path):
    configure(tmp_path)
    with pytest.raises(InputError, match=r"data/raw/small does not exist: run acquire first"):
        prepare.run("small", root=tmp_path)


@pytest.mark.parametrize(
    ("name", "file", "counts"),
    [
        ("digits", None, None),
        ("breastmnist", "breastmnist.npz", {"train": 546, "test": 156}),
        ("pneumoniamnist", "pneumoniamnist_reordered.npz", {"train": 4708, "test": 624}),
    ],
)
def test_a_real_data_set_passes_its_audit(tmp_path, name, file, counts):
    if file is not None:
        mirrored(file)
    (tmp_path / "configs").symlink_to(ROOT / "configs")
    acquire.run(name, root=tmp_path)
    prepare.run(name, root=tmp_path)
    card = json.loads((tmp_path / "data/prepared" / name / "card.json").read_text())
    for split, expected in (counts or {}).items():
        assert sum(card["counts"][split].values()) == expected


def test_the_official_file_would_pass_its_audit(tmp_path):
    # The file at hand has the official images, those of val and test in the official order; the
    # order of train decides nothing, since train is not divided.
    mirrored("pneumoniamnist_reordered.npz")
    official, at_hand = (
        read_dataset(ROOT / "configs", name)
        for name in ("pneumoniamnist_official", "pneumoniamnist")
    )
    stated = official.model_copy(update={"files": at_hand.files}).model_dump(exclude_none=True)
    (tmp_path / "configs/datasets").mkdir(parents=True)
    (tmp_path / "configs/datasets/small.yaml").write_text(yaml.safe_dump(stated))
    acquire.run("small", root=tmp_path)
    prepare.run("small", root=tmp_path)
    card = json.loads((tmp_path / "data/prepared/small/card.json").read_text())
    assert card["equal_pixels"]["across"] == {"train/calibration": 3, "train/threshold": 5}
    assert card["equal_pixels"]["within"] == {"train": 18, "test": 3}


def test_equal_images_that_the_config_does_not_admit_fail_a_real_data_set(tmp_path):
    mirrored("pneumoniamnist_reordered.npz")
    stated = yaml.safe_load((ROOT / "configs/datasets/pneumoniamnist.yaml").read_text())
    # The source's val shares eight images with its train; val is divided in two.
    assert sum(stated.pop("known_equal_pixels").values()) == 8
    (tmp_path / "configs/datasets").mkdir(parents=True)
    (tmp_path / "configs/datasets/small.yaml").write_text(yaml.safe_dump(stated))
    acquire.run("small", root=tmp_path)
    message = "leakage: 3 distinct images occur in both parts of train/calibration"
    with pytest.raises(InputError, match=message):
        prepare.run("small", root=tmp_path)


@pytest.mark.parametrize("name", ["files.parquet", "labels.parquet", "SHA256SUMS"])
def test_an_index_that_changed_since_it_was_acquired_is_not_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "in/a.dcm", np.zeros((4, 4), np.uint16))
    write_table(tmp_path / "labels.csv", [("a.dcm", "ill")])
    labels = {"table": "labels.csv", "key": "file", "key_column": "key"}
    configure(tmp_path, adapter="dicom", arguments={"folder": "in", "labels": labels})
    acquire.run("small", root=tmp_path)
    path = tmp_path / "data/raw/small" / name
    content = bytearray(path.read_bytes())
    content[10] ^= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match="`dvc repro .* data@small` makes it again"):
        prepare.run("small", root=tmp_path)
