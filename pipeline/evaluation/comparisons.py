"""Paired differences over seeds: every method against the best, and every loss against one."""

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


def comparisons_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return each loss and calibrator against the best of each metric, seed by seed.

    Parameters
    ----------
    scores : DataFrame
        The `runs_table`: every method has the same seeds.

    Returns
    -------
    DataFrame
        Columns metric, loss, calibrator, reference_loss, reference_calibrator (the pair with the
        best mean), mean_difference (method less reference), sd, num_pairs, lower, upper (Student's
        95 % interval of the mean difference over seeds), p_value (paired t-test), p_value_holm
        (corrected over the methods compared with that reference). Which is best was seen before it
        was tested: a p-value above 5 % says "not shown to be worse", no more. A metric that some
        run lacks is left out.
    """
    rows: list[dict[str, Any]] = []
    for metric, values in _by_metric(scores):
        means = {method: np.mean(list(seeds.values())) for method, seeds in values.items()}
        choose = max if BETTER[metric] == "higher" else min
        best = choose(means, key=lambda method: means[method])
        reference = {"reference_loss": best[0], "reference_calibrator": best[1]}
        for (loss, calibrator), found in _compare(values, best):
            key = {"metric": metric, "loss": loss, "calibrator": calibrator}
            rows.append(key | reference | _flat(found))
    return pd.DataFrame(rows)


def differences_table(scores: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Return each loss against the study's baseline, calibrator by calibrator.

    Columns metric, calibrator, loss, baseline, mean_difference (loss less baseline), sd, num_pairs,
    lower, upper (Student's 95 % interval of the mean difference over seeds, of each loss alone),
    p_value, p_value_holm: corrected over the losses compared under that calibrator and metric.
    """
    rows: list[dict[str, Any]] = []
    for metric, values in _by_metric(scores):
        for calibrator in dict.fromkeys(calibrator for _, calibrator in values):
            same = {method: seeds for method, seeds in values.items() if method[1] == calibrator}
            for (loss, _), found in _compare(same, (baseline, calibrator)):
                key = {"metric": metric, "calibrator": calibrator, "loss": loss}
                rows.append(key | {"baseline": baseline} | _flat(found))
    return pd.DataFrame(rows)


def _by_metric(scores: pd.DataFrame) -> Iterator[tuple[str, dict[Method, dict[int, float]]]]:
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


def _compare(
    values: Mapping[Method, Mapping[int, float]], reference: Method
) -> Iterator[tuple[Method, Comparison]]:
    """Yield every other method with its comparison."""
    names = {" ".join(method): method for method in values}
    by_name = {name: values[method] for name, method in names.items()}
    for name, found in compare_to_baseline(by_name, " ".join(reference)).items():
        yield names[name], found


def _flat(found: Comparison) -> dict[str, Any]:
    return {
        "mean_difference": found.mean_difference,
        "sd": found.standard_deviation,
        "num_pairs": found.num_pairs,
        "lower": found.interval.lower if found.interval else None,
        "upper": found.interval.upper if found.interval else None,
        "p_value": found.p_value,
        "p_value_holm": found.p_value_holm,
    }
