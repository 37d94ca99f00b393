"""The page of findings: verdicts first, then each claim's comparisons, what was run, limits."""

from __future__ import annotations

from collections.abc import Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.config.claims import Claims
from pipeline.findings import wording
from pipeline.findings.coverage import missing_runs
from pipeline.findings.evidence import Evidence
from pipeline.findings.recommending import recommend
from pipeline.findings.verdicts import FEWEST_POOLED, answer
from pipeline.method_names import legend, named
from pipeline.tables.parts.wording import metric_name


def findings_page(claims: Claims, published: Sequence[str], every: Sequence[Evidence]) -> str:
    """Return the page as Markdown; equal scores give an equal page.

    Parameters
    ----------
    claims : Claims
        What is claimed, how it is answered, and what was meant to be run.
    published : sequence of str
        Every study that is published, planned for the claims or not.
    every : sequence of Evidence
        The experiments of the planned studies that are published, in the claims' order of studies.
    """
    environment = Environment(
        loader=PackageLoader("pipeline.findings", "templates"),
        # Markdown, made of our own names and numbers: nothing is to be escaped.
        autoescape=False,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("findings.md.jinja").render(
        claims=claims,
        answers=[answer(claim, every, claims.level) for claim in claims.claims],
        recommended=recommend(claims.recommendation, every, claims.level),
        every=every,
        counts={each.name: _counts(each) for each in every},
        missing=missing_runs(claims.planned, every),
        apart=[study for study in published if study not in claims.planned],
        fewest_pooled=FEWEST_POOLED,
        metric_name=metric_name,
        named=named,
        legend=legend(name for each in every for name in (*each.row.losses, *each.row.calibrators)),
        say=wording,
    )
    return page.rstrip() + "\n"


def _counts(evidence: Evidence) -> tuple[int, int, int]:
    """Return training cases, test cases and test patients of an experiment's data set."""
    cases = evidence.card.cases
    return cases["train"], cases["test"], evidence.card.patients["test"]
