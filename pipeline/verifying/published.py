"""Whether published evidence hangs together: findings, summaries, and what each file speaks of."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.claims import Claims
from pipeline.config.reading import read_config
from pipeline.findings.evidence import (
    CLAIMS,
    FINDINGS,
    FOLDER,
    POINTS,
    PROVENANCE,
    SCORES,
    SUMMARY,
    Evidence,
    PublishedStudy,
    read_studies,
)
from pipeline.findings.publishing import findings_text
from pipeline.findings.summary import summary_table
from pipeline.verifying.differences import Difference, compare_files


def published_differences(root: Path, tolerance: float) -> Iterator[Difference]:
    """Yield where a file of ``reports/evidence`` is not what the others give, or speaks of others.

    Every study's summary and the findings are computed again. Scores, operating points and
    provenance are held against the experiments that the provenance names: the same losses,
    calibrators, seeds and targets, each once.

    Of the project nothing but ``reports/evidence`` and the claims is read. `tolerance` is the
    largest relative difference of two numbers that counts as none.

    Raises `InputError` if nothing is published there, or a file is absent or cannot be read any
    more.
    """
    folder = root / FOLDER
    for study in read_studies(folder):
        name = f"{FOLDER}/{study.name}"
        yield from _strangers(name, study)
        for evidence in study.experiments:
            yield from _misfits(name, study, evidence)
        summary = summary_table(study.scores).to_csv(index=False)
        yield from _text_differences(root, f"{name}/{SUMMARY}", summary, tolerance)
    findings = findings_text(folder, read_config(root / CLAIMS, Claims))
    yield from _text_differences(root, f"{FOLDER}/{FINDINGS}", findings, tolerance)


def _strangers(name: str, study: PublishedStudy) -> Iterator[Difference]:
    """Yield the experiments of which a file tells and the provenance's plan does not."""
    known = {evidence.row.experiment for evidence in study.experiments}
    for path, found in (
        (SCORES, study.scores["experiment"]),
        (POINTS, study.points["experiment"]),
        (PROVENANCE, [run.experiment for run in study.runs]),
    ):
        for experiment in sorted(set(found) - known):
            yield Difference(f"{name}/{path}", f"experiment {experiment}", "rows", "nothing")


def _misfits(name: str, study: PublishedStudy, evidence: Evidence) -> Iterator[Difference]:
    """Yield what a file lacks or holds too much of one experiment."""
    row = evidence.row
    runs = [run for run in study.runs if run.experiment == row.experiment]
    points = study.points[study.points["experiment"] == row.experiment]
    planned = product(row.losses, row.calibrators, row.seeds)
    shown = product({row.baseline, row.headline_loss}, [row.headline_calibrator], row.seeds,
                    row.risk_targets)  # fmt: skip
    for path, found, expected in (
        (SCORES, _keys(evidence.tables["runs"], "loss", "calibrator", "seed"), set(planned)),
        (POINTS, _keys(points, "loss", "calibrator", "seed", "target"), set(shown)),
        (PROVENANCE, [(run.loss, run.seed) for run in runs],
         set(product(row.losses, row.seeds))),
    ):  # fmt: skip
        for key in sorted(expected ^ set(found), key=str):
            place = f"{row.experiment}: {', '.join(str(each) for each in key)}"
            states = ("nothing", "a row") if key in expected else ("a row", "nothing")
            yield Difference(f"{name}/{path}", place, *states)
        if len(found) != len(set(found)):
            place = f"{row.experiment}: rows that stand there twice"
            yield Difference(f"{name}/{path}", place, str(len(found) - len(set(found))), "0")


def _keys(table: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(table[list(columns)].itertuples(index=False, name=None))


def _text_differences(root: Path, path: str, text: str, tolerance: float) -> Iterator[Difference]:
    """Yield where a stored file is not a text that was made again."""
    if not (root / path).is_file():
        yield Difference(path, "", "no such file", "a file")
        return
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        again = Path(folder) / Path(path).name
        again.write_text(text, encoding="utf-8")
        for place, old, new in compare_files(root / path, again, tolerance):
            yield Difference(path, place, old, new)
