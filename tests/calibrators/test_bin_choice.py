import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.calibrators.bin_choice import BinChoice, fit_chosen_bins, sampling_errors, shrink
from pipeline.calibrators.piecewise import CalibrationSet, fit_bin_temperatures
from pipeline.calibrators.temperature import fit_temperature
from tests.calibrators.simulations import heteroscedastic, overconfident

CHOICE = BinChoice(objective="confidence", interpolation="constant", seed=0)


def test_one_shared_temperature_is_left_nearly_one():
    left, unshrunk = [], []
    for seed in range(20):
        logits, labels = overconfident(seed, 2_000)
        calibration = CalibrationSet.of(logits, labels)
        fitted = fit_chosen_bins(calibration, CHOICE)
        plain = np.log(fit_temperature(logits, labels).temperature)
        own = fit_bin_temperatures(
            calibration, np.asarray(fitted.edges), objective="confidence"
        ).log_temperatures
        left.append(np.abs(fitted.log_temperatures - plain).max())
        unshrunk.append(np.abs(own - plain).max())
    assert np.mean(left) < 0.05
    assert np.mean(unshrunk) > 0.2


def test_the_number_of_bins_chosen_is_noted():
    fitted = fit_chosen_bins(CalibrationSet.of(*overconfident(1, 500)), CHOICE)
    assert fitted.notes[0] == f"{len(fitted.counts)} bins chosen by 5-fold likelihood"


def test_many_temperatures_ask_for_many_bins():
    fitted = fit_chosen_bins(CalibrationSet.of(*heteroscedastic(0, 5_000)), CHOICE)
    assert len(fitted.counts) >= 10


def test_too_few_cases_for_two_bins_get_one():
    fitted = fit_chosen_bins(CalibrationSet.of(*heteroscedastic(0, 99)), CHOICE)
    assert fitted.counts == (99,)


@pytest.mark.parametrize("objective", ["confidence", "nll"])
def test_sampling_errors_are_the_spread_of_log_t_over_samples(objective):
    edges = np.array([0.5])
    estimates, errors = [], []
    for seed in range(200):
        calibration = CalibrationSet.of(*overconfident(seed, 600))
        roots = fit_bin_temperatures(calibration, edges, objective=objective)
        estimates.append(roots.log_temperatures)
        errors.append(
            sampling_errors(calibration, edges, roots, cases=np.arange(600), objective=objective)
        )
    spread = np.std(estimates, axis=0)
    # A standard deviation of 200 draws is known to 5 %; the unsure bin's log T is a little skew.
    np.testing.assert_allclose(np.median(errors, axis=0), spread, rtol=0.2)


@given(
    st.lists(st.floats(-3, 3), min_size=1, max_size=20),
    st.floats(0.01, 10),
    st.floats(-3, 3),
)
def test_shrinking_never_overshoots_and_never_moves_away(values, error, centre):
    values = np.array(values)
    shrunk = shrink(values, np.full(len(values), error), centre)
    between = (np.minimum(values, centre) - 1e-12 <= shrunk) & (
        shrunk <= np.maximum(values, centre) + 1e-12
    )
    assert between.all()


def test_exact_values_stay_and_unknown_ones_go_to_the_centre():
    shrunk = shrink(np.array([2.0, 5.0]), np.array([1e-9, np.inf]), 1.0)
    np.testing.assert_allclose(shrunk, [2.0, 1.0])


def test_a_spread_no_larger_than_the_errors_is_shrunk_away():
    np.testing.assert_array_equal(shrink(np.array([0.9, 1.1]), np.full(2, 0.1), 1.0), [1.0, 1.0])


def test_shrinking_lowers_the_mean_square_error():
    generator = np.random.default_rng(0)
    truth = generator.normal(scale=0.3, size=(500, 10))
    errors = generator.uniform(0.1, 0.6, size=(500, 10))
    seen = truth + errors * generator.normal(size=(500, 10))
    shrunk = np.array([shrink(row, error, 0.0) for row, error in zip(seen, errors, strict=True)])
    # The best linear rule, which knows the spread, errs by tau^2 s^2 / (tau^2 + s^2).
    least = (0.09 * errors**2 / (0.09 + errors**2)).mean()
    assert ((shrunk - truth) ** 2).mean() < 1.25 * least < ((seen - truth) ** 2).mean()


def test_a_single_bin_is_shrunk_towards_plain_temperature_scaling():
    logits, labels = overconfident(3, 400)
    fitted = fit_chosen_bins(CalibrationSet.of(logits, labels), CHOICE)
    plain = fit_temperature(logits, labels).temperature
    edges = np.empty(0)
    own = np.exp(
        fit_bin_temperatures(
            CalibrationSet.of(logits, labels), edges, objective="confidence"
        ).log_temperatures[0]
    )
    assert min(plain, own) <= fitted.temperatures[0] <= max(plain, own)
