"""Methods compared seed by seed, metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics import METRICS
from pipeline.metrics.comparisons import Comparison, compare_to_baseline

BETTER = {name: metric.better for name, metric in METRICS.items() if metric.better != "zero"}
BETTER |= {"truth_error": "lower"}
"""Metrics that have a better direction."""


Method = tuple[str, str]
"""A loss and a calibrator."""


def by_metric(scores: pd.DataFrame) -> Iterator[tuple[str, dict[Method, dict[int, float]]]]:
    """Yield each metric that every run has, with its values by method and seed."""
    methods = [
        (str(loss), str(calibrator), group)
        for (loss, calibrator), group in scores.groupby(["loss", "calibrator"], sort=False)
    ]
    for metric in BETTER:
        if metric in scores and np.isfinite(scores[metric].to_numpy(dtype=float)).all():
            yield (
                metric,
                {
                    (loss, calibrator): dict(
                        zip(group["seed"], group[metric].astype(float), strict=True)
                    )
                    for loss, calibrator, group in methods
                },
            )


def compare_with(
    values: Mapping[Method, Mapping[int, float]], reference: Method
) -> Iterator[tuple[Method, Comparison]]:
    """Yield every other method with its comparison."""
    names = {" ".join(method): method for method in values}
    by_name = {name: values[method] for name, method in names.items()}
    for name, found in compare_to_baseline(by_name, " ".join(reference)).items():
        yield names[name], found


def comparison_columns(found: Comparison) -> dict[str, Any]:
    """Return a comparison as columns of a table."""
    return {
        "mean_difference": found.mean_difference,
        "sd": found.standard_deviation,
        "num_pairs": found.num_pairs,
        "lower": found.interval.lower if found.interval else None,
        "upper": found.interval.upper if found.interval else None,
        "p_value": found.p_value,
        "p_value_holm": found.p_value_holm,
    }
