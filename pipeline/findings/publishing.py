"""Publish studies: from `data/scores` to the few small files of `reports/evidence`."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import product
from pathlib import Path

import pandas as pd

from pipeline.artifacts import whole_folder
from pipeline.config.claims import Claims
from pipeline.config.method import NetworkConfig, Recipe
from pipeline.config.plan import Plan, read_plan
from pipeline.config.reading import read_config
from pipeline.findings.computed import Computed, read_study_scores, require_rows, required
from pipeline.findings.evidence import (
    CLAIMS,
    FINDINGS,
    FOLDER,
    POINTS,
    PROVENANCE,
    SCORES,
    SUMMARY,
    published_names,
    read_evidence,
    read_study,
    require_published,
)
from pipeline.findings.page import findings_page
from pipeline.findings.records import (
    DatasetRecord,
    DataSettings,
    ExperimentRecord,
    Provenance,
    Settings,
    write_provenance,
)
from pipeline.findings.summary import summary_table
from pipeline.findings.tidy import read_tidy, tidy, write_tidy
from pipeline.metrics import metrics_shown


@dataclass(frozen=True)
class _Study:
    """All that is published of one study, before anything is written."""

    name: str
    scores: pd.DataFrame
    points: str
    provenance: Provenance


def publish(studies: Iterable[str], *, root: Path) -> list[str]:
    """Write studies to ``reports/evidence`` from ``data/scores``, and the findings anew.

    Other studies that were published before stay as they are. The folder is replaced as a whole:
    on an error nothing has changed.

    Parameters
    ----------
    studies : iterable of str
        Keys of the plan's studies.
    root : Path
        The project's folder.

    Returns
    -------
    list of str
        A line for each study whose code was not clean, and for each file written, with its size.

    Raises
    ------
    InputError
        Before anything is written: if the plan lacks a study, or scores are missing; it names the
        file and the command that makes it.
    """
    claims = read_config(root / CLAIMS, Claims)
    plan = read_plan(root / "configs/plan.yaml")
    names = list(dict.fromkeys(studies))
    computed = {name: read_study_scores(root, plan, name) for name in names}
    gathered = [_gather(root, plan, claims, name, computed[name]) for name in names]
    target = root / FOLDER
    for name in set(published_names(target)) - set(names):
        # What is kept has to be sound, and is named by where it is and not by where it is copied.
        read_study(target / name)
    with whole_folder(target) as folder:
        if target.is_dir():
            shutil.copytree(target, folder, dirs_exist_ok=True)
        for study in gathered:
            _write_study(study, folder / study.name)
        readme = files("pipeline.findings") / "templates" / "evidence.md"
        (folder / "README.md").write_text(readme.read_text(encoding="utf-8"), encoding="utf-8")
        (folder / FINDINGS).write_text(findings_text(folder, claims), encoding="utf-8")
    lines = [line for name in names for line in _unclean(name, computed[name])]
    return lines + _written(root, [*(target / name for name in names), target])


def write_findings(root: Path) -> Path:
    """Write ``reports/evidence/findings.md`` from the evidence and the claims; return its path."""
    text = findings_text(root / FOLDER, read_config(root / CLAIMS, Claims))
    path = root / FOLDER / FINDINGS
    path.write_text(text, encoding="utf-8")
    return path


def findings_text(evidence: Path, claims: Claims) -> str:
    """Return the page of findings that follows from the evidence in a folder.

    Raises
    ------
    InputError
        If nothing is published there, or a claim names what the evidence lacks.
    """
    names = require_published(evidence)
    every, of_designs = (
        read_evidence(evidence, each) for each in (claims.planned, claims.designed_studies)
    )
    return findings_page(claims, names, every, of_designs)


def published_metrics(claims: Claims) -> dict[str, list[str]]:
    """Return, by score table, the metrics that the claims and the tables of results are made from.

    >>> from pathlib import Path
    >>> claims = read_config(Path("configs/claims.yaml"), Claims)
    >>> published_metrics(claims)["ood"]
    ['auroc']
    """
    rule = claims.recommendation
    wanted = [("runs", metric) for metric in metrics_shown("results")]
    wanted += [("runs", metric) for metric in (rule.metric, *(g.metric for g in rule.guards))]
    wanted += [("runs", each.metric) for design in claims.designs for each in design.responses]
    for claim in claims.claims:
        for part in claim.parts:
            wanted += [(rows.table, part.metric) for rows in (part.rows, part.less) if rows]
    found: dict[str, list[str]] = {}
    for table, metric in dict.fromkeys(wanted):
        found.setdefault(table, []).append(metric)
    return found


def _gather(
    root: Path, plan: Plan, claims: Claims, study: str, computed: Sequence[Computed]
) -> _Study:
    metrics = published_metrics(claims)
    tables = [tidy(study, each.row.experiment, each.tables, metrics) for each in computed]
    points = pd.concat([_points(each) for each in computed], ignore_index=True)
    designed = study in claims.designed_studies
    return _Study(
        name=study,
        scores=pd.concat(tables, ignore_index=True),
        points=points.to_csv(index=False),
        provenance=Provenance(
            study=study,
            title=plan.studies[study].title,
            experiments=[_experiment(root, each, designed=designed) for each in computed],
            runs=[run for each in computed for run in each.runs],
        ),
    )


def _points(computed: Computed) -> pd.DataFrame:
    """Return the operating points of the baseline and the headline's loss, text for text."""
    row = computed.row
    path = required(computed.folder, POINTS, row)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table.insert(0, "experiment", row.experiment)
    losses = {row.baseline, row.headline_loss}
    shown = table["loss"].isin(losses) & (table["calibrator"] == row.headline_calibrator)
    keys = table.loc[shown, ["loss", "seed", "target"]].astype({"seed": int, "target": float})
    found = keys.itertuples(index=False, name=None)
    planned = product(losses, row.seeds, row.risk_targets)
    require_rows(found, planned, "loss, seed and target", row, path=path)
    return table[shown]


def _experiment(root: Path, computed: Computed, *, designed: bool) -> ExperimentRecord:
    row, card = computed.row, computed.card
    recipe = read_config(root / f"configs/recipes/{row.recipe}.yaml", Recipe)
    return ExperimentRecord(
        row=row,
        epochs=recipe.epochs,
        dataset=DatasetRecord(
            title=card["title"],
            cases=card["images"],
            patients=card["patients"],
            fingerprint=card["fingerprint"],
        ),
        evaluated_by=computed.evaluated_by,
        partners=dict(computed.partners),
        settings=_settings(root, computed, recipe) if designed else None,
    )


def _settings(root: Path, computed: Computed, recipe: Recipe) -> Settings:
    """Return what an experiment's names stand for now: the evidence outlives its configs."""
    classes = computed.card["counts"]["train"]
    return Settings(
        network=read_config(root / f"configs/networks/{computed.row.network}.yaml", NetworkConfig),
        recipe=recipe,
        data=DataSettings(
            num_classes=len(classes),
            train_cases_a_class=computed.card["images"]["train"] / len(classes),
        ),
    )


def _write_study(study: _Study, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    write_tidy(study.scores, folder / SCORES)
    (folder / POINTS).write_text(study.points, encoding="utf-8")
    # From the file, as whoever checks it does.
    summary_table(read_tidy(folder / SCORES)).to_csv(folder / SUMMARY, index=False)
    write_provenance(study.provenance, folder / PROVENANCE)


def _unclean(study: str, computed: Sequence[Computed]) -> list[str]:
    runs = [run for each in computed for run in each.runs]
    lines = []
    if num_dirty := sum(run.dirty for run in runs):
        lines.append(f"{study}: {num_dirty} of {len(runs)} runs made from uncommitted changes")
    if num_dirty := sum(each.evaluated_by.dirty for each in computed):
        lines.append(
            f"{study}: {num_dirty} of {len(computed)} evaluations made from uncommitted changes"
        )
    return lines


def _written(root: Path, folders: Sequence[Path]) -> list[str]:
    paths = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    return [
        f"{path.relative_to(root).as_posix()}: {path.stat().st_size / 1000:,.1f} kB"
        for path in paths
    ]
