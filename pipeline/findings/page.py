"""The page of findings: one screen first, then each claim by size of the networks, and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.config.claims import SIZES, Claim, Claims, Situation, Size
from pipeline.findings import design_wording, first_screen, wording
from pipeline.findings.beside import figures_beside
from pipeline.findings.coverage import missing_runs
from pipeline.findings.designed import answer_design, factorial_cells
from pipeline.findings.evidence import Evidence
from pipeline.findings.lines import answer_lines
from pipeline.findings.recommending import Recommended, recommend
from pipeline.findings.verdicts import FEWEST_POOLED, Answer, answer
from pipeline.method_names import legend, named
from pipeline.tables.parts.wording import metric_name, scaled

Held = Mapping[Size, Sequence[Evidence]]
"""The experiments of each size, sizes in growing order."""


@dataclass(frozen=True)
class Advice:
    """What is recommended for the data of a situation at one size, and from how many data sets."""

    size: Size
    num_datasets: int
    recommended: Recommended


def findings_page(
    claims: Claims,
    published: Sequence[str],
    every: Sequence[Evidence],
    of_designs: Sequence[Evidence] = (),
) -> str:
    """Return the page as Markdown; equal scores give an equal page.

    Parameters
    ----------
    claims : Claims
        What is claimed, how it is answered, and what was meant to be run.
    published : sequence of str
        Every study that is published, planned for the claims or not.
    every : sequence of Evidence
        The experiments of the planned studies that are published, in the claims' order of studies.
    of_designs : sequence of Evidence
        Those of the designs' studies.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.findings", "templates"),
        # Markdown, made of our own names and numbers: nothing is to be escaped.
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    held: Held = {
        size: [each for each in every if claims.planned[each.row.study].size == size]
        for size in SIZES
    }
    asked = {*claims.planned, *claims.designed_studies}
    page = environment.get_template("findings.md.jinja").render(
        claims=claims,
        sizes=SIZES,
        held=held,
        answered=[(claim, answers(claim, held, claims.level)) for claim in claims.claims],
        designed=[
            [find(each, of_designs, claims.level) for find in (answer_design, answer_lines)]
            for each in claims.designs
        ],
        factorial_cells=factorial_cells,
        made=design_wording,
        advised=[(each, advice(claims, each, held)) for each in claims.recommendation.situations],
        beside=[(each, figures_beside(each, every)) for each in claims.published],
        every=every,
        counts={each.name: _counts(each) for each in every},
        missing=missing_runs(claims.planned, every),
        apart=[study for study in published if study not in asked],
        fewest_pooled=FEWEST_POOLED,
        metric_name=metric_name,
        scaled=scaled,
        named=named,
        legend=legend(name for each in every for name in (*each.row.losses, *each.row.calibrators)),
        first=first_screen,
        say=wording,
    )
    return page.rstrip() + "\n"


def answers(claim: Claim, held: Held, level: float) -> dict[Size, Answer]:
    """Return a claim's answer at each size that has a comparison for it."""
    found = {size: answer(claim, every, level) for size, every in held.items()}
    return {size: each for size, each in found.items() if each.tested}


def advice(claims: Claims, situation: Situation, held: Held) -> list[Advice]:
    """Return what is recommended for a situation at each size where a candidate was run."""
    rule = claims.recommendation
    found = []
    for size, every in held.items():
        recommended = recommend(rule, situation, every, claims.level)
        datasets = {e.row.dataset for e in every if rule.covers(situation, e.row.dataset)}
        if recommended.loss.num_tested or recommended.calibrator.num_tested:
            found.append(Advice(size, len(datasets), recommended))
    return found


def _counts(evidence: Evidence) -> tuple[int, int, int]:
    """Return training cases, test cases and test patients of an experiment's data set."""
    cases = evidence.card.cases
    return cases["train"], cases["test"], evidence.card.patients["test"]
