"""The tables of results in README.md and docs/results.md, from the published evidence alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path

import pandas as pd

from pipeline.config.claims import Claims
from pipeline.config.reading import read_config
from pipeline.errors import InputError
from pipeline.findings.evidence import CLAIMS, FOLDER, Evidence, PublishedStudy, read_studies
from pipeline.method_names import legend, named, titled
from pipeline.metrics import metrics_shown
from pipeline.metrics.comparisons import Summary, summarise
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.sentences import OperatingPoint, in_a_hundred, operating_point, verdict
from pipeline.tables.parts.wording import metric_name, missing, scaled

BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
SHORT_STUDY = "medical"
"""The study that README.md shows."""

README, DOCUMENT = "README.md", "docs/results.md"
NEW_DOCUMENT = f"# Results\n\n{BEGIN}\n{END}\n"
OF_THE_POINT = "The operating point is that of the second loss's first seed, not of its best."
INTRODUCTION = (
    "Every published experiment: mean ± standard deviation over the seeds, uncalibrated → after "
    "the calibrator named; one number where the calibrator changes no digit of it. "
    f"{OF_THE_POINT} `python -m pipeline results` writes this table from `reports/evidence`; "
    "[the findings](../reports/evidence/findings.md) say what follows from it."
)
SHORT_INTRODUCTION = (
    "The study `{study}`: mean ± standard deviation over the seeds; accuracy and AURC after "
    "{calibrator}, ECE before → after it. {of_the_point} "
    "[All experiments](docs/results.md); [what follows from them](reports/evidence/findings.md)."
)

Cells = Mapping[str, str]
"""A row of a table, by the head of its column."""


def write_results(root: Path) -> list[str]:
    """Write both tables between their marks; return the files' names.

    Raises
    ------
    InputError
        Before anything is written, if nothing is published or a file lacks the marks.
    """
    texts = results_texts(root)
    for name, text in texts.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return list(texts)


def results_texts(root: Path) -> dict[str, str]:
    """Return what README.md and docs/results.md must be, by name; the second may be absent.

    Studies that were planned to answer the claims come first, in that order.
    """
    claims = read_config(root / CLAIMS, Claims)
    studies = read_studies(root / FOLDER, first=claims.planned)
    document = root / DOCUMENT
    pages = {
        README: (_read(root / README), short_section(studies)),
        DOCUMENT: (_read(document) if document.is_file() else NEW_DOCUMENT,
                   results_section(studies)),
    }  # fmt: skip
    return {
        name: replace_section(text, section, place=name) for name, (text, section) in pages.items()
    }


def _read(path: Path) -> str:
    if not path.is_file():
        message = f"{path}: no such file"
        raise InputError(message)
    return path.read_text(encoding="utf-8")


def results_section(studies: Sequence[PublishedStudy]) -> str:
    """Return the table of every published experiment as Markdown, between its marks.

    Raises
    ------
    InputError
        If the evidence lacks a loss or calibrator that its experiment shows.
    """
    every = [evidence for study in studies for evidence in study.experiments]
    keys = ((*_losses(each), each.row.headline_calibrator) for each in every)
    names = legend(chain.from_iterable(keys))
    return _section(f"{INTRODUCTION} {names}".strip(), _rows(studies, _full_row))


def short_section(studies: Sequence[PublishedStudy]) -> str:
    """Return README.md's table as Markdown, between its marks: one study in few columns."""
    shown = [study for study in studies if study.name == SHORT_STUDY]
    if not shown:
        return "\n".join([BEGIN, f"The study `{SHORT_STUDY}` is not published.", END])
    calibrators = dict.fromkeys(e.row.headline_calibrator for e in shown[0].experiments)
    introduction = SHORT_INTRODUCTION.format(
        study=SHORT_STUDY, calibrator=", ".join(map(named, calibrators)), of_the_point=OF_THE_POINT
    )
    return _section(introduction, _rows(shown, _short_row))


def replace_section(text: str, section: str, *, place: str = "text") -> str:
    """Return a text with what stands between the marks replaced; both marks belong to the section.

    Raises
    ------
    InputError
        If the text does not hold the two marks once each, in order.

    Examples
    --------
    >>> replace_section(f"a {BEGIN} old {END} z", f"{BEGIN} new {END}") == f"a {BEGIN} new {END} z"
    True
    """
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended) or BEGIN in rest or END in before + after:
        message = f"{place}: one '{BEGIN}' and after it one '{END}' expected"
        raise InputError(message)
    return before + section + after


def _rows(
    studies: Sequence[PublishedStudy], row: Callable[[PublishedStudy, Evidence], Cells]
) -> list[Cells]:
    return [row(study, evidence) for study in studies for evidence in study.experiments]


def _section(introduction: str, rows: Sequence[Cells]) -> str:
    heads = list(rows[0])
    marks = ["--:" if head == "Seeds" else "---" for head in heads]
    lines = [f"| {' | '.join(row[head] for head in heads)} |" for row in rows]
    table = [f"| {' | '.join(heads)} |", f"|{'|'.join(marks)}|", *lines]
    return "\n".join([BEGIN, introduction, "", *table, END])


def _full_row(study: PublishedStudy, evidence: Evidence) -> Cells:
    row = evidence.row
    losses = _losses(evidence)
    return {
        "Experiment": f"{study.name}: {row.experiment}",
        "Seeds": str(len(row.seeds)),
        "Losses, calibrator": "<br>".join(f"{loss}, {row.headline_calibrator}" for loss in losses),
        **{
            f"{metric_name(key).label}{_unit(key)}": "<br>".join(
                _before_and_after(evidence, loss, key) for loss in losses
            )
            for key in metrics_shown("results")
        },
        "Operating point": _point_text(study, evidence),
    }


def _short_row(study: PublishedStudy, evidence: Evidence) -> Cells:
    row, losses = evidence.row, _losses(evidence)

    def after(key: str) -> str:
        return "<br>".join(_value(evidence, loss, row.headline_calibrator, key) for loss in losses)

    return {
        "Data set": evidence.card.title,
        "Seeds": str(len(row.seeds)),
        "Loss": "<br>".join(titled(loss) for loss in losses),
        "Accuracy, %": after("accuracy"),
        "ECE, %": "<br>".join(_before_and_after(evidence, loss, "ece") for loss in losses),
        "AURC, %": after("aurc"),
        "Operating point": _point_text(study, evidence),
    }


def _losses(evidence: Evidence) -> list[str]:
    return list(dict.fromkeys([evidence.row.baseline, evidence.row.headline_loss]))


def _before_and_after(evidence: Evidence, loss: str, metric: str) -> str:
    """Write a metric without calibration and after the headline's calibrator."""
    row = evidence.row
    none = "identity" if "identity" in row.calibrators else row.calibrators[0]
    calibrators = (none, row.headline_calibrator)
    return " → ".join(dict.fromkeys(_value(evidence, loss, each, metric) for each in calibrators))


def _value(evidence: Evidence, loss: str, calibrator: str, metric: str) -> str:
    found = _summary(evidence, loss, calibrator, metric)
    text = scaled(metric, found.mean)
    sd = found.standard_deviation
    return text if missing(sd) else f"{text} ± {scaled(metric, sd or 0.0)}"


def _summary(evidence: Evidence, loss: str, calibrator: str, metric: str) -> Summary:
    rows = pick(evidence.tables["runs"], loss=loss, calibrator=calibrator)
    if rows.empty:
        message = f"{FOLDER}, {evidence.name}: rows of {loss}, {calibrator} expected, got none"
        raise InputError(message)
    # What was published before the metric was added says nothing of it.
    values = rows[metric].tolist() if metric in rows else [float("nan")]
    return summarise(values)


def _point_text(study: PublishedStudy, evidence: Evidence) -> str:
    """Say what the shown model may decide alone, in the words of its report's first screen."""
    point = _point(study.points, evidence)
    return f"{verdict(point)[1]}. {in_a_hundred(point)}"


def _point(points: pd.DataFrame, evidence: Evidence) -> OperatingPoint:
    row = evidence.row
    shown = pick(
        points,
        experiment=row.experiment,
        loss=row.headline_loss,
        calibrator=row.headline_calibrator,
        seed=row.seeds[0],
        target=row.headline_target,
    )
    if len(shown) != 1:
        message = (
            f"{FOLDER}, {evidence.name}: the shown model's operating point expected, not found"
        )
        raise InputError(message)
    # Points count patients: cases, where nobody has two.
    unit = "cases" if evidence.card.cases["test"] == shown["num_test"].iloc[0] else "patients"
    return operating_point(shown.iloc[0], unit)


def _unit(key: str) -> str:
    unit = metric_name(key).unit
    return f", {unit}" if unit else ""
