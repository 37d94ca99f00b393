"""Every calibrator as a torch module: the same probabilities on ordinary and on extreme logits."""

import numpy as np
import pytest
import torch

from pipeline.calibrators import SiteCases
from pipeline.calibrators.serialisation import FITTED
from pipeline.calibrators.site import fit_site
from pipeline.calibrators.temperature import TemperatureScaling
from pipeline.errors import InputError
from pipeline.releasing.exported_calibrators import EXPORTED, exportable, require_equal
from tests.calibrators.simulations import overconfident
from tests.calibrators.test_laws import VARIANTS, every_calibrator, fit

EXACT = 1e-9
"""Both sides compute in float64; exponentials and logarithms differ in last bits, which add up."""


def extreme_logits():
    logits, _ = overconfident(1, 400)
    ties = np.zeros((3, 4)) + [[0.0], [5.0], [-700.0]]
    saturated = np.eye(4) * 1e4
    nearly_equal = np.eye(4) * 1e-9
    return np.concatenate([logits, 30 * logits[:50], ties, saturated, nearly_equal])


def probabilities(module, logits):
    with torch.no_grad():
        return module(torch.from_numpy(logits)).exp().numpy()


@every_calibrator
def test_a_module_gives_the_calibrator_s_probabilities(name):
    fitted = fit(name, *overconfident(0, 800))
    logits = extreme_logits()
    found = probabilities(exportable(fitted), logits)
    np.testing.assert_allclose(found, np.exp(fitted(logits)), rtol=0, atol=EXACT)
    assert found.dtype == np.float64


def test_two_classes_are_calibrated_alike():
    logits, labels = overconfident(0, 800)
    pair, labels = logits[:, :2], np.minimum(labels, 1)
    for name in VARIANTS:
        if name == "prior_elsewhere":
            continue
        fitted = fit(name, pair, labels)
        found = probabilities(exportable(fitted), pair)
        np.testing.assert_allclose(found, np.exp(fitted(pair)), rtol=0, atol=EXACT, err_msg=name)


def test_a_site_s_recalibration_is_exported_on_top_of_its_source():
    fitted = fit_site(
        fit("ats", *overconfident(0, 800)), SiteCases(*overconfident(2, 300, truth=4.0))
    )
    logits = extreme_logits()
    found = probabilities(exportable(fitted), logits)
    np.testing.assert_allclose(found, np.exp(fitted(logits)), rtol=0, atol=EXACT)


def test_every_calibrator_that_can_be_stored_can_be_exported():
    assert set(EXPORTED) == set(FITTED.values())


def test_refuses_a_calibrator_that_has_no_module():
    with pytest.raises(InputError, match="a calibrator of type function cannot be exported"):
        exportable(lambda logits: logits)


def test_refuses_a_module_that_is_not_its_calibrator():
    logits, _ = overconfident(0, 50)
    module = exportable(TemperatureScaling(2.0))
    with pytest.raises(InputError, match="must be within 1e-05 of its own, got 0.00"):
        require_equal(module, TemperatureScaling(2.01), logits)
    require_equal(module, TemperatureScaling(2.0), logits)
