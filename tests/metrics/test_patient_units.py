import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from pipeline.errors import InputError
from pipeline.metrics.guarantee import choose_threshold
from pipeline.metrics.patient_units import rarest_labels, whole_patients

PATIENTS = np.array(["b", "a", "b", "c", "b", "a"])


def test_a_patient_is_as_sure_as_their_least_sure_case_and_as_wrong_as_their_worst():
    confidence = np.array([0.9, 0.8, 0.7, 0.6, 0.95, 0.99])
    units = whole_patients(confidence, np.array([0, 2, 1, 0, 0, 3]), PATIENTS)
    assert units.patients.tolist() == ["a", "b", "c"]
    assert units.confidence.tolist() == [0.8, 0.7, 0.6]
    assert units.losses.tolist() == [3, 1, 0]


@given(st.integers(0, 2**32 - 1))
def test_a_threshold_answers_a_patient_only_if_it_answers_all_their_cases(seed):
    rng = np.random.default_rng(seed)
    confidence, patients = rng.random(20), rng.integers(0, 6, 20)
    units = whole_patients(confidence, np.zeros(20), patients)
    answered = {p for p in patients if (confidence[patients == p] >= 0.5).all()}
    assert set(units.patients[units.confidence >= 0.5]) == answered


def test_patients_of_one_case_are_those_cases():
    units = whole_patients(np.array([0.3, 0.9]), np.array([1, 0]), np.array([4, 2]))
    assert (units.confidence.tolist(), units.losses.tolist()) == ([0.9, 0.3], [0, 1])


def test_a_patient_is_of_the_rarest_class_among_their_cases():
    # Class 2 has three cases, class 0 two, class 1 one: a has 2 and 0, b has 2, 2 and 1, c has 0.
    labels = np.array([2, 2, 1, 0, 2, 0])
    assert rarest_labels(labels, PATIENTS).tolist() == [0, 1, 0]


def test_of_equally_rare_classes_a_patient_is_of_the_lower():
    assert rarest_labels(np.array([3, 1]), np.array([0, 0])).tolist() == [1]


@given(st.integers(0, 2**32 - 1))
def test_patients_with_one_class_are_of_it_whatever_its_rarity(seed):
    rng = np.random.default_rng(seed)
    patients = rng.integers(0, 6, 20)
    labels = rng.integers(0, 4, 6)[patients]
    found = dict(zip(np.unique(patients), rarest_labels(labels, patients), strict=True))
    assert all(found[patient] == label for patient, label in zip(patients, labels, strict=True))


def test_many_images_of_a_patient_break_the_guarantee_and_whole_patients_mend_it():
    # 120 patients of 5 images that share their fate, at a risk just above the target of 10 %.
    rng, found = np.random.default_rng(1), {"images": 0, "patients": 0}
    patients = np.repeat(np.arange(120), 5)
    for _ in range(200):
        confidence, wrong = rng.random(120)[patients], (rng.random(120) < 0.102)[patients]
        units = whole_patients(confidence, wrong, patients)
        for name, cases in [
            ("images", (confidence, wrong)),
            ("patients", (units.confidence, units.losses)),
        ]:
            found[name] += choose_threshold(*cases, target=0.1, delta=0.05).status == "found"
    assert found["images"] > 3 * 0.05 * 200
    assert found["patients"] <= binom.ppf(0.999, 200, 0.05)


def test_refuses_patients_of_other_cases():
    with pytest.raises(InputError, match="confidence 1, losses 1, patients 2"):
        whole_patients(np.array([0.5]), np.array([0]), np.array([1, 2]))
