"""The dozen numbers by which one version of an experiment is compared with the next."""

from __future__ import annotations

from pipeline.metrics import metrics_shown
from pipeline.tables.parts.scores import Scores
from pipeline.tables.parts.wording import missing


def headline_metrics(scores: Scores) -> dict[str, float | int | None]:
    """Return the headline pair's metrics (means over seeds) and operating point (first seed).

    Shares lie in [0, 1]; an undefined value is None. Flat, for ``dvc metrics show``.
    """
    record = scores.record
    loss = record["headline_loss"]
    means = scores.frame("summary").set_index(["loss", "calibrator", "metric"])["mean"]
    pair = (loss, record["headline_calibrator"])
    values = {key: means.get((*pair, key)) for key in metrics_shown("metrics_file")}
    values["ece_before_calibration"] = means.get((loss, scores.uncalibrated, "ece"))
    row = scores.point
    values["answered"] = row["answered"] / row["num_test"]
    values["wrong_among_answered"] = row["risk"]
    values["wrong_per_1000"] = 1000 * row["wrong"] / row["num_test"]
    return {
        key: None if value is None or missing(float(value)) else float(value)
        for key, value in values.items()
    }
