"""Whether scores computed here agree with the published ones, figure by figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pandas as pd

from pipeline.config.plan import Plan, read_plan
from pipeline.errors import InputError
from pipeline.findings.computed import Computed, read_study_scores
from pipeline.findings.evidence import (
    FOLDER,
    Evidence,
    PublishedStudy,
    published_names,
    read_study,
    require_published,
)
from pipeline.metrics import metrics_shown
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import metric_name
from pipeline.verifying.bits import SameBits, same_bits
from pipeline.verifying.equivalence import Compared, Seeds, Standing, compare_seeds, standings

MARGINS = {"%": 0.05, "nats": 0.1}
"""How far two means may lie apart and still count as the same, by the metric's unit.

5 points, as a share, and 0.1 nats: about as narrow as three seeds a side can resolve. Of figures
that are the same and scatter by 1 point (0.02 nats) from seed to seed, 99 of 100 are then shown to
be; by 1.5 points (0.03 nats) 85 of 100. In the study quick most scatter by less.
"""


@dataclass(frozen=True)
class Figure:
    """One metric of one experiment and loss, under the experiment's headline calibrator."""

    experiment: str
    loss: str
    calibrator: str
    metric: str
    here: Seeds
    published: Seeds
    """Its value by seed."""
    compared: Compared
    """What the two sides say of each other."""

    @property
    def name(self) -> str:
        """Experiment, loss and metric."""
        return f"{self.experiment}, {self.loss}, {metric_name(self.metric).label}"


@dataclass(frozen=True)
class Agreement:
    """How a study computed here stands to the published one."""

    study: str
    figures: tuple[tuple[Figure, Standing], ...]
    """Those that both sides have."""
    num_published: int
    """Figures that were published, whether they are here or not."""
    one_sided: tuple[str, ...]
    """What only one side has, a line each."""
    bits: SameBits

    def count(self, *wanted: Standing) -> int:
        """Return how many figures stand so."""
        return sum(standing in wanted for _, standing in self.figures)


def agree(studies: Sequence[str], *, root: Path) -> list[Agreement]:
    """Return how studies in ``data/scores`` stand to those in ``reports/evidence``.

    `studies` are both published and of the plan; if empty, they are all that are.

    Raises `InputError` if a study is not published, or its scores are not here; or no study is
    both.
    """
    plan = read_plan(root / "configs/plan.yaml")
    names = list(dict.fromkeys(studies)) or _published_of(plan, root)
    every = [_sides(root, plan, name) for name in names]
    figures = {study.name: _figures(study, computed) for study, computed in every}
    # Holm's correction is over all figures of the call, whichever study they are of.
    found = standings(
        {f"{study}: {each.name}": each.compared for study in figures for each in figures[study]}
    )
    return [
        Agreement(
            study=study.name,
            figures=tuple(
                (each, found[f"{study.name}: {each.name}"]) for each in figures[study.name]
            ),
            num_published=sum(
                len(each.row.losses) * len(_metrics(each)) for each in study.experiments
            ),
            one_sided=tuple(_one_sided(study, computed)),
            bits=same_bits([run for each in computed for run in each.runs], study.runs),
        )
        for study, computed in every
    ]


def _published_of(plan: Plan, root: Path) -> list[str]:
    published = require_published(root / FOLDER)
    names = [name for name in plan.studies if name in published]
    if not names:
        message = (
            f"no study of the plan ({', '.join(plan.studies) or 'none'}) is published: {FOLDER} "
            f"holds {', '.join(published)}"
        )
        raise InputError(message)
    return names


def _sides(root: Path, plan: Plan, name: str) -> tuple[PublishedStudy, list[Computed]]:
    published = published_names(root / FOLDER)
    if name not in published:
        message = f"{FOLDER}: no study '{name}' published; it has: {', '.join(published) or 'none'}"
        raise InputError(message)
    return read_study(root / FOLDER / name), read_study_scores(root, plan, name)


def _figures(study: PublishedStudy, computed: Sequence[Computed]) -> list[Figure]:
    """Return the figures that both sides have."""
    here = {each.row.experiment: each for each in computed}
    found = [
        figure
        for evidence in study.experiments
        if evidence.row.experiment in here
        for loss, metric in product(evidence.row.losses, _metrics(evidence))
        if (figure := _figure(evidence, here[evidence.row.experiment], loss, metric))
    ]
    if not found:
        message = f"{study.name}: no experiment and loss that is both published and computed here"
        raise InputError(message)
    return found


def _metrics(evidence: Evidence) -> list[str]:
    """Return the metrics of the results that were published; one added since was not."""
    return [name for name in metrics_shown("results") if name in evidence.tables["runs"]]


def _figure(evidence: Evidence, computed: Computed, loss: str, metric: str) -> Figure | None:
    calibrator = evidence.row.headline_calibrator
    here, published = (
        _by_seed(tables["runs"], loss, calibrator, metric)
        for tables in (computed.tables, evidence.tables)
    )
    if not (here and published):
        return None
    margin = MARGINS[metric_name(metric).unit]
    compared = compare_seeds(here, published, margin=margin)
    return Figure(evidence.row.experiment, loss, calibrator, metric, here, published, compared)


def _by_seed(table: pd.DataFrame, loss: str, calibrator: str, metric: str) -> Seeds:
    rows = pick(table, loss=loss, calibrator=calibrator)
    return dict(zip(rows["seed"].tolist(), rows[metric].tolist(), strict=True))


def _one_sided(study: PublishedStudy, computed: Sequence[Computed]) -> Iterator[str]:
    here = {each.row.experiment: each.row for each in computed}
    published = {each.row.experiment: each.row for each in study.experiments}
    yield from _only(list(here), list(published), "experiment")
    for name in [name for name in published if name in here]:
        yield from _only(here[name].losses, published[name].losses, f"{name}: loss")
        yield from _only(here[name].seeds, published[name].seeds, f"{name}: seed")
        if (calibrator := published[name].headline_calibrator) not in here[name].calibrators:
            yield f"only published: {name}: calibrator {calibrator}"


def _only(here: Sequence[object], published: Sequence[object], what: str) -> Iterator[str]:
    """Yield what one side lacks."""
    for side, names, others in (("here", here, published), ("published", published, here)):
        if alone := [str(name) for name in names if name not in others]:
            yield f"only {side}: {what} {', '.join(alone)}"
