import os
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.data_diff import LABELS, DataDiff, compare_cases, diff_lines, diff_revisions
from pipeline.errors import InputError
from pipeline.stages import prepare
from tests.sources import make_cases, make_dataset, write_medmnist

CLASSES = ["healthy", "ill"]
SPLITS = ["train", "train", "val", "test"]
OFFICIAL = {
    "official": True,
    "divide": {"val": {"calibration": 0.5, "threshold": 0.5}},
    "reuse": {"val": "calibration"},
}
# DVC 3.67 asks its tree of paths in a way that the tree's library announces to change.
IGNORE_DVC = pytest.mark.filterwarnings("ignore:_NoneStep:DeprecationWarning")


def table(**changes):
    return make_cases([0, 1, 0, 1], split=SPLITS).assign(**changes)


def compare(old, new, old_classes=CLASSES, new_classes=CLASSES):
    return compare_cases(old, new, old_classes, new_classes)


def test_equal_tables_differ_in_nothing():
    assert not compare(table(), table())


def test_every_kind_of_change_is_told_apart():
    pixels = table()["pixel_sha256"].tolist()
    new = table(
        label=np.array([0, 0, 0, 1]),
        split=["train", "train", "test", "test"],
        pixel_sha256=[*pixels[:3], "f" * 64],
    )
    new.loc[0, "case"] = "case-new"
    diff = compare(table(), new)
    assert diff == DataDiff(
        added=["case-new"],
        removed=["case-0"],
        relabelled=[("case-1", "ill", "healthy")],
        moved=[("case-2", "val", "test")],
        redrawn=["case-3"],
    )


@pytest.mark.parametrize(
    ("column", "old", "new", "change"),
    [
        ("site", "north", "south", ("north", "south")),
        ("patient", "p", "q", ("p", "q")),
        ("group", "p", "q", ("p", "q")),
        ("sex", "female", "male", ("female", "male")),
        ("age", 61.0, np.nan, ("61.0", "-")),
        ("truth", [0.25, 0.75], [0.75, 0.25], ("[0.25, 0.75]", "[0.75, 0.25]")),
        ("spacing", None, np.array([1.0, 0.5]), ("-", "[1.0, 0.5]")),
        ("source", "a.dcm", "b.dcm", ("a.dcm", "b.dcm")),
        ("source_sha256", "0" * 64, "1" * 64, ("0" * 64, "1" * 64)),
    ],
)
def test_a_case_of_which_anything_else_is_said_is_altered(column, old, new, change):
    def one(value):
        return table(**{column: pd.Series([value] * 4, dtype=object)})

    expected = {column: [(f"case-{number}", *change) for number in range(4)]}
    diff = compare(one(old), one(new))
    assert diff == DataDiff([], [], [], [], [], altered=expected)
    assert not compare(one(new), one(new))
    first, second, *_ = diff_lines("set", diff)
    label = LABELS.get(column, column)
    assert first.endswith(f"0 with other pixels, 4 with another {label}")
    assert second == f"  {label}: case-0: {change[0][:40]} -> {change[1][:40]}"


def test_the_order_of_rows_and_of_classes_is_no_change():
    turned = table(label=1 - table()["label"]).iloc[::-1]
    assert not compare(table(), turned, new_classes=CLASSES[::-1])


def test_the_first_cases_are_listed_and_the_rest_counted():
    diff = DataDiff([f"c{n}" for n in range(12)], [], [("a", "ill", "healthy")], [], [])
    lines = list(diff_lines("set", diff))
    assert lines[0] == (
        "set: 12 added, 0 removed, 1 relabelled, 0 moved between splits, 0 with other pixels"
    )
    assert lines[1] == "  added: c0"
    assert lines[11:] == ["  added: and 2 more", "  relabelled: a: ill -> healthy"]


@pytest.fixture(autouse=True)
def site_cache(tmp_path, monkeypatch):
    """Keep what DVC remembers of the tests' data out of the machine's folder for it."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "site"))


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A repository with two revisions of one prepared data set; in the second one label differs."""
    root = tmp_path_factory.mktemp("repository")
    environment = os.environ | {
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(root / ".dvc/global"),
        "DVC_SITE_CACHE_DIR": str(root / ".dvc/site"),
    }

    def run(*command):
        subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)

    def commit():
        prepare.run("small", root=root)
        run("dvc", "add", "data/prepared/small")
        run("git", "add", "--all")
        run("git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-m", "Data")

    (root / "configs/datasets").mkdir(parents=True)
    (root / "data/raw/small").mkdir(parents=True)
    stated = make_dataset(splits=OFFICIAL).model_dump(exclude_none=True)
    (root / "configs/datasets/small.yaml").write_text(yaml.safe_dump(stated))
    (root / ".gitignore").write_text("/data/raw\n")
    run("git", "init", "--quiet")
    run("dvc", "init", "--quiet")
    file = root / "data/raw/small/f.npz"
    arrays = write_medmnist(file)
    commit()
    labels = arrays["test_labels"].copy()
    labels[0] = 1
    write_medmnist(file, test_labels=labels)
    commit()
    return root


@IGNORE_DVC
def test_two_revisions_differ_in_the_case_that_was_relabelled(repository):
    lines = list(diff_revisions("HEAD~1", "HEAD", root=repository))
    # All 24 come from one file, which is another.
    assert lines[:2] == [
        "small: 0 added, 0 removed, 1 relabelled, 0 moved between splits, 0 with other pixels, "
        "24 with another source file's hash",
        "  relabelled: test-000000: healthy -> ill",
    ]
    assert lines[-1] == "  source file's hash: and 14 more"


@IGNORE_DVC
def test_a_card_that_states_something_else_of_the_same_cases_is_said_to(repository, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(repository, copy)
    stated = make_dataset(splits=OFFICIAL, licence="CC BY").model_dump(exclude_none=True)
    (copy / "configs/datasets/small.yaml").write_text(yaml.safe_dump(stated))
    prepare.run("small", root=copy)
    assert list(diff_revisions("HEAD", "workspace", root=copy)) == [
        "small: no change",
        "  the card differs in: licence",
    ]


@IGNORE_DVC
def test_the_files_as_they_are_now_are_a_version_too(repository):
    assert list(diff_revisions("HEAD", "workspace", root=repository)) == ["small: no change"]


@IGNORE_DVC
def test_an_unknown_revision_and_data_set_are_refused(repository):
    with pytest.raises(InputError, match="revision 'nonsense': unknown Git revision"):
        list(diff_revisions("nonsense", "HEAD", root=repository))
    message = "no prepared data set 'other' at HEAD~1 or HEAD, only: small"
    with pytest.raises(InputError, match=message):
        list(diff_revisions("HEAD~1", "HEAD", root=repository, dataset="other"))


@IGNORE_DVC
def test_data_that_is_not_here_is_said_to_be_fetched(repository, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(repository, copy)
    shutil.rmtree(copy / ".dvc/cache")
    with pytest.raises(InputError, match="small at 'HEAD~1' is not in DVC's cache here: run dvc"):
        list(diff_revisions("HEAD~1", "HEAD", root=copy))


def damaged(path, how):
    content = path.read_bytes()
    path.unlink()
    damage = {"half": content[: len(content) // 2], "empty": b"", "other": b"[1]"}
    if how in damage:
        path.write_bytes(damage[how])
    return path


@IGNORE_DVC
@pytest.mark.parametrize("name", ["cases.parquet", "card.json"])
@pytest.mark.parametrize("how", ["half", "empty", "other", "gone"])
def test_damaged_files_of_the_workspace_are_one_line(repository, tmp_path, name, how):
    copy = tmp_path / "copy"
    shutil.copytree(repository, copy)
    path = damaged(copy / "data/prepared/small" / name, how)
    with pytest.raises(InputError, match=rf"{name} is .*`dvc repro .* data@small` makes it again"):
        list(diff_revisions("HEAD", "workspace", root=copy))
    (path.parent / "SHA256SUMS").unlink()
    if how != "gone":
        with pytest.raises(InputError, match="small at 'workspace': a table of cases and a card"):
            list(diff_revisions("HEAD", "workspace", root=copy))
