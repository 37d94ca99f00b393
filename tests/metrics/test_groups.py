import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics import METRICS, score
from pipeline.metrics.bootstrap import bootstrap_mean_score
from pipeline.metrics.groups import age_bands, by_group


def predictions(n):
    rng = np.random.default_rng(n)
    probabilities = rng.dirichlet(np.ones(3), n)
    labels = np.array([rng.choice(3, p=row) for row in probabilities])
    return np.log(probabilities), labels


def test_a_full_group_has_the_score_and_intervals_of_its_cases_alone():
    log_probabilities, labels = predictions(100)
    sites, patients = np.repeat(["A", "B"], [60, 40]), np.arange(100)
    scored = by_group(sites, log_probabilities, labels, patients, seed=0, num_resamples=20)
    inside = sites == "B"
    alone = log_probabilities[inside], labels[inside]
    assert scored["B"].scores == score(*alone)
    assert scored["B"].intervals == bootstrap_mean_score(
        [alone[0]], alone[1], patients[inside], seed=0, num_resamples=20
    )


def test_a_small_group_shows_its_errors_and_no_score():
    log_probabilities, labels = predictions(70)
    sites = np.repeat(["A", "B"], [50, 20])
    scored = by_group(sites, log_probabilities, labels, np.arange(70), seed=0, num_resamples=5)
    wrong = log_probabilities.argmax(1) != labels
    assert scored["B"].wrong.num_marked == wrong[50:].sum()
    assert scored["B"].scores == scored["B"].intervals == {}
    assert set(scored["A"].scores) == set(METRICS)


def test_a_masked_group_shows_nothing():
    log_probabilities, labels = predictions(60)
    sites = np.repeat(["A", "B"], [55, 5])
    scored = by_group(sites, log_probabilities, labels, np.arange(60), seed=0, num_resamples=5)
    assert all(group.wrong.num_patients is None for group in scored.values())
    assert all(group.scores == {} for group in scored.values())


def test_groups_by_class_have_no_auroc():
    log_probabilities, labels = predictions(150)
    names = np.array(["mild", "moderate", "severe"])[labels]
    scored = by_group(names, log_probabilities, labels, np.arange(150), seed=0, num_resamples=5)
    assert [group.scores["auroc"] for group in scored.values()] == [None, None, None]


@pytest.mark.parametrize(
    ("age", "band"),
    [(0.0, "under 18"), (18.0, "18-39"), (39.99, "18-39"), (40.0, "40-59"), (79.0, "60-79"),
     (80.0, "80 and over"), (np.nan, None)],
)  # fmt: skip
def test_age_bands_are_closed_below(age, band):
    assert age_bands(np.array([age])).tolist() == [band]


def test_refuses_a_column_of_another_length():
    with pytest.raises(InputError, match="labels 60, groups 1, patients 60"):
        by_group(np.array(["A"]), *predictions(60), np.arange(60), seed=0)
