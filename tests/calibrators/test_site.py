import numpy as np
import pytest

from pipeline.calibrators import fit_calibrator
from pipeline.calibrators.calibrator import SiteCases
from pipeline.calibrators.site import fit_site
from pipeline.errors import InputError
from tests.calibrators.simulations import expected_calibration_error, mean_nll, overconfident


@pytest.fixture(scope="module")
def source():
    return fit_calibrator("ats", *overconfident(0, 10_000, truth=2.0))


def fresh_losses(source, site_truth, num_cases, num_seeds):
    """Mean fresh-case NLL at the site: as at the source, recalibrated, and fitted there alone."""
    losses = []
    for seed in range(1, num_seeds + 1):
        cases = overconfident(seed, num_cases, truth=site_truth)
        logits, labels = overconfident(1_000 + seed, 5_000, truth=site_truth)
        alone = fit_calibrator("ats", *cases)
        losses.append(
            [
                mean_nll(calibrator(logits), labels)
                for calibrator in (source, fit_site(source, SiteCases(*cases)), alone)
            ]
        )
    return np.mean(losses, axis=0)


def test_many_cases_recover_the_sites_own_temperature(source):
    logits, labels = overconfident(1, 10_000, truth=5.0)
    fresh, fresh_labels = overconfident(2, 20_000, truth=5.0)
    fitted = fit_site(source, SiteCases(logits, labels))
    assert expected_calibration_error(source(fresh), fresh_labels) > 0.15
    assert expected_calibration_error(fitted(fresh), fresh_labels) < 0.02
    # The source divides by 2 and the site by 5.
    np.testing.assert_allclose(fitted.adjustment.temperatures, 2.5, rtol=0.15)


@pytest.mark.parametrize("num_cases", [20, 50, 150])
def test_a_site_like_the_source_loses_less_than_half_of_what_a_fit_alone_does(source, num_cases):
    stays, shrunk, alone = fresh_losses(source, 2.0, num_cases, 40)
    assert shrunk - stays < 0.5 * (alone - stays)


@pytest.mark.parametrize("num_cases", [50, 150])
def test_a_site_unlike_the_source_gains_from_few_cases(source, num_cases):
    stays, shrunk, _ = fresh_losses(source, 5.0, num_cases, 20)
    assert shrunk < stays - 0.1


def test_no_evidence_against_the_source_leaves_it_as_it_is(source):
    fresh, _ = overconfident(4, 100)
    weights = []
    for seed in range(20):
        fitted = fit_site(source, SiteCases(*overconfident(50 + seed, 40, truth=2.0)))
        weights.append(float(fitted.notes[-1].rpartition(": ")[2]))
        if weights[-1] == 0:
            np.testing.assert_allclose(fitted(fresh), source(fresh), atol=1e-12)
    assert np.mean(np.array(weights) == 0) > 0.5


def test_the_weight_of_the_sites_own_cases_is_noted(source):
    fitted = fit_site(source, SiteCases(*overconfident(5, 400, truth=5.0)))
    note = fitted.notes[-1]
    assert note.startswith("weight of the site's own 400 cases by bin: ")
    weights = np.array(note.rpartition(": ")[2].split(", "), dtype=float)
    assert weights.shape == (5,)
    # A factor of 2.5 on T is far more than 80 cases a bin leave in doubt.
    assert ((weights > 0.5) & (weights < 1)).all()


@pytest.mark.parametrize(("kind", "keeps"), [("ats", True), ("vector", False)])
def test_keeps_the_predicted_class_if_the_source_does(kind, keeps):
    source = fit_calibrator(kind, *overconfident(6, 500))
    logits, labels = overconfident(7, 60, truth=6.0)
    fitted = fit_site(source, SiteCases(logits, labels))
    assert fitted.preserves_argmax is keeps
    np.testing.assert_array_equal(fitted(logits).argmax(axis=1), source(logits).argmax(axis=1))


def test_refuses_what_it_cannot_learn_from(source):
    logits, labels = overconfident(8, 10)
    with pytest.raises(InputError, match="labelled cases expected, got logits alone"):
        fit_site(source, SiteCases(logits))
    with pytest.raises(InputError, match="at least 2 calibration cases are needed, got 1"):
        fit_site(source, SiteCases(logits[:1], labels[:1]))
    with pytest.raises(InputError, match="bins must be a whole number >= 1, got 'auto'"):
        fit_site(source, SiteCases(logits, labels), bins="auto")
