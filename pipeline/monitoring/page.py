"""The monitor's page: one file, in the report's style, that loads nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures import evidence_figure, risk_so_far_figure, to_svg
from pipeline.metrics.group_shares import RATE_FROM
from pipeline.monitoring.evidence import Evidence
from pipeline.monitoring.record import reasons
from pipeline.monitoring.verdict import Verdict, e_value_text, is_alarming
from pipeline.monitoring.watching import RECENT, Group, Watch
from pipeline.outgoing_text import printable
from pipeline.report.panels.panel import Panel
from pipeline.report.rendering import render
from pipeline.tables.parts.wording import (
    MASKED,
    count_of,
    interval,
    missing,
    number_text,
    percent,
    target_text,
)

SIGNS = {"supported": "found", "not supported": "missed", "too few": "too_few"}

LOOKED_AT = {"confidence": "confidence", "referral": "share referred"}


@dataclass(frozen=True)
class Line:
    """One row of a table of evidence: what was looked at, among how many, and what came of it."""

    name: str
    number: str
    detail: str
    e_value: str
    enough: str
    found: str


def page(watch: Watch, verdict: Verdict, *, sha256: str) -> str:
    """Return the page of what was seen."""
    release = watch.release
    return render(
        "monitor.html.jinja",
        f"release {sha256}",
        title=printable(release.name),
        verdict=verdict,
        sign=SIGNS[verdict.kind],
        tiles=_tiles(watch),
        panels=_panels(watch),
        guarantee=printable(release.rule.guarantee),
        delta=percent(release.rule.delta, 0),
        target=target_text(release.rule.target),
        tests=[_test_line(LOOKED_AT[name], each) for name, each in watch.changes.items()],
        groups=[_group_line(group) for group in watch.groups],
        reasons={name: number_text(count) for name, count in reasons(watch).items()},
        estimates=_estimates(watch),
        recent=f"{min(RECENT, len(watch.changes['confidence'].log_path)):,}",
        span=(watch.patients["decided_at"].min(), watch.patients["decided_at"].max()),
        num_studies=f"{watch.num_studies:,}",
    )


def _tiles(watch: Watch) -> list[tuple[str, str, str]]:
    """Return label, value and detail of what is told in large numbers."""
    num, answered, patients = len(watch.labelled), watch.num_answered, len(watch.patients)
    limits = interval(watch.lower[-1], watch.upper[-1])
    level = percent(1.0 - watch.release.rule.delta, 0)
    return [
        ("answered", _share(answered, patients), f"{answered:,} of {patients:,} patients"),
        ("of these with a label", _share(num, answered), f"{num:,} of {answered:,}"),
        (
            "wrong among labelled answers",
            _share(watch.num_wrong, num) if num >= RATE_FROM else "–",
            f"{watch.num_wrong:,} of {num:,}, {level} confidence sequence {limits}",
        ),
        ("evidence of more errors", e_value_text(watch.excess.highest),
         f"highest e-value; {1 / watch.excess.delta:,.0f} is enough"),
    ]  # fmt: skip


def _share(count: int, total: int) -> str:
    return percent(count / total) if total else "–"


def _panels(watch: Watch) -> list[Panel]:
    panels = []
    if len(watch.labelled):
        wrong = np.cumsum(watch.labelled["wrong"].to_numpy(bool))
        labels = np.arange(1, len(wrong) + 1)
        rows = pd.DataFrame(
            {"labels": labels, "risk": wrong / labels, "lower": watch.lower[1:],
             "upper": watch.upper[1:]}
        )  # fmt: skip
        rule = watch.release.rule
        panels += [
            _panel("risk", "Wrong answers so far",
                   "Shaded: the confidence sequence, which holds at all times at once if the risk "
                   "does not change.",
                   risk_so_far_figure(rows, target=rule.target)),
            _panel("excess", "Evidence of more errors than the target",
                   "Wealth from betting, from a stake of 1, that answers are wrong more often than "
                   "the target allows.",
                   evidence_figure({"more errors": watch.excess.log_path},
                                   enough=1 / rule.delta, units="labelled answers")),
        ]  # fmt: skip
    paths = {LOOKED_AT[name]: each.log_path for name, each in watch.changes.items()}
    if any(len(path) for path in paths.values()):
        enough = 1 / watch.changes["confidence"].delta
        panels.append(
            _panel("change", "Evidence of change, without labels",
                   "Wealth from betting that new patients are not like the release's own.",
                   evidence_figure(paths, enough=enough, units="patients"))
        )  # fmt: skip
    return panels


def _panel(name: str, title: str, sentence: str, figure: Figure) -> Panel:
    svg = to_svg(figure, name=f"monitor-{name}", title=title, description=sentence)
    return Panel(name=name, title=title, sentence=sentence, svg=svg)


def _test_line(name: str, evidence: Evidence, *, detail: str = "") -> Line:
    after = evidence.found_after
    return Line(
        name=name,
        number=f"{len(evidence.log_path):,}",
        detail=detail,
        e_value=e_value_text(evidence.highest),
        enough=f"{1 / evidence.delta:,.0f}",
        found="no" if after is None else f"yes, after {after:,}",
    )


def _group_line(group: Group) -> Line:
    name = printable(f"{group.column}: {group.name}")
    if group.visibility == "masked":
        return Line(name, MASKED, MASKED, MASKED, MASKED, MASKED)
    line = _test_line(name, group.excess, detail=count_of(group.num_wrong, group.num_labelled))
    known = group.excess.found and not is_alarming(group)
    return Line(**{**vars(line), "found": "yes, as the release says"}) if known else line


def _estimates(watch: Watch) -> list[tuple[str, str, str]]:
    """Return what was estimated, here and among the release's own patients."""
    reference = watch.release.reference
    error = ("wrong among answered, if confidence is calibrated",
             _percent(watch.error_answered), _percent(reference.mean_error_answered))  # fmt: skip
    shares = [
        (f"prevalence of {printable(name)}", _percent(watch.prevalence.get(name)),
         _percent(reference.prevalence[name]))
        for name in watch.release.classes
    ]  # fmt: skip
    return [error, *shares]


def _percent(share: float | None) -> str:
    return "–" if share is None or missing(share) else percent(share)
