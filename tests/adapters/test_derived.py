import numpy as np
import pytest
import yaml

from pipeline.adapters.derived import acquire, read
from pipeline.artifacts import read_json
from pipeline.corruptions import corrupt
from pipeline.errors import InputError
from pipeline.stages import acquire as acquire_stage
from pipeline.stages import prepare
from tests.sources import make_dataset, write_medmnist

OFFICIAL = {
    "official": True,
    "divide": {"val": {"calibration": 0.5, "threshold": 0.5}},
    "reuse": {"val": "calibration"},
}
TEST_ONLY = {"official": True, "test_only": True}


def configure(root, name, **changes):
    path = root / f"configs/datasets/{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(make_dataset(**changes).model_dump(exclude_none=True)))


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A prepared data set of 24 cases, six of them to test, 8 x 8 pixels."""
    monkeypatch.chdir(tmp_path)
    configure(tmp_path, "source", splits=OFFICIAL, image_size=[8, 8])
    (tmp_path / "data/raw/source").mkdir(parents=True)
    write_medmnist(tmp_path / "data/raw/source/f.npz", shape=(8, 8))
    prepare.run("source", root=tmp_path)
    return tmp_path


def derived(**arguments):
    return make_dataset(
        adapter="derived",
        image_size=[8, 8],
        splits=TEST_ONLY,
        arguments={"prepared": "data/prepared/source"} | arguments,
    )


def read_derived(root, dataset):
    raw = root / "raw"
    raw.mkdir(exist_ok=True)
    acquire(raw, dataset)
    return list(read(raw, dataset))


def test_every_test_case_comes_once_a_kind_and_severity(source):
    dataset = derived(corruptions=["contrast", "gaussian_noise"], severities=[1, 5], seed=3)
    cases = read_derived(source, dataset)
    views = ["contrast 1", "contrast 5", "gaussian noise 1", "gaussian noise 5"]
    assert [case.site for case in cases] == [view for view in views for _ in range(6)]
    assert {case.split for case in cases} == {"test"}
    assert len({case.case for case in cases}) == 24
    assert len({case.patient for case in cases}) == 6
    assert [case.label for case in cases[:6]] == [0, 1, 0, 1, 0, 1]


def test_images_are_the_sources_own_corrupted(source):
    cases = read_derived(source, derived(corruptions=["contrast"], severities=[4]))
    originals = np.load(source / "data/raw/source/f.npz")["test_images"]
    expected = corrupt(originals[2][..., None], "contrast", 4, np.random.default_rng(0))
    np.testing.assert_array_equal(cases[2].image, expected)


def test_the_noise_is_seeded_and_another_for_every_case(source):
    first = read_derived(source, derived(corruptions=["gaussian_noise"], severities=[5]))
    again = read_derived(source, derived(corruptions=["gaussian_noise"], severities=[5]))
    other = read_derived(source, derived(corruptions=["gaussian_noise"], severities=[5], seed=1))
    for one, same, differing in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one.image, same.image)
        assert (one.image != differing.image).any()


def test_a_partner_is_matched_in_size_and_channels(source):
    dataset = derived().model_copy(update={"image_size": [4, 6], "channels": 3})
    cases = read_derived(source, dataset)
    assert {case.image.shape for case in cases} == {(4, 6, 3)}
    assert len(cases) == 6


def test_a_subset_keeps_the_classes_in_proportion_and_the_same_cases_in_every_view(source):
    dataset = derived(corruptions=["contrast"], severities=[1, 5], cases=4)
    cases = read_derived(source, dataset)
    first, second = cases[:4], cases[4:]
    assert len(second) == 4
    assert sorted(case.label for case in first) == [0, 0, 1, 1]  # of 3 healthy and 3 ill
    assert [case.patient for case in first] == [case.patient for case in second]


def test_another_seed_keeps_other_cases_and_more_than_there_are_keeps_all(source):
    kept = {
        seed: {case.case for case in read_derived(source, derived(cases=2, seed=seed))}
        for seed in range(10)
    }
    assert len({frozenset(cases) for cases in kept.values()}) > 1
    assert len(read_derived(source, derived(cases=7))) == 6


def test_classes_that_are_left_out_take_their_cases_along(source):
    dataset = derived(without_classes=["healthy"]).model_copy(update={"classes": ["ill"]})
    cases = read_derived(source, dataset)
    assert [case.label for case in cases] == [0, 0, 0]
    whole = read_derived(source, derived())
    assert [case.case for case in cases] == [case.case for case in whole if case.label == 1]


def test_a_class_to_leave_out_that_is_not_there_is_refused(source):
    with pytest.raises(InputError, match=r"'without_classes' names no class of it: \['cured'\]"):
        read_derived(source, derived(without_classes=["cured"]))


def test_it_goes_through_both_stages_as_any_data_set(source):
    stated = derived(corruptions=["jpeg"]).model_dump(exclude_none=True)
    (source / "configs/datasets/noisy.yaml").write_text(yaml.safe_dump(stated))
    acquire_stage.run("noisy", root=source)
    prepare.run("noisy", root=source)
    card = read_json(source / "data/prepared/noisy/card.json")
    assert card["counts"] == {"test": {"healthy": 15, "ill": 15}}
    assert card["sites"] == {f"jpeg {severity}": 6 for severity in range(1, 6)}


def test_a_source_that_changed_is_refused(source):
    dataset = derived()
    read_derived(source, dataset)
    write_medmnist(source / "data/raw/source/f.npz", shape=(8, 8), test_labels=np.ones((6, 1), int))
    prepare.run("source", root=source)
    with pytest.raises(InputError, match="another version than the acquired one: run acquire"):
        next(read(source / "raw", dataset))


def test_other_classes_and_a_missing_source_are_refused(source):
    dataset = derived().model_copy(update={"classes": ["ill", "healthy"]})
    with pytest.raises(InputError, match=r"data/prepared/source: its classes are \['healthy', "):
        read_derived(source, dataset)
    with pytest.raises(InputError, match=r"data/prepared/absent/card\.json: no such file"):
        read_derived(source, derived(prepared="data/prepared/absent"))
