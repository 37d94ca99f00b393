import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.metrics import METRICS, bootstrap, prepare_cases, score
from pipeline.metrics.bootstrap import (
    bootstrap_mean_score,
    resample_scores,
    resampled_weights,
)
from pipeline.metrics.calibrated_bins import expected_ece_if_calibrated
from pipeline.metrics.intervals import bias_bounded_interval, percentile_interval


def predictions(seed, n=120, num_classes=3, *, noise=1.0):
    """Draw one run's predictions; the labels depend on the number of cases alone."""
    labels = np.random.default_rng(n).integers(0, num_classes, n)
    labels[:num_classes] = np.arange(num_classes)
    rng = np.random.default_rng(seed)
    logits = 1.5 * np.eye(num_classes)[labels] + rng.normal(0, noise, (n, num_classes))
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)), labels


def test_all_cases_of_a_patient_come_and_go_together():
    patients = np.array(["b", "a", "b", "c", "a"])
    weights = np.concatenate(list(resampled_weights(patients, seed=0, num_resamples=50)))
    assert weights.shape == (50, 5)
    np.testing.assert_array_equal(weights[:, 0], weights[:, 2])
    np.testing.assert_array_equal(weights[:, 1], weights[:, 4])
    # As many patients as there are are drawn each time.
    np.testing.assert_array_equal(weights[:, [0, 1, 3]].sum(axis=1), 3)


def test_each_patient_is_drawn_once_on_average_with_multinomial_variance():
    weights = np.concatenate(list(resampled_weights(np.arange(20), seed=1, num_resamples=5000)))
    # Standard error of a mean over 5,000 resamples is 0.014, of the pooled variance 0.005.
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.07)
    assert weights.var() == pytest.approx(1 - 1 / 20, abs=0.02)


def test_blocks_do_not_change_the_resamples(monkeypatch):
    patients = np.arange(30)
    whole = np.concatenate(list(resampled_weights(patients, seed=2, num_resamples=7)))
    monkeypatch.setattr(bootstrap, "BLOCK_ELEMENTS", 70)
    blocks = list(resampled_weights(patients, seed=2, num_resamples=7))
    assert [len(block) for block in blocks] == [2, 2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_agrees_with_scoring_every_resample_by_itself():
    log_probabilities, labels = predictions(seed=0)
    patients = np.repeat(np.arange(40), 3)
    values = resample_scores(
        [prepare_cases(log_probabilities, labels)], patients, seed=3, num_resamples=20
    )
    for index, row in enumerate(next(resampled_weights(patients, seed=3, num_resamples=20))):
        times = row.astype(int)
        alone = score(np.repeat(log_probabilities, times, axis=0), np.repeat(labels, times))
        for name in METRICS:
            tolerance = 1e-5 if name == "smooth_ece" else 1e-12
            assert values[name][index] == pytest.approx(alone[name], abs=tolerance), name


def test_one_seed_gives_one_answer_and_another_another():
    log_probabilities, labels = predictions(seed=0)
    first, again, other = (
        bootstrap_mean_score(
            [log_probabilities], labels, np.arange(120), seed=seed, num_resamples=50
        )
        for seed in (4, 4, 5)
    )
    assert first == again
    assert first["nll"] != other["nll"]


def test_intervals_hold_the_value_and_cover_as_theory_says():
    log_probabilities, labels = predictions(seed=1, n=2000)
    intervals = bootstrap_mean_score(
        [log_probabilities], labels, np.arange(2000), seed=6, num_resamples=2000
    )
    values = score(log_probabilities, labels)
    accuracy, interval = values["accuracy"], intervals["accuracy"]
    half_width = 1.96 * np.sqrt(accuracy * (1 - accuracy) / 2000)
    # Ends of 2,000 resamples are known to about a tenth of the half width.
    assert interval.upper - accuracy == pytest.approx(half_width, rel=0.15)
    assert accuracy - interval.lower == pytest.approx(half_width, rel=0.15)
    for name in ("balanced_accuracy", "macro_f1", "auroc", "nll", "brier", "aurc", "augrc"):
        assert intervals[name].lower < values[name] < intervals[name].upper


def test_many_images_of_few_patients_widen_the_interval():
    log_probabilities, labels = predictions(seed=2, n=50)
    ten_times = [np.repeat(log_probabilities, 10, axis=0)], np.repeat(labels, 10)
    by_patient = bootstrap_mean_score(*ten_times, np.repeat(np.arange(50), 10), seed=7)["accuracy"]
    by_image = bootstrap_mean_score(*ten_times, np.arange(500), seed=7)["accuracy"]
    # Ten copies of each patient's image hold no more than one: sqrt(10) = 3.2 times wider.
    ratio = (by_patient.upper - by_patient.lower) / (by_image.upper - by_image.lower)
    assert ratio == pytest.approx(np.sqrt(10), rel=0.2)


def test_runs_are_averaged_within_each_resample():
    runs = [predictions(seed, noise=1.0)[0] for seed in (1, 2, 3)]
    labels, patients = predictions(seed=1)[1], np.repeat(np.arange(60), 2)
    alone = [
        resample_scores([prepare_cases(run, labels)], patients, seed=8, num_resamples=30)
        for run in runs
    ]
    together = bootstrap_mean_score(runs, labels, patients, seed=8, num_resamples=30)
    cases = [prepare_cases(run, labels) for run in runs]
    for name, metric in METRICS.items():
        resampled = np.mean([values[name] for values in alone], axis=0)
        expected = {
            "percentile": percentile_interval(resampled),
            "corrected": bias_bounded_interval(
                np.mean([metric(run) for run in cases]),
                resampled,
                np.mean([expected_ece_if_calibrated(run, patients) for run in cases]),
            ),
            "none": None,
        }
        assert together[name] == expected[metric.interval], name


def test_metrics_left_out_change_nothing_about_the_others():
    log_probabilities, labels = predictions(seed=0)
    cases, patients = [prepare_cases(log_probabilities, labels)], np.arange(120)
    everything = resample_scores(cases, patients, seed=8, num_resamples=30)
    some = resample_scores(cases, patients, seed=8, num_resamples=30, names=("aurc", "ece"))
    assert list(some) == ["aurc", "ece"]
    for name, values in some.items():
        np.testing.assert_array_equal(values, everything[name])


def test_labels_of_one_class_have_every_interval_but_aurocs():
    log_probabilities, _ = predictions(seed=0)
    intervals = bootstrap_mean_score(
        [log_probabilities], np.zeros(120, int), np.arange(120), seed=0, num_resamples=10
    )
    without = {name for name, metric in METRICS.items() if metric.interval == "none"}
    assert {name for name, found in intervals.items() if found is None} == {"auroc"} | without
    assert list(intervals) == list(METRICS)


@pytest.mark.parametrize(
    ("patients", "num_resamples", "message"),
    [
        (np.zeros(120), 10, "at least two patients, got 1"),
        (np.arange(7), 10, "labels 120, patients 7"),
        (np.arange(120), 0, "num_resamples must be at least 1, got 0"),
    ],
)
def test_refuses_what_cannot_be_resampled(patients, num_resamples, message):
    log_probabilities, labels = predictions(seed=0)
    with pytest.raises(InputError, match=message):
        bootstrap_mean_score(
            [log_probabilities], labels, patients, seed=0, num_resamples=num_resamples
        )


def test_refuses_no_run():
    with pytest.raises(InputError, match="at least one run"):
        bootstrap_mean_score([], np.array([0]), np.array([0]), seed=0)


def test_what_no_resample_changes_has_no_interval():
    # 12 of 12 right: the exact interval begins at 74 %, and from 100 to 100 % would be a lie.
    probabilities = np.repeat([[0.9, 0.1], [0.2, 0.8]], 6, axis=0)
    intervals = bootstrap_mean_score(
        [np.log(probabilities)], np.repeat([0, 1], 6), np.arange(12), seed=0, num_resamples=100
    )
    assert intervals["accuracy"] is None
    assert intervals["auroc"] is None
    assert intervals["nll"] is not None
