"""The full report on a place's cases: the pages of any study, for one model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.artifacts import Predictions
from pipeline.bring_your_own.pages import write_pages
from pipeline.bring_your_own.study import Shown, data_card, given_row, no_history, study_name
from pipeline.evaluation import Experiment, Tell, compute_tables
from pipeline.hashes import file_digest
from pipeline.releasing import Released
from pipeline.releasing.manifest import Rule
from pipeline.tables.parts.run import Run


def write_report(  # noqa: PLR0913, what a report is about
    folder: Path,
    parent: Released,
    run: Run,
    parts: dict[str, Predictions],
    rule: Rule,
    *,
    name: str,
    labels: Path,
    notes: Sequence[str],
    tell: Tell,
) -> None:
    """Write the report: the logits as they are, with the release's calibrator and the place's.

    Parameters
    ----------
    folder : Path
        Is made.
    parent : Released
    run : Run
        With all three calibrators, the place's last.
    parts : dict of str to Predictions
        See `pipeline.localising.splitting.split_patients`.
    rule : Rule
        Says target and delta.
    name : str
        The heading.
    labels : Path
        The table; its hash is told.
    notes : sequence of str
        What the first screen says of the cases.
    tell : callable
        Gets a line before each table.
    """
    release = parent.release
    shown = Shown(name, tuple(release.critical_classes), rule.target, tuple(run.calibrators))
    study = study_name(Path(f"{name}.csv"))
    files = [
        {"name": labels.name, "sha256": file_digest(labels)},
        {"name": release.name, "sha256": parent.sha256},
    ]
    card = data_card(study, release.classes, parts, shown, files, notes=notes, unchecked=())
    row = given_row(study, run, shown).model_copy(update={"delta": rule.delta})
    tables = compute_tables(Experiment([run], row, card, history=no_history()), tell=tell)
    folder.mkdir()
    write_pages(tables, row, card, parts, folder)
