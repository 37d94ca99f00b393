import math

import pytest
import yaml

from pipeline.config import Dataset, dataset_files, read_config, read_dataset
from pipeline.config.reading import check_config, merge, read_yaml
from pipeline.errors import InputError
from tests.projects import ROOT
from tests.sources import DIVIDED, make_dataset

NAN = math.nan
CONFIGS = ROOT / "configs"
NAMES = sorted(path.stem for path in (CONFIGS / "datasets").glob("*.yaml"))
VARIANTS = [name for name in NAMES if len(dataset_files(CONFIGS, name)) > 1]
HEAD = {
    "title": "Head",
    "adapter": "medmnist",
    "arguments": {"label_column": 2, "case_key": "file"},
    "classes": ["healthy", "ill"],
    "image_size": [4, 4],
    "channels": 1,
    "splits": {"seed": 1, "divide": DIVIDED},
    "expected_cases": {"train": 8},
    "licence": "CC0",
    "citation": "made for a test",
}


@pytest.fixture
def stated(tmp_path):
    """Write data sets below a folder `configs`, which is returned; one called head is there."""

    def write(**datasets):
        for name, content in ({"head": HEAD} | datasets).items():
            path = tmp_path / f"configs/datasets/{name}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(content))
        return tmp_path / "configs"

    return write


@pytest.mark.parametrize("name", NAMES)
def test_every_data_set_that_comes_with_the_project_is_valid(name):
    assert read_dataset(CONFIGS, name).licence


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_that_comes_with_the_project_says_only_what_differs(name):
    own, base = (read_yaml(path) for path in dataset_files(CONFIGS, name))
    del own["base"]
    assert [key for key in own if merge(base, {key: own[key]}) == base] == []


def test_a_variant_is_its_base_but_for_what_it_states(stated):
    variant = {
        "base": "head",
        "title": "Larger",
        "image_size": [8, 8, 8],
        "arguments": {"label_column": 3},
        "splits": {"seed": 2},
    }
    expected = HEAD | {
        "title": "Larger",
        "image_size": [8, 8, 8],
        "arguments": {"label_column": 3, "case_key": "file"},
        "splits": {"seed": 2, "divide": DIVIDED},
    }
    assert read_dataset(stated(variant=variant), "variant") == Dataset.model_validate(expected)


def test_null_takes_away_what_the_base_states(stated):
    variant = {"base": "head", "arguments": {"case_key": None}, "expected_cases": None}
    dataset = read_dataset(stated(variant=variant), "variant")
    assert dataset.arguments == {"label_column": 2}
    assert dataset.expected_cases == {}


def test_a_base_stays_as_it_is(stated):
    configs = stated(variant={"base": "head", "splits": {"seed": 2}})
    read_dataset(configs, "variant")
    assert read_dataset(configs, "head").splits.seed == 1


def test_the_files_of_a_data_set_are_its_own_and_then_its_bases(stated):
    configs = stated(variant={"base": "head"})
    head, variant = (configs / f"datasets/{name}.yaml" for name in ("head", "variant"))
    assert dataset_files(configs, "head") == [head]
    assert dataset_files(configs, "variant") == [variant, head]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"titel": "Larger"}, "unknown key 'titel'; known keys: title, "),
        ({"splits": {"sead": 2}}, r"unknown key 'splits\.sead'"),
        # Null is no way past the check of names either.
        ({"expected_case": None}, "unknown key 'expected_case'"),
        ({"licence": None}, "missing key 'licence'"),
        ({"classes": ["ill"]}, "key 'classes': "),
        (
            {"base": "tail"},
            r"key 'base': .*tail\.yaml: no such file; .* has: head, middle, variant",
        ),
        ({"base": "variant"}, "key 'base': a data set cannot be its own base"),
        ({"base": "middle"}, "key 'base': middle has the base head itself; only one level"),
        (
            {"base": "../datasets/head"},
            r"key 'base': a data set's name .*, got '\.\./datasets/head'",
        ),
        ({"base": ".head"}, r"key 'base': a data set's name expected, .*, got '\.head'"),
        ({"base": "head\n"}, r"key 'base': a data set's name expected, .*, got 'head\\n'"),
        ({"base": ["head"]}, r"key 'base': a data set's name expected, .*, got \['head'\]"),
        ({"base": None}, "key 'base': a data set's name expected, .*, got None"),
    ],
)
def test_a_faulty_variant_is_refused_by_its_file_and_key(stated, changes, message):
    configs = stated(middle={"base": "head"}, variant={"base": "head"} | changes)
    with pytest.raises(InputError, match=rf"datasets/variant\.yaml: {message}") as caught:
        read_dataset(configs, "variant")
    assert "\n" not in str(caught.value)


def test_a_fault_of_the_base_is_told_by_the_bases_file(stated):
    configs = stated(head=HEAD | {"titel": "Head"}, variant={"base": "head"})
    message = r"variant\.yaml: key 'base': .*head\.yaml: unknown key 'titel'; known keys: "
    with pytest.raises(InputError, match=message):
        read_dataset(configs, "variant")


def test_a_base_is_no_field_of_a_data_set(stated):
    path = stated(variant=HEAD | {"base": "head"}) / "datasets/variant.yaml"
    with pytest.raises(InputError, match=r"variant\.yaml: unknown key 'base'"):
        read_config(path, Dataset)


def test_a_data_set_is_named_and_never_by_a_path(stated):
    with pytest.raises(InputError, match=r"a data set's name expected, .*, got 'sub/head'"):
        read_dataset(stated(), "sub/head")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"files": [{"name": "a"}]}, "exactly one of 'sha256' and 'md5' expected"),
        ({"files": [{"name": "a", "sha256": "0" * 64, "md5": "0" * 32}]}, "exactly one of"),
        ({"files": [{"name": "../a", "sha256": "0" * 64}]}, r"key 'files\.0\.name'"),
        ({"files": [{"name": "..", "sha256": "0" * 64}]}, r"key 'files\.0\.name'"),
        ({"files": [{"name": "a\n", "sha256": "0" * 64}]}, r"key 'files\.0\.name'"),
        ({"files": [{"name": "a" * 101, "sha256": "0" * 64}]}, r"key 'files\.0\.name'"),
        ({"files": [{"name": "a", "sha256": "0" * 63}]}, r"key 'files\.0\.sha256'"),
        (
            {"files": [{"name": "a", "md5": digit * 32} for digit in "01"]},
            "two of the 'files' have the same name",
        ),
        ({"classes": ["same", "same"]}, "two of the 'classes' have the same name"),
        ({"critical_classes": ["dead"]}, r"names no class of the set: \['dead'\]"),
        ({"image_size": [4, 0]}, r"key 'image_size\.1'"),
        ({"splits": {"divide": {"train": {"train": 1}}}}, "needs the single key 'all'"),
        ({"splits": {"divide": {"all": {"train": 0.9}}}}, "must be positive and sum to 1, not 0.9"),
        ({"splits": {"divide": {"all": {"dev": 1}}}}, r"key 'splits\.divide\.all\.dev"),
        ({"splits": {"divide": DIVIDED, "reuse": {"test": "val"}}}, r"key 'splits\.reuse\.test"),
        ({"splits": {"divide": DIVIDED, "reuse": {"val": "test"}}}, r"key 'splits\.reuse\.val"),
        ({"known_equal_pixels": {"train/dev": 1}}, r"key 'known_equal_pixels\.train/dev"),
        ({"known_equal_pixels": {"train/train": 1}}, "must name every pair of two splits once"),
        ({"known_equal_pixels": {"train/val": 1, "val/train": 2}}, "must name every pair of two"),
        ({"splits": {"divide": {"all": {"train": NAN}}}}, "must be positive and sum to 1, not nan"),
        ({"splits": {"divide": DIVIDED, "seed": -1}}, r"key 'splits\.seed'"),
        (
            {"splits": {"divide": DIVIDED, "holdout_site": "south"}},
            "'divide' gives cases of 'all' to the test split, which 'holdout_site' keeps",
        ),
        ({"long_tail": {"imbalance_ratio": math.inf}}, r"key 'long_tail\.imbalance_ratio'"),
        ({"long_tail": {"imbalance_ratio": 2, "seed": -1}}, r"key 'long_tail\.seed'"),
        ({"image_size": [65536, 4]}, r"key 'image_size\.0'"),
        ({"image_size": [2048, 2048, 65]}, "make 272629760 values, at most 268435456"),
        ({"classes": ["L\u00e4sion", "La\u0308sion"]}, "two of the 'classes' have the same name"),
        ({"max_quarantined_share": NAN}, "key 'max_quarantined_share'"),
        (
            {"arguments": {"labels": {"split_column": "split"}}},
            r"'arguments\.labels\.split_column' is not read without 'splits\.official: true'",
        ),
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
