"""Post-hoc calibrators: fitted on held-out logits and labels, they map logits to log-probabilities.

To add one: a module here with its `fit_NAME`, a line in `CALIBRATORS`, its fitted class in
`serialisation.FITTED`, a test file and a config of the same name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.arguments import require_known
from pipeline.calibrators.ats import fit_ats
from pipeline.calibrators.bcts import fit_bcts
from pipeline.calibrators.bts import fit_bts
from pipeline.calibrators.calibrator import Calibrator, SiteCases
from pipeline.calibrators.dirichlet import fit_dirichlet
from pipeline.calibrators.ets import fit_ets
from pipeline.calibrators.focal_temperature import fit_focal_temperature
from pipeline.calibrators.histogram import fit_histogram
from pipeline.calibrators.hts import fit_hts
from pipeline.calibrators.identity import fit_identity
from pipeline.calibrators.isotonic import fit_isotonic
from pipeline.calibrators.prior import fit_prior
from pipeline.calibrators.ranking import rank_inversions
from pipeline.calibrators.serialisation import from_json, to_json
from pipeline.calibrators.structured_matrix import fit_structured_matrix
from pipeline.calibrators.temperature import fit_temperature
from pipeline.calibrators.vector import fit_vector
from pipeline.shapes import Labels, Logits

__all__ = [
    "CALIBRATORS",
    "Calibrator",
    "SiteCases",
    "fit_calibrator",
    "from_json",
    "rank_inversions",
    "to_json",
]

CALIBRATORS: dict[str, Callable[..., Calibrator]] = {
    "ats": fit_ats,
    "bcts": fit_bcts,
    "bts": fit_bts,
    "dirichlet": fit_dirichlet,
    "ets": fit_ets,
    "focal_temperature": fit_focal_temperature,
    "histogram": fit_histogram,
    "hts": fit_hts,
    "identity": fit_identity,
    "isotonic": fit_isotonic,
    "prior": fit_prior,
    "structured_matrix": fit_structured_matrix,
    "temperature": fit_temperature,
    "vector": fit_vector,
}
"""``fit(logits, labels, **arguments) -> Calibrator``, by the word that configs use."""


def fit_calibrator(kind: str, logits: Logits, labels: Labels, **arguments: Any) -> Calibrator:
    """Fit the calibrator named ``kind`` on held-out logits and labels.

    Raises `InputError` if kind or an argument is unknown, a logit is NaN or infinite, a label has
    no column, the lengths differ, or there are fewer cases than this calibrator needs.

    Parameters
    ----------
    kind : str
        A key of `CALIBRATORS`.
    logits : float array, (n, classes)
        Held-out calibration logits in nats, float32 or float64; computed with in float64. At least
        as many cases as classes, or as the calibrator's ``MINIMUM_CASES``.
    **arguments
        Settings of that calibrator, as in its configuration.

    Examples
    --------
    >>> import numpy as np
    >>> fitted = fit_calibrator("temperature", np.log([[9.0, 1.0]] * 4), np.array([0, 0, 0, 1]))
    >>> np.exp(fitted(np.log([[9.0, 1.0]]))).round(6)
    array([[0.75, 0.25]])
    """
    require_known("calibrator", kind, CALIBRATORS, arguments, given=("logits", "labels"))
    return CALIBRATORS[kind](logits, labels, **arguments)
