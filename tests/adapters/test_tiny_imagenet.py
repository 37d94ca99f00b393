import numpy as np
import pytest

from pipeline.adapters.case import Quarantined
from pipeline.adapters.tiny_imagenet import acquire, read
from pipeline.config import read_dataset
from pipeline.errors import InputError
from pipeline.preparing.splitting import assign_splits
from tests.projects import ROOT
from tests.sources import encode, make_cases, make_dataset, write_zip

WNIDS = ["n01443537", "n01742172"]
SPLITS = {"official": True, "divide": {"train": {"train": 0.5, "val": 0.5}, "val": {"test": 1}}}


def dataset(**changes):
    stated = {"classes": WNIDS, "channels": 3, "splits": SPLITS}
    return make_dataset(**(stated | changes))


def tree(top="tiny-imagenet-200/", val_lines=("val_0.JPEG\tn01742172\t0\t0\t3\t3",)):
    def picture(value):
        return encode(np.full((4, 4, 3), value, np.uint8), "JPEG", quality=95)

    files = {
        "wnids.txt": b"n01742172\nn01443537\n",
        "words.txt": b"n01443537\tgoldfish\n",
        "val/val_annotations.txt": "\n".join(val_lines).encode(),
        "val/images/val_0.JPEG": picture(200),
        "test/images/test_0.JPEG": picture(9),
    }
    for value, wnid in ((50, WNIDS[0]), (100, WNIDS[1])):
        files[f"train/{wnid}/images/{wnid}_0.JPEG"] = picture(value)
        files[f"train/{wnid}/{wnid}_boxes.txt"] = b"boxes"
    return {f"{top}{name}": content for name, content in files.items()}


@pytest.mark.parametrize("top", ["", "tiny-imagenet-200/"])
def test_train_and_val_are_read_with_their_labels_and_test_is_not(tmp_path, top):
    write_zip(tmp_path / "t.zip", tree(top))
    cases = list(read(tmp_path, dataset()))
    assert [(case.split, case.label) for case in cases] == [("train", 0), ("train", 1), ("val", 1)]
    assert [round(case.image.mean()) for case in cases] == [50, 100, 200]
    assert cases[0].case == "n01443537_0"


def test_an_unpacked_folder_reads_alike(tmp_path):
    for name, content in tree().items():
        path = tmp_path / "unpacked" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (tmp_path / "raw").mkdir()
    unpacked = dataset(arguments={"folder": str(tmp_path / "unpacked")})
    acquire(tmp_path / "raw", unpacked)
    cases = list(read(tmp_path / "raw", unpacked))
    assert [(case.split, case.label) for case in cases] == [("train", 0), ("train", 1), ("val", 1)]


def test_a_val_image_without_an_annotation_is_quarantined(tmp_path):
    write_zip(tmp_path / "t.zip", tree(val_lines=()))
    *_, last = read(tmp_path, dataset())
    assert isinstance(last, Quarantined)
    assert last.reason == "no label"


def test_a_broken_image_is_quarantined(tmp_path):
    files = tree("")
    files["val/images/val_0.JPEG"] = b"no picture"
    write_zip(tmp_path / "t.zip", files)
    *_, last = read(tmp_path, dataset())
    assert last == Quarantined("val/images/val_0.JPEG", "not a picture", last.advice)


def test_other_classes_and_missing_lists_are_refused(tmp_path):
    path = tmp_path / "t.zip"
    write_zip(path, tree())
    with pytest.raises(InputError, match=r"classes differ in 1: \['n09999999'\]"):
        next(read(tmp_path, dataset(classes=[*WNIDS, "n09999999"])))
    write_zip(path, {k: v for k, v in tree("").items() if k != "wnids.txt"})
    with pytest.raises(InputError, match=r"one wnids\.txt expected, got 0"):
        next(read(tmp_path, dataset()))
    write_zip(path, {k: v for k, v in tree("").items() if "annotations" not in k})
    with pytest.raises(InputError, match=r"val/val_annotations\.txt is missing"):
        next(read(tmp_path, dataset()))


@pytest.mark.parametrize("name", ["tiny_imagenet", "tiny_imagenet40"])
def test_what_is_tested_is_the_official_val_and_never_calibrated_on(name):
    dataset = read_dataset(ROOT / "configs", name)
    num_train, num_val = 500, 50  # images of each class
    official = ["train"] * num_train * 2 + ["val"] * num_val * 2
    parts = assign_splits(make_cases([0, 1] * 550, official=official), dataset.splits)
    assert set(parts[1000:]) == {"test"}
    counts = parts[:1000].value_counts().to_dict()
    assert counts == {"train": 900, "val": 20, "calibration": 50, "threshold": 30}
