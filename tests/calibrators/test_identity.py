import numpy as np
import scipy.special

from pipeline.calibrators.identity import Identity, fit_identity
from tests.calibrators.simulations import overconfident


def test_is_the_softmax_whatever_it_was_fitted_on():
    logits, labels = overconfident(0, 100)
    fitted = fit_identity(logits, labels)
    np.testing.assert_allclose(
        fitted(logits), scipy.special.log_softmax(logits, axis=1), rtol=1e-13, atol=1e-15
    )
    assert fitted == Identity()
