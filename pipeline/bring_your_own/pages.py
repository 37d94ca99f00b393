"""The folder of a report whose predictions somebody brought."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.artifacts import Predictions, write_json
from pipeline.bring_your_own.study import given_provenance
from pipeline.config.plan import ExperimentRow
from pipeline.evaluation import write_scores
from pipeline.report import headline_metrics, read_scores, study_files


def write_pages(
    tables: Mapping[str, pd.DataFrame],
    row: ExperimentRow,
    card: dict[str, Any],
    splits: dict[str, Predictions],
    folder: Path,
) -> None:
    """Write ``scores/``, the numbers, and from them the pages, into a folder of its own.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Computed, see `pipeline.evaluation.compute_tables`.
    row, card
        What was asked, and the card of the data.
    splits : dict of str to Predictions
        The cases, by what they served for.
    folder : Path
        Exists, and is empty.
    """
    scores = folder / "scores"
    scores.mkdir()
    provenance = given_provenance(card, splits)
    write_scores(tables, row, card=card, provenance=provenance, folder=scores)
    read = read_scores(scores)
    for file, content in study_files(row.study, card["title"], [read]).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(content)
    write_json(headline_metrics(read), folder / "metrics" / f"{row.study}.json")
