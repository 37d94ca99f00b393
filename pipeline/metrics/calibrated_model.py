"""The error that a calibrated model would score: what a binned error must be compared with."""

from __future__ import annotations

import numpy as np
from jaxtyping import Shaped

from pipeline.metrics.bins import width_bins
from pipeline.metrics.calibrated_bins import calibrated_bins
from pipeline.metrics.cases import Cases
from pipeline.metrics.metric import Metric


def expected_ece_if_calibrated(cases: Cases, patients: Shaped[np.ndarray, "cases"]) -> float:
    r"""Return the mean ECE of these very confidences if the model were calibrated, in [0, 1].

    ECE takes the absolute value of noise, so it is above zero for a calibrated model: about 4 % for
    200 cases, 2 % for 1,000, and more where a patient's cases are right and wrong together. Beside
    a model's ECE this says how much of it means anything; and the ECE of any model is, on average,
    at most so much above its true one.

    .. math:: \frac1n \sum_b E |W_b - E W_b|

    with W the number of wrong cases in a bin, of the distribution of `calibrated_bins`.

    Parameters
    ----------
    cases : Cases
        The model's predictions; being right is read for the correlation within a patient alone.

    Examples
    --------
    >>> from pipeline.metrics.cases import prepare_cases
    >>> one = prepare_cases(np.log(np.full((1, 2), 0.5)), np.array([0]))
    >>> expected_ece_if_calibrated(one, np.array(["a"]))
    0.5
    """
    bins = width_bins(cases.confidence, cases.num_bins)
    ideal = calibrated_bins(cases.confidence, cases.correct, patients, bins)
    deviations = [
        chances @ np.abs(np.arange(len(chances)) - expected)
        for chances, expected in zip(ideal.chances(), ideal.expected, strict=True)
    ]
    return float(np.sum(deviations) / len(cases.confidence))


ECE_IF_CALIBRATED = Metric(
    name="ece_if_calibrated",
    function=expected_ece_if_calibrated,
    arguments=("cases", "patients"),
    kind="calibration",
    better="none",
    label="ECE if calibrated",
    description="ECE that a calibrated model of these confidences would score by chance.",
    interval="none",
)
