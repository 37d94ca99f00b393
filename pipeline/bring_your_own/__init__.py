"""A report from logits or probabilities that somebody brings: no training, torch not needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.artifacts import whole_folder
from pipeline.bring_your_own.cases import (
    Given,
    read_all,
    require_other_cases,
    require_other_files,
)
from pipeline.bring_your_own.pages import write_pages
from pipeline.bring_your_own.stated import read_costs, read_shares
from pipeline.bring_your_own.study import (
    Shown,
    given_card,
    given_row,
    given_run,
    no_history,
    split_halves,
    study_name,
)
from pipeline.config.study import Study
from pipeline.errors import InputError, located
from pipeline.evaluation import Experiment, Tell, compute_tables, silent
from pipeline.folders import require_new

__all__ = [
    "CALIBRATORS",
    "TARGET",
    "Shown",
    "logits_report",
    "read_costs",
    "read_shares",
    "study_name",
]

CALIBRATORS = ("identity", "temperature", "ats")
"""Fitted unless said; the last is the headline."""

TARGET: float = Study.model_fields["headline_target"].default
"""Share of the answers that may be wrong, unless said."""


def logits_report(
    path: Path,
    out: Path,
    shown: Shown,
    *,
    calibration: Path | None,
    groups: Sequence[str],
    tell: Tell = silent,
) -> None:
    """Write the report of a file's cases, as of a study, to a new folder.

    Raises `InputError`, naming the file and column that is not what it must be; if the folder holds
    anything.

    Parameters
    ----------
    path : Path
        Test cases; see `read_all` for the columns.
    out : Path
        Gets ``index.html``, ``experiments/``, ``tables/``, ``figures/``, ``metrics/`` and, in
        ``scores/``, the numbers they were made from.
    shown : Shown
        Title, critical classes, target, calibrators, stated prevalence and costs.
    calibration : Path, optional
        Other cases, of other patients, in the same form. Calibrators are fitted on those of a
        random half of the patients, thresholds on the other half. Without it there is neither.
    groups : sequence of str
        Columns by which results are broken down.
    tell : callable
        Gets a line on how files were read, and before each long step.
    """
    if not 0 < shown.target < 1:
        message = f"the target must lie in (0, 1), got {shown.target}"
        raise InputError(message)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        message = f"{out}: a new or empty folder expected, got one that holds something"
        raise InputError(message)
    require_new(out)
    given = _read(path, calibration, groups, shown.classes, tell)
    splits = {"test": given[0].predictions}
    if calibration is not None:
        with located(calibration):
            splits["calibration"], splits["threshold"] = split_halves(given[1].predictions)
    name = study_name(path)
    card = given_card(name, given, splits, shown)
    for line in (*card["notes"], *card["unchecked"]):
        tell(line)
    tell(f"fitting calibrators for {len(given[0].predictions):,} test cases")
    with located(path if calibration is None else calibration):
        run = given_run(given[0], splits.get("calibration"), splits.get("threshold"), shown)
    with located(path):
        row = given_row(name, run, shown)
        experiment = Experiment([run], row, card, history=no_history())
        tables = compute_tables(experiment, tell=tell)
    tell("writing the pages")
    with whole_folder(out, new=True) as folder:
        write_pages(tables, row, card, splits, folder)


def _read(
    path: Path,
    calibration: Path | None,
    groups: Sequence[str],
    classes: Sequence[str],
    tell: Tell,
) -> list[Given]:
    """Return the test cases and, if there are any, the others, which share nothing with them."""
    paths = [path] if calibration is None else [path, calibration]
    tell(f"reading {' and '.join(each.name for each in paths)}")
    given = read_all(paths, groups, classes)
    if calibration is not None:
        require_other_files(path, calibration)
        require_other_cases(*given)
    return given
