import pickle

import numpy as np
import pytest

from pipeline.adapters.cifar import read
from pipeline.config import read_dataset
from pipeline.errors import InputError
from tests.projects import ROOT
from tests.sources import make_dataset, python_2_pickle, write_tar

NAMES = [b"healthy", b"ill"]


def small(**changes):
    official = {"official": True, "divide": {"train": {"train": 0.5, "val": 0.5}}}
    return make_dataset(**({"image_size": [32, 32], "channels": 3, "splits": official} | changes))


def batch(num_images, seed=0, **changes):
    rng = np.random.default_rng(seed)
    content = {
        b"batch_label": b"a batch",
        b"labels": rng.integers(0, 2, num_images).tolist(),
        b"data": rng.integers(0, 256, (num_images, 3072), np.uint8),
        b"filenames": [b"a.png"] * num_images,
    }
    return content | changes


def write_cifar_10(folder):
    batches = {f"data_batch_{number}": batch(3, seed=number) for number in (4, 1)}
    batches["test_batch"] = batch(2)
    members = {name: python_2_pickle(content) for name, content in batches.items()}
    table = {b"label_names": NAMES, b"num_vis": 3072}
    members |= {"batches.meta": python_2_pickle(table), "readme.html": b"<html>"}
    write_tar(folder / "cifar.tar.gz", members)
    return batches


def test_batches_of_cifar_10_are_read_as_they_come(tmp_path):
    batches = write_cifar_10(tmp_path)
    cases = list(read(tmp_path, small()))
    names = ["data_batch_4"] * 3 + ["data_batch_1"] * 3 + ["test_batch"] * 2
    assert [case.source for case in cases] == [f"cifar.tar.gz/{name}" for name in names]
    assert [case.split for case in cases] == ["train"] * 6 + ["test"] * 2
    assert len({case.case for case in cases}) == 8
    assert [case.label for case in cases[:3]] == batches["data_batch_4"][b"labels"]
    # 1,024 red values row by row, then green, then blue.
    row = batches["data_batch_4"][b"data"][2]
    assert cases[2].image[5, 7].tolist() == [row[plane * 1024 + 5 * 32 + 7] for plane in range(3)]


@pytest.mark.parametrize(("labels", "expected"), [("fine", [0, 1]), ("coarse", [1, 0])])
def test_cifar_100_has_two_labels_an_image(tmp_path, labels, expected):
    content = batch(2)
    del content[b"labels"]
    content |= {b"fine_labels": [0, 1], b"coarse_labels": [1, 0]}
    table = {b"fine_label_names": NAMES, b"coarse_label_names": NAMES}
    members = {"meta": table, "test": content, "train": content}
    write_tar(
        tmp_path / "c.tar.gz", {name: python_2_pickle(each) for name, each in members.items()}
    )
    cases = list(read(tmp_path, small(arguments={"labels": labels})))
    assert [case.label for case in cases] == expected * 2
    assert [case.split for case in cases] == ["test"] * 2 + ["train"] * 2


def test_the_configs_name_the_classes_that_the_archives_do():
    for name, count in (("cifar10", 10), ("cifar100", 100)):
        dataset = read_dataset(ROOT / "configs", name)
        assert len(dataset.classes) == count
        assert dataset.classes == sorted(dataset.classes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({b"data": np.zeros((3, 3071), np.uint8)}, r"'data': uint8 of shape \(3, 3072\) expected"),
        ({b"data": np.zeros((3, 3072), np.int16)}, "'data': uint8 .* got int16"),
        ({b"data": [0] * 3}, "'data': uint8 .* got <class 'list'>"),
        ({b"labels": [0, 1]}, r"'data': uint8 of shape \(2, 3072\) expected"),
        ({b"labels": [0, 1, b"2"]}, "'labels': a list of whole numbers expected"),
    ],
)
def test_a_faulty_batch_is_refused_by_archive_and_name(tmp_path, changes, message):
    members = {"data_batch_1": python_2_pickle(batch(3) | changes)}
    write_tar(tmp_path / "cifar.tar.gz", members)
    with pytest.raises(InputError, match=rf"cifar\.tar\.gz: data_batch_1: key {message}"):
        list(read(tmp_path, small()))


def test_a_batch_that_would_run_code_is_refused(tmp_path):
    write_tar(tmp_path / "c.tar.gz", {"test_batch": b"cos\nsystem\n(S'true'\ntR."})
    message = r"c\.tar\.gz: batches-py/test_batch: the pickle asks for os\.system, .* refused"
    with pytest.raises(InputError, match=message):
        list(read(tmp_path, small()))


def test_other_classes_than_the_archives_are_refused(tmp_path):
    write_cifar_10(tmp_path)
    with pytest.raises(InputError, match=r"the archive's classes are \['healthy', 'ill'\]"):
        list(read(tmp_path, small(classes=["ill", "healthy"])))


def test_a_missing_key_an_empty_and_a_truncated_archive_are_refused(tmp_path):
    path = tmp_path / "c.tar.gz"
    write_tar(path, {"test_batch": pickle.dumps({b"data": 1})})
    with pytest.raises(InputError, match="key 'fine_labels' missing"):
        list(read(tmp_path, small()))
    write_tar(path, {"readme.html": b""})
    with pytest.raises(InputError, match="no batch found"):
        list(read(tmp_path, small()))
    write_tar(path, {"test_batch": python_2_pickle(batch(2))})
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"c\.tar\.gz: damaged or no \.tar\.gz archive"):
        list(read(tmp_path, small()))


def test_a_batch_that_claims_too_much_is_refused_unread(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.adapters.cifar.MAX_BATCH_BYTES", 1000)
    write_tar(tmp_path / "c.tar.gz", {"test_batch": b"x" * 1001})
    with pytest.raises(InputError, match="test_batch claims 1001 bytes, at most 1000 allowed"):
        list(read(tmp_path, small()))


@pytest.mark.parametrize("table", [7, {}, {b"label_names": 7}, {b"label_names": [7]}])
def test_a_table_of_names_that_is_none_is_refused_in_one_line(tmp_path, table):
    write_tar(tmp_path / "c.tar.gz", {"batches.meta": python_2_pickle(table)})
    match = r"c\.tar\.gz: batches\.meta: .*(a dictionary|a list of names) expected"
    with pytest.raises(InputError, match=match):
        list(read(tmp_path, small()))
