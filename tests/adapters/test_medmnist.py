import numpy as np
import pytest

from pipeline.adapters.medmnist import read
from pipeline.errors import InputError
from tests.sources import make_dataset, mirrored, write_medmnist

OFFICIAL = {"official": True, "divide": {"val": {"val": 0.5, "calibration": 0.5}}}


def official(**changes):
    return make_dataset(**({"splits": OFFICIAL} | changes))


@pytest.mark.parametrize(
    ("shape", "changes"),
    [
        ((4, 4), {}),
        ((4, 4, 3), {"channels": 3}),
        ((4, 4, 4), {"image_size": [4, 4, 4]}),
        ((4, 4, 4, 3), {"image_size": [4, 4, 4], "channels": 3}),
    ],
)
def test_pixels_labels_and_splits_come_as_written(tmp_path, shape, changes):
    arrays = write_medmnist(tmp_path / "f.npz", shape=shape)
    cases = list(read(tmp_path, official(**changes)))
    assert [case.split for case in cases] == ["train"] * 12 + ["val"] * 6 + ["test"] * 6
    images = np.concatenate([arrays[f"{split}_images"] for split in ("train", "val", "test")])
    read_images = np.stack([case.image for case in cases])
    np.testing.assert_array_equal(read_images.reshape(images.shape), images)
    assert [case.label for case in cases[:4]] == [0, 1, 0, 1]
    assert cases[0].image.shape == (
        *shape[: len(official(**changes).image_size)],
        cases[0].image.shape[-1],
    )


def test_without_a_patient_key_every_image_is_a_patient(tmp_path):
    write_medmnist(tmp_path / "f.npz")
    assert len({case.patient for case in read(tmp_path, official())}) == 24


def test_patients_and_cases_are_named_by_the_keys_the_config_gives(tmp_path):
    texts = {
        f"{split}_{key}": np.array([f"{key}-{split}-{number // 2}" for number in range(size)])
        for split, size in (("train", 12), ("val", 6), ("test", 6))
        for key in ("lesion_id", "image_id")
    }
    write_medmnist(tmp_path / "f.npz", **texts)
    arguments = {"patient_key": "lesion_id", "case_key": "image_id"}
    case = list(read(tmp_path, official(arguments=arguments)))[3]
    assert (case.patient, case.case) == ("lesion_id-train-1", "image_id-train-1")


def test_a_larger_image_is_reduced_to_the_stated_size(tmp_path):
    arrays = write_medmnist(tmp_path / "f.npz", shape=(8, 8, 8))
    case = next(read(tmp_path, official(image_size=[4, 4, 4])))
    means = arrays["train_images"][0].reshape(4, 2, 4, 2, 4, 2).mean(axis=(1, 3, 5))
    np.testing.assert_array_equal(case.image[..., 0], np.rint(means))


def test_one_finding_of_a_multi_label_file_is_picked(tmp_path):
    labels = {
        f"{split}_labels": np.eye(size, 3, dtype=np.uint8)
        for split, size in (("train", 12), ("val", 6), ("test", 6))
    }
    write_medmnist(tmp_path / "f.npz", **labels)
    cases = list(read(tmp_path, official(arguments={"label_column": 2})))
    assert [case.label for case in cases[:4]] == [0, 0, 1, 0]
    with pytest.raises(InputError, match=r"key 'train_labels': 3 findings a case: .*label_column"):
        list(read(tmp_path, official()))
    with pytest.raises(InputError, match=r"label_column must lie in \[0, 3\), got 3"):
        list(read(tmp_path, official(arguments={"label_column": 3})))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"train_labels": np.array([{}] * 12)}, "key 'train_labels': holds a pickle"),
        ({"train_labels": np.zeros(12)}, "whole numbers .* got float64"),
        ({"train_labels": np.zeros((11, 1), int)}, r"key 'train_images': 11 images"),
        ({"train_images": np.zeros((12, 4, 4, 3), np.uint8)}, r"1 channels expected, got shape"),
        ({"train_images": np.zeros((12, 16), np.uint8)}, r"2 axes .* got shape \(12, 16\)"),
        ({"class_names": np.array(["ill", "healthy"])}, "the data set states"),
        ({"train_lesion": np.zeros((12, 2))}, "key 'train_lesion': one text a case"),
    ],
)
def test_a_fault_names_the_file_and_the_key(tmp_path, extra, message):
    write_medmnist(tmp_path / "f.npz", **extra)
    arguments = {"patient_key": "lesion"} if "train_lesion" in extra else {}
    with pytest.raises(InputError, match=rf"f\.npz: key .*{message}|f\.npz: {message}"):
        list(read(tmp_path, official(arguments=arguments)))


def test_a_missing_split_is_named(tmp_path):
    np.savez(
        tmp_path / "f.npz", train_images=np.zeros((1, 4, 4)), train_labels=np.zeros((1, 1), int)
    )
    with pytest.raises(InputError, match="key 'val_labels': missing; the file has: train_images"):
        list(read(tmp_path, official()))


def test_a_set_for_testing_alone_needs_no_other_split(tmp_path):
    np.savez(
        tmp_path / "f.npz",
        test_images=np.zeros((3, 4, 4), np.uint8),
        test_labels=np.zeros((3, 1), int),
    )
    cases = list(read(tmp_path, official(splits={"official": True, "test_only": True})))
    assert [case.split for case in cases] == ["test"] * 3


def test_an_unknown_argument_and_a_second_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="arguments: unknown key 'patient'"):
        next(read(tmp_path, official(arguments={"patient": "x"})))
    for name in ("a.npz", "b.npz"):
        write_medmnist(tmp_path / name)
    with pytest.raises(InputError, match=r"one \.npz file expected, got 2"):
        next(read(tmp_path, official()))


def test_real_lesions_of_ham10000_are_never_in_two_splits(tmp_path):
    (tmp_path / "f.npz").symlink_to(mirrored("ham10000_28.npz"))
    dataset = official(
        classes=["akiec", "bcc", "bkl", "df", "mel", "nv", "vasc"],
        image_size=[28, 28],
        channels=3,
        arguments={"patient_key": "lesion_id", "case_key": "image_id"},
    )
    splits = {}
    for case in read(tmp_path, dataset):
        splits.setdefault(case.patient, set()).add(case.split)
    assert len(splits) == 7470  # lesions of HAM10000 (Tschandl et al. 2018)
    assert all(len(found) == 1 for found in splits.values())
