import pytest

from pipeline.config import Dataset, read_config
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from tests.projects import ROOT
from tests.sources import DIVIDED, make_dataset

CONFIGS = sorted((ROOT / "configs/datasets").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_data_set_that_comes_with_the_project_is_valid(path):
    assert read_config(path, Dataset).licence


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": [{"name": "a"}]}, "exactly one of 'sha256' and 'md5' expected"),
        ({"files": [{"name": "a", "sha256": "0" * 64, "md5": "0" * 32}]}, "exactly one of"),
        ({"files": [{"name": "../a", "sha256": "0" * 64}]}, r"key 'files\.0\.name'"),
        ({"files": [{"name": "a", "sha256": "0" * 63}]}, r"key 'files\.0\.sha256'"),
        ({"classes": ["same", "same"]}, "two of the 'classes' have the same name"),
        ({"critical_classes": ["dead"]}, r"names no class of the set: \['dead'\]"),
        ({"image_size": [4, 0]}, r"key 'image_size\.1'"),
        ({"splits": {"divide": {"train": {"train": 1}}}}, "needs the single key 'all'"),
        ({"splits": {"divide": {"all": {"train": 0.9}}}}, "must be positive and sum to 1, not 0.9"),
        ({"splits": {"divide": {"all": {"dev": 1}}}}, r"key 'splits\.divide\.all\.dev"),
        ({"splits": {"divide": DIVIDED, "reuse": {"test": "val"}}}, r"key 'splits\.reuse\.test"),
        ({"splits": {"divide": DIVIDED, "reuse": {"val": "test"}}}, r"key 'splits\.reuse\.val"),
        ({"known_equal_pixels": {"train/dev": 1}}, r"key 'known_equal_pixels\.train/dev"),
        ({"long_tail": {"imbalance_ratio": 1}}, r"key 'long_tail\.imbalance_ratio'"),
        ({"max_cases": {"train": 0}}, r"key 'max_cases\.train'"),
    ],
)
def test_a_fault_is_refused_by_its_key(changes, message):
    stated = make_dataset().model_dump() | changes
    with pytest.raises(InputError, match=f"d.yaml: .*{message}"):
        check_config(stated, Dataset, place="d.yaml")


@pytest.mark.parametrize(
    "reuse",
    [
        {"threshold": "calibration"},
        {"calibration": "threshold"},
        {"threshold": "val", "calibration": "val"},
    ],
)
def test_thresholds_are_never_chosen_on_the_calibrators_cases(reuse):
    with pytest.raises(ValueError, match="gives thresholds the cases that calibrators are fitted"):
        make_dataset(splits={"divide": DIVIDED, "reuse": reuse})


def test_a_split_that_is_absent_is_served_by_the_one_it_reuses():
    splits = make_dataset(splits={"divide": DIVIDED, "reuse": {"val": "calibration"}}).splits
    assert [splits.serving(split) for split in ("train", "val", "test")] == [
        "train",
        "calibration",
        "test",
    ]
