"""What holds for every calibrator, whatever it does to the probabilities."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.calibrators import CALIBRATORS, fit_calibrator, from_json, to_json
from pipeline.errors import InputError
from tests.calibrators.simulations import mean_nll, overconfident

VARIANTS = {
    **{kind: (kind, {}) for kind in CALIBRATORS},
    "ats_auto": ("ats", {"bins": "auto"}),
    "ats_linear": ("ats", {"interpolation": "linear"}),
    "ats_nll": ("ats", {"objective": "nll"}),
    "ats_monotone": ("ats", {"monotone": True}),
    "ats_auto_monotone": ("ats", {"bins": "auto", "monotone": True}),
    "prior_temperature": ("prior", {"then": "temperature"}),
    "prior_ats": ("prior", {"then": "ats"}),
    "prior_elsewhere": ("prior", {"prevalence": [0.1, 0.2, 0.3, 0.4], "then": "temperature"}),
    "dirichlet_fixed": ("dirichlet", {"off_diagonal": 1.0}),
}

FEWEST_CASES = {
    "identity": 1,
    **dict.fromkeys(
        ("temperature", "ats", "bts", "hts", "ets", "focal_temperature", "histogram"), 2
    ),
    # One a class, of the four that the cases here have.
    **dict.fromkeys(("bcts", "prior", "vector", "dirichlet", "isotonic", "structured_matrix"), 4),
}

DRAWS_FOLDS_BY_POSITION = {"ats_auto", "ats_auto_monotone", "dirichlet"}

every_calibrator = pytest.mark.parametrize("name", VARIANTS)


def fit(name, logits, labels):
    kind, arguments = VARIANTS[name]
    return fit_calibrator(kind, logits, labels, **arguments)


def separable(seed, n):
    """Every prediction right, by a wide margin."""
    logits, _ = overconfident(seed, n)
    logits[np.arange(n), logits.argmax(axis=1)] += 10.0
    return logits, logits.argmax(axis=1)


def always_wrong(seed, n):
    """No prediction right."""
    logits, _ = overconfident(seed, n)
    return logits, logits.argmin(axis=1)


def shares_that_are_not_predicted(seed, n):
    """Three of four predictions of another class than 0 are wrong: it is class 0."""
    logits, _ = overconfident(seed, n)
    predicted = logits.argmax(axis=1)
    return logits, np.where(np.arange(n) % 4 > 0, 0, predicted)


def one_a_class(seed, n):
    """Four cases, one of each class."""
    logits, _ = overconfident(seed, 4)
    return logits, np.arange(4)


def absent_class(seed, n):
    """Class 3 has no case."""
    logits, labels = overconfident(seed, n)
    return logits, np.where(labels == 3, 0, labels)


def one_class_alone(seed, n):
    """All cases belong to class 1."""
    logits, _ = overconfident(seed, n)
    return logits, np.ones(n, dtype=np.int64)


def constant(seed, n):
    """Logits that say nothing."""
    _, labels = overconfident(seed, n)
    return np.full((n, 4), 7.0), labels


def saturated(seed, n):
    """Margins of thousands of nats: every softmax is exactly one-hot."""
    logits, labels = overconfident(seed, n, truth=4.0)
    return 1e3 * logits, labels


def tied(seed, n):
    """The two largest logits of each row are equal."""
    logits, labels = overconfident(seed, n)
    order = np.argsort(logits, axis=1)
    rows = np.arange(n)
    logits[rows, order[:, -2]] = logits[rows, order[:, -1]]
    return logits, labels


EDGES = [
    separable,
    always_wrong,
    one_a_class,
    absent_class,
    one_class_alone,
    constant,
    saturated,
    tied,
]


def test_every_calibrator_is_put_to_the_laws():
    assert {kind for kind, _ in VARIANTS.values()} == set(CALIBRATORS) == set(FEWEST_CASES)


@every_calibrator
def test_each_row_is_a_distribution(name):
    calibrator = fit(name, *overconfident(0, 600))
    fresh, _ = overconfident(1, 400)
    log_probabilities = calibrator(fresh)
    assert log_probabilities.shape == fresh.shape
    assert log_probabilities.dtype == np.float64
    assert (log_probabilities <= 1e-12).all()
    np.testing.assert_allclose(np.exp(log_probabilities).sum(axis=1), 1.0, atol=1e-12)


@every_calibrator
@pytest.mark.parametrize("seed", range(3))
def test_keeps_every_predicted_class_or_says_that_it_may_not(name, seed):
    logits, labels = overconfident(seed, 500)
    calibrator = fit(name, logits, labels)
    fresh, _ = overconfident(seed + 100, 2_000)
    kept = calibrator(fresh).argmax(axis=1) == fresh.argmax(axis=1)
    assert kept.all() or not calibrator.preserves_argmax


def test_only_these_may_change_the_predicted_class():
    cases = overconfident(0, 500)
    flagged = {name for name in VARIANTS if not fit(name, *cases).preserves_argmax}
    assert flagged == {
        "bcts",
        "prior",
        "prior_temperature",
        "prior_ats",
        "prior_elsewhere",
        "vector",
        "dirichlet",
        "dirichlet_fixed",
        "isotonic",
        "histogram",
        "structured_matrix",
    }


@pytest.mark.parametrize("name", ["histogram", "isotonic", "prior", "structured_matrix", "vector"])
def test_what_may_change_the_predicted_class_does_where_predictions_are_wrong(name):
    logits, labels = shares_that_are_not_predicted(1, 500)
    changed = fit(name, logits, labels)(logits).argmax(axis=1) != logits.argmax(axis=1)
    assert changed.any()


@pytest.mark.parametrize(
    ("name", "other", "slack"),
    [
        ("hts", "temperature", 1e-9),
        ("focal_temperature", "temperature", 1e-9),
        ("ets", "temperature", 1e-5),
        # Weak priors cost parameters of 1 nat 4 * 0.5 / (200 * 100), or twice as much.
        ("bcts", "temperature", 1e-4),
        ("vector", "bcts", 2e-4),
        # One part in 201 is spread over all classes: log(201 / 200).
        ("structured_matrix", "temperature", 5e-3),
    ],
)
def test_never_loses_to_what_it_extends_where_it_was_fitted(name, other, slack):
    for seed in range(5):
        logits, labels = overconfident(seed, 200)
        ours, theirs = (
            mean_nll(fit(each, logits, labels)(logits), labels) for each in (name, other)
        )
        assert ours <= theirs + slack


@pytest.mark.parametrize(
    ("name", "is_right", "bound"),
    [
        ("temperature", True, "0.05"),
        ("ets", True, "0.05"),
        ("temperature", False, "20"),
        ("bcts", False, "20"),
        ("structured_matrix", False, "20"),
        ("hts", False, "20"),
        ("focal_temperature", False, "20"),
    ],
)
def test_a_temperature_at_its_bound_is_reported(name, is_right, bound):
    logits, _ = overconfident(3, 200)
    labels = logits.argmax(axis=1) if is_right else logits.argmin(axis=1)
    notes = fit(name, logits, labels).notes
    assert any(note.startswith(f"temperature at its bound {bound}") for note in notes)


@every_calibrator
@pytest.mark.parametrize("edge", EDGES)
def test_survives_cases_without_a_finite_optimum(name, edge):
    logits, labels = edge(3, 300)
    calibrator = fit(name, logits, labels)
    fresh, _ = overconfident(4, 200)
    for table in (logits, fresh, 1e3 * fresh, np.zeros((1, 4))):
        log_probabilities = calibrator(table)
        assert np.isfinite(log_probabilities).all()
        np.testing.assert_allclose(np.exp(log_probabilities).sum(axis=1), 1.0, atol=1e-9)
        if calibrator.preserves_argmax:
            np.testing.assert_array_equal(log_probabilities.argmax(axis=1), table.argmax(axis=1))


@every_calibrator
@pytest.mark.parametrize("edge", [overconfident, *EDGES])
def test_json_gives_back_the_same_bits(name, edge):
    calibrator = fit(name, *edge(5, 300))
    restored = from_json(json.loads(json.dumps(to_json(calibrator), allow_nan=False)))
    assert restored == calibrator
    fresh, _ = overconfident(6, 200)
    np.testing.assert_array_equal(restored(fresh), calibrator(fresh))


@every_calibrator
def test_a_constant_added_to_a_row_changes_nothing(name):
    logits, labels = overconfident(7, 400)
    fresh, _ = overconfident(8, 200)
    # Steps of 2^-30 and shifts by whole numbers: the sums are exact, so the results must be too.
    logits, fresh = np.round(logits * 2**30) / 2**30, np.round(fresh * 2**30) / 2**30
    shifts = np.random.default_rng(9).integers(-50, 50, size=(400, 1))
    there = fit(name, logits + shifts, labels)(fresh - shifts[:200])
    np.testing.assert_array_equal(there, fit(name, logits, labels)(fresh))


@pytest.mark.parametrize("name", sorted(VARIANTS.keys() - DRAWS_FOLDS_BY_POSITION))
def test_permuting_the_calibration_cases_changes_no_more_than_rounding(name):
    logits, labels = overconfident(10, 400)
    fresh, _ = overconfident(11, 200)
    order = np.random.default_rng(12).permutation(400)
    expected = fit(name, logits, labels)(fresh)
    # Iterative fits end where sums of another order tell them to: within their tolerance.
    np.testing.assert_allclose(fit(name, logits[order], labels[order])(fresh), expected, atol=1e-6)


@every_calibrator
def test_float32_is_read_as_the_float64_of_the_same_values(name):
    logits, labels = overconfident(13, 400)
    single = logits.astype(np.float32)
    double = single.astype(np.float64)
    expected = fit(name, double, labels)(double)
    np.testing.assert_array_equal(fit(name, single, labels)(single), expected)


@every_calibrator
def test_a_case_is_calibrated_alike_in_any_company(name):
    calibrator = fit(name, *overconfident(14, 400))
    fresh, _ = overconfident(15, 300)
    alone = np.concatenate([calibrator(row[None]) for row in fresh[:20]])
    # A matrix product of another height may round otherwise.
    np.testing.assert_allclose(alone, calibrator(fresh)[:20], rtol=0, atol=1e-13)


@every_calibrator
def test_no_cases_give_no_log_probabilities(name):
    assert fit(name, *overconfident(16, 100))(np.empty((0, 4))).shape == (0, 4)


@every_calibrator
def test_does_not_alter_what_it_is_given(name):
    logits, labels = overconfident(17, 200)
    copies = logits.copy(), labels.copy()
    fit(name, logits, labels)(logits)
    np.testing.assert_array_equal(logits, copies[0])
    np.testing.assert_array_equal(labels, copies[1])


@every_calibrator
def test_refuses_fewer_cases_than_it_needs_and_says_how_many(name):
    fewest = FEWEST_CASES[VARIANTS[name][0]]
    logits, labels = overconfident(18, fewest)
    assert np.isfinite(fit(name, logits, labels)(logits)).all()
    if fewest == 1:
        reason = "labels must name at least one case, got none"
    else:
        reason = f"at least {fewest} calibration cases are needed, got {fewest - 1}"
    with pytest.raises(InputError, match=reason):
        fit(name, logits[1:], labels[1:])


@every_calibrator
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_refuses_logits_that_are_not_finite_when_fitted_and_when_used(name, bad):
    logits, labels = overconfident(19, 100)
    calibrator = fit(name, logits, labels)
    logits[2, 1] = bad
    with pytest.raises(InputError, match="logits must be finite, got NaN or infinity in 1 of 100 "):
        fit(name, logits, labels)
    with pytest.raises(InputError, match="logits must be finite, got NaN or infinity in 1 of 100 "):
        calibrator(logits)


@every_calibrator
def test_refuses_labels_that_are_no_classes(name):
    logits, labels = overconfident(20, 100)
    with pytest.raises(InputError, match=r"labels must lie in \[0, 4\), got 0\.\.4"):
        fit(name, logits, np.where(labels == 3, 4, labels))
    with pytest.raises(InputError, match="one row a case expected, got logits 100, labels 99"):
        fit(name, logits, labels[1:])
    with pytest.raises(InputError, match=r"labels must be a list of integers, got float64"):
        fit(name, logits, labels.astype(float))


@pytest.mark.parametrize(
    "name",
    ["ats_monotone", "bcts", "dirichlet", "isotonic", "prior", "structured_matrix", "vector"],
)
def test_what_was_fitted_class_by_class_refuses_logits_of_other_classes(name):
    with pytest.raises(InputError, match="logits of 4 classes expected, got 3"):
        fit(name, *overconfident(21, 300))(np.zeros((1, 3)))
