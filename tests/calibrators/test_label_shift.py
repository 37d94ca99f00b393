import numpy as np
import pytest

from pipeline.calibrators import fit_calibrator
from pipeline.calibrators.calibrator import SiteCases
from pipeline.calibrators.label_shift import fit_label_shift
from pipeline.calibrators.softmax import log_softmax
from pipeline.errors import InputError
from tests.calibrators.simulations import mean_nll

CENTRES = 1.5 * np.eye(3)
HOME, AWAY = np.array([0.6, 0.3, 0.1]), np.array([0.15, 0.25, 0.6])


def place(seed, n, prevalence, *, temperature=1.0):
    """Draw classes by prevalence and images about their class's centre; logits believe HOME."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(3, size=n, p=prevalence)
    images = CENTRES[labels] + generator.normal(size=(n, 3))
    distances = ((images[:, None, :] - CENTRES) ** 2).sum(axis=2)
    return temperature * (np.log(HOME) - distances / 2), labels


@pytest.fixture(scope="module")
def source():
    return SiteCases(*place(0, 20_000, HOME, temperature=2.0))


@pytest.fixture(scope="module")
def calibrator(source):
    return fit_calibrator("bcts", source.logits, source.labels)


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_recovers_the_prevalence_elsewhere_without_a_label(calibrator, source, method):
    logits, _ = place(1, 20_000, AWAY, temperature=2.0)
    fitted = fit_label_shift(calibrator, SiteCases(logits), source=source, method=method)
    # Shares estimated from 20,000 overlapping cases are known to about 0.01.
    np.testing.assert_allclose(fitted.prevalence, AWAY, atol=0.03)
    assert fitted.notes == ()


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_gives_the_true_posterior_elsewhere(calibrator, source, method):
    logits, labels = place(2, 20_000, AWAY, temperature=2.0)
    fitted = fit_label_shift(calibrator, SiteCases(logits), source=source, method=method)
    truth = log_softmax(logits / 2.0 + np.log(AWAY / HOME))
    assert np.abs(np.exp(fitted(logits)) - np.exp(truth)).mean() < 0.02
    assert mean_nll(fitted(logits), labels) < mean_nll(calibrator(logits), labels) - 0.1


@pytest.mark.parametrize("method", ["em", "bbse"])
def test_without_shift_next_to_nothing_changes(calibrator, source, method):
    fitted = fit_label_shift(calibrator, SiteCases(source.logits), source=source, method=method)
    np.testing.assert_allclose(fitted.log_weights, 0.0, atol=1e-6)


def test_expectation_maximisation_ends_where_no_other_prevalence_is_likelier(calibrator, source):
    logits, _ = place(3, 300, AWAY, temperature=2.0)
    fitted = fit_label_shift(calibrator, SiteCases(logits), source=source)
    home = np.exp(calibrator(source.logits)).mean(axis=0)
    ratios = np.exp(calibrator(logits)) / home

    def likelihood(shares):
        return np.log(ratios @ shares).mean()

    best = likelihood(np.array(fitted.prevalence))
    for other in np.random.default_rng(4).dirichlet(np.ones(3), size=200):
        assert likelihood(other) <= best + 1e-9


def test_labels_of_the_target_are_not_looked_at(calibrator, source):
    logits, labels = place(5, 500, AWAY)
    with_labels = fit_label_shift(calibrator, SiteCases(logits, labels), source=source)
    assert with_labels == fit_label_shift(calibrator, SiteCases(logits), source=source)


def test_a_single_target_case_is_enough_to_stay_finite(calibrator, source):
    logits, _ = place(6, 1, AWAY)
    fitted = fit_label_shift(calibrator, SiteCases(logits), source=source)
    assert np.isfinite(fitted(50 * source.logits[:100])).all()


def test_refuses_what_it_cannot_correct(calibrator, source):
    logits, _ = place(7, 50, AWAY)
    with pytest.raises(InputError, match="method must be one of em, bbse, got 'mle'"):
        fit_label_shift(calibrator, SiteCases(logits), source=source, method="mle")
    with pytest.raises(InputError, match="at least 1 target case is needed, got none"):
        fit_label_shift(calibrator, SiteCases(logits[:0]), source=source)
    with pytest.raises(InputError, match="labelled cases expected, got logits alone"):
        fit_label_shift(calibrator, SiteCases(logits), source=SiteCases(source.logits))
    with pytest.raises(InputError, match="logits of 3 classes expected, got 4"):
        fit_label_shift(calibrator, SiteCases(np.zeros((5, 4))), source=source)
    no_third = source.labels != 2
    partial = SiteCases(source.logits[no_third], source.labels[no_third])
    with pytest.raises(InputError, match='bbse needs source predictions .* use method "em"'):
        fit_label_shift(calibrator, SiteCases(logits), source=partial, method="bbse")
