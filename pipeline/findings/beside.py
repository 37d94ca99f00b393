"""Published figures beside ours, experiment by experiment: never averaged over any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from pipeline.config.claims import Published
from pipeline.findings.evidence import Evidence
from pipeline.metrics.comparisons import Summary, summarise
from pipeline.tables.derived.published import published_figures
from pipeline.tables.parts.scores import pick


@dataclass(frozen=True)
class Beside:
    """A published figure and ours: the metric over the seeds, after the same methods."""

    evidence: Evidence
    loss: str
    calibrator: str
    metric: str
    published: float
    ours: Summary
    source: str


def figures_beside(held: Published, every: Sequence[Evidence]) -> list[Beside]:
    """Return a data set's published figures beside every experiment's that has the same methods.

    Experiments with the same networks count once, the first of them.
    """
    ours = [each for each in every if each.row.dataset in held.ours]
    figures = published_figures(held.dataset).to_dict("records")
    found: dict[tuple[str, ...], Beside] = {}
    for evidence, figure in product(ours, figures):
        loss, calibrator, metric = (figure[name] for name in ("loss", "calibrator", "metric"))
        rows = pick(evidence.tables["runs"], loss=loss, calibrator=calibrator)
        if metric in rows and not rows.empty:
            each = Beside(evidence, loss, calibrator, metric, figure["value"],
                          summarise(rows[metric].tolist()), figure["source"])  # fmt: skip
            found.setdefault((*evidence.trained, loss, calibrator, metric), each)
    return list(found.values())
