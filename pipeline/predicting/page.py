"""One page on some decisions: how many, why not more, and what is promised of the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pipeline.outgoing_text import printable
from pipeline.predicting.accounting import COPY, READ, FileFate
from pipeline.predicting.deciding import Rule
from pipeline.predicting.decisions import ANSWERED, REASONS, Decision
from pipeline.report.rendering import render
from pipeline.tables.parts.wording import target_text

MAX_ROWS = 1000
"""Decisions shown; a page of more is slow to open."""

COLUMNS = (
    "Patient", "Study", "Outcome", "Why", "Class", "Confidence", "Images", "In a sentence",
)  # fmt: skip
_NUMBERS = ("Confidence", "Images")


def summary(decisions: Sequence[Decision]) -> str:
    """Return the headline: what was answered, and why the rest was not.

    >>> summary([])
    'answered 0, referred 0'
    """
    counts = Counter(each.reason for each in decisions if each.outcome != ANSWERED)
    named = sorted(counts, key=lambda reason: (-counts[reason], REASONS.index(reason)))
    line = f"answered {len(decisions) - counts.total():,}, referred {counts.total():,}"
    why = ", ".join(f"{counts[reason]:,} {reason}" for reason in named)
    return f"{line}: {why}" if why else line


def render_page(decisions: Sequence[Decision], fates: Sequence[FileFate], rule: Rule) -> str:
    """Return the page as HTML; it loads nothing."""
    release = rule.release
    headline = summary(decisions)
    return render(
        "decisions.html.jinja",
        f"release {rule.release_sha256}",
        name=printable(release.name),
        headline=headline[0].upper() + headline[1:],
        guarantee=printable(release.rule.promise),
        warning="Answers are given without a guarantee." if rule.is_unproven else "",
        said=[(name, printable(value)) for name, value in _said(fates, rule)],
        columns=COLUMNS,
        numbers=_NUMBERS,
        rows=[tuple(map(printable, _row(each))) for each in decisions[:MAX_ROWS]],
        num_more=max(0, len(decisions) - MAX_ROWS),
    )


def _said(fates: Sequence[FileFate], rule: Rule) -> list[tuple[str, str]]:
    release = rule.release
    threshold = "none" if rule.threshold is None else f"{rule.threshold:.6g}"
    said = [
        (
            "Threshold",
            f"{threshold}; target: at most {target_text(release.rule.target)} of the answers wrong",
        ),
        ("Scope", f"{release.scope.score} of at least {release.scope.threshold:.6g}"),
        ("Model", f"{release.network_name}, {release.loss}, {release.calibrator.name}"),
        ("Study", f"{release.study}, {release.experiment}: {release.provenance.dataset_title}"),
        ("Files", _counted(fates)),
    ]
    if release.preprocessing.reader != "dicom":
        said.append(("Patients", "every file counts as one; no age, sex or site is known"))
    return said


def _counted(fates: Sequence[FileFate]) -> str:
    """Count files by what became of them; none is passed over."""
    counts = Counter(each.fate for each in fates)
    first = [f"{counts.pop(fate):,} {fate}" for fate in (READ, COPY) if fate in counts]
    rest = [f"{count:,} {fate}" for fate, count in counts.most_common()]
    return f"{len(fates):,}: {', '.join(first + rest)}"


def _row(decision: Decision) -> tuple[str, ...]:
    confidence = "–" if decision.confidence is None else f"{decision.confidence:.4f}"
    answered = decision.predicted if decision.outcome == ANSWERED else ""
    return (
        decision.patient,
        decision.study,
        decision.outcome,
        decision.reason,
        answered,
        confidence,
        f"{decision.num_images}",
        decision.detail,
    )
