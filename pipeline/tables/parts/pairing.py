"""Methods compared seed by seed, metric by metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from pipeline.metrics import Metric, every_metric
from pipeline.metrics.comparisons import Comparison, compare_to_baseline

Method = tuple[str, str]
"""A loss and a calibrator."""


def by_metric(scores: pd.DataFrame) -> Iterator[tuple[Metric, dict[Method, dict[int, float]]]]:
    """Yield each metric with a direction that every run has, with its values by method and seed."""
    methods = [
        (str(loss), str(calibrator), group)
        for (loss, calibrator), group in scores.groupby(["loss", "calibrator"], sort=False)
    ]
    for name, metric in every_metric().items():
        if metric.better not in ("lower", "higher") or name not in scores:
            continue
        if np.isfinite(scores[name].to_numpy(dtype=float)).all():
            yield (
                metric,
                {
                    (loss, calibrator): dict(
                        zip(group["seed"], group[name].astype(float), strict=True)
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
