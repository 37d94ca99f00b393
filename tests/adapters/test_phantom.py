import hashlib

import numpy as np
import pandas as pd
import pydicom
import pytest
from scipy.stats import chisquare

from pipeline.adapters import phantom
from pipeline.adapters.case import Case
from pipeline.adapters.phantom.study import StudyArguments, draw_study
from pipeline.config import read_dataset
from pipeline.errors import InputError
from tests.projects import ROOT


@pytest.fixture(scope="module")
def dataset():
    return read_dataset(ROOT / "configs", "phantom")


def smaller(dataset, **arguments):
    return dataset.model_copy(update={"arguments": {"num_patients": 30} | arguments})


@pytest.fixture(scope="module")
def acquired(dataset, tmp_path_factory):
    raw = tmp_path_factory.mktemp("phantom")
    phantom.acquire(raw, smaller(dataset))
    return raw


def read(raw, dataset, **arguments):
    cases = list(phantom.read(raw, smaller(dataset, **arguments)))
    assert all(isinstance(each, Case) for each in cases)
    return cases


def digests(raw):
    files = sorted(path for path in raw.rglob("*") if path.is_file())
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(acquired, dataset, tmp_path):
    again, other = tmp_path / "again", tmp_path / "other"
    for raw, seed in ((again, 0), (other, 1)):
        raw.mkdir()
        phantom.acquire(raw, smaller(dataset, seed=seed))
    assert digests(again) == digests(acquired)
    assert not set(digests(other)) & set(digests(acquired))


def test_every_image_becomes_a_case_of_the_size_the_config_states(acquired, dataset):
    cases = read(acquired, dataset)
    assert len(cases) == len(list(acquired.rglob("*.dcm")))
    assert {each.image.shape for each in cases} == {(32, 32, 1)}
    assert {each.site for each in cases} == {"north", "south"}
    assert {each.sex for each in cases} == {"female", "male"}
    assert {each.spacing_mm for each in cases} == {(1.0, 1.0)}


def test_a_case_carries_the_probabilities_that_its_label_was_drawn_from(acquired, dataset):
    table = pd.read_csv(acquired / "labels.csv")
    of_files = {
        pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID: str(path)
        for path in acquired.rglob("*.dcm")
    }
    truth = {of_files[row[1]]: row[3:] for row in table.itertuples()}
    for case in read(acquired, dataset):
        assert case.truth == truth[str(acquired / "images" / case.source)]


def test_a_patient_has_one_key_and_one_to_three_images(acquired, dataset):
    counts = pd.Series([each.patient for each in read(acquired, dataset)]).value_counts()
    assert len(counts) == 30
    assert counts.between(1, 3).all()


def test_patients_numbered_from_elsewhere_are_other_people(acquired, dataset, tmp_path):
    phantom.acquire(tmp_path, smaller(dataset, first_patient=30))
    others = {each.patient for each in read(tmp_path, dataset, first_patient=30)}
    assert len(others) == 30
    assert not others & {each.patient for each in read(acquired, dataset)}


def test_storing_low_values_bright_or_compressed_changes_no_image(dataset, tmp_path):
    images = []
    for number, share in enumerate((0.0, 1.0)):
        raw = tmp_path / str(number)
        raw.mkdir()
        stored = {"num_patients": 8, "monochrome1_share": share, "rle_share": share}
        phantom.acquire(raw, smaller(dataset, **stored))
        images.append(np.stack([each.image for each in read(raw, dataset, **stored)]))
    # One grey level: mirrored values meet the rounding to 8 bits from the other side.
    assert np.abs(images[0].astype(int) - images[1]).max() <= 1


def test_the_headers_name_somebody_who_appears_in_no_case(acquired, dataset):
    header = pydicom.dcmread(acquired / "images/00/07/1.dcm")
    planted = [str(header.PatientName), header.PatientID, header.AccessionNumber]
    planted += [header.PatientBirthDate, header.InstitutionName, header.SOPInstanceUID]
    told = repr([vars(each) | {"image": None} for each in read(acquired, dataset)])
    indexed = b"".join(path.read_bytes() for path in acquired.glob("*.parquet"))
    for text in planted:
        assert text not in told
        assert text.encode() not in indexed


def test_labels_occur_as_often_as_their_true_probabilities_say():
    study = draw_study(StudyArguments(num_patients=20_000))
    expected = study.truth.mean(axis=0)
    np.testing.assert_allclose(expected, [0.70, 0.22, 0.08], atol=0.02)
    # Chi-squared at one in a thousand; the labels are independent given the truth.
    counts = np.bincount(study.labels, minlength=3)
    assert chisquare(counts, expected * len(study.labels)).pvalue > 1e-3


@pytest.mark.parametrize("label", [0, 1, 2])
def test_the_truth_is_calibrated_in_every_bin(label):
    study = draw_study(StudyArguments(num_patients=20_000))
    probabilities = study.truth[:, label]
    for bin_ in np.array_split(np.argsort(probabilities), 10):
        p = probabilities[bin_]
        hits = (study.labels[bin_] == label).sum()
        # The sum of independent Bernoulli draws, within four standard deviations.
        assert abs(hits - p.sum()) <= 4 * np.sqrt((p * (1 - p)).sum()) + 1


def test_sites_differ_in_brightness_and_prevalence(dataset, tmp_path):
    phantom.acquire(tmp_path, smaller(dataset, num_patients=80))
    cases = read(tmp_path, dataset, num_patients=80)
    brightness = {
        site: np.mean([each.image for each in cases if each.site == site])
        for site in ("north", "south")
    }
    assert brightness["south"] < brightness["north"] - 5
    study = draw_study(StudyArguments(num_patients=20_000))
    of_image = study.sites[study.patients]
    ill = 1 - study.truth[:, 0]
    assert ill[of_image == 1].mean() > ill[of_image == 0].mean() + 0.05


def test_a_patients_images_resemble_one_another():
    study = draw_study(StudyArguments(num_patients=20_000))
    pairs = np.flatnonzero(study.patients[:-1] == study.patients[1:])
    for feature in study.features.T:
        shared = np.corrcoef(feature[pairs], feature[pairs + 1])[0, 1]
        assert shared == pytest.approx(0.3, abs=0.03)


def test_refuses_a_law_of_other_classes(dataset, tmp_path):
    law = {"intercepts": [0, 0], "coefficients": [[0] * 4] * 2}
    with pytest.raises(InputError, match="the law has 2 classes, the data set 3"):
        phantom.acquire(tmp_path, smaller(dataset, law=law))


def test_refuses_an_argument_it_does_not_know(dataset, tmp_path):
    with pytest.raises(InputError, match="unknown key 'patients'; known keys: seed"):
        phantom.acquire(tmp_path, smaller(dataset, patients=3))
