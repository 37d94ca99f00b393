"""The first screen: verdicts and recommendations in a table's row each, sizes apart."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.findings.evidence import Evidence
from pipeline.findings.recommending import Chosen
from pipeline.findings.verdicts import Answer, PartAnswer, Pooled, Verdict
from pipeline.findings.wording import difference_text, unit_text
from pipeline.method_names import named
from pipeline.tables.parts.wording import counted, metric_name

MOST_SHORT = 2
"""Parts of a claim beyond which the first screen gives no differences."""


def verdict_cell(found: Answer | None) -> str:
    """Write a claim's verdict at one size, and its comparisons for it, against it and of all."""
    if found is None:
        return "not tested"
    num_for, num_against = (sum(each.standing == standing for each in found.tested)
                            for standing in ("for", "against"))  # fmt: skip
    return f"**{found.verdict}**, {num_for} for, {num_against} against, of {len(found.tested)}"


def short_cell(found: Answer | None) -> str:
    """Write a claim's verdict at one size, the mean difference, and in brackets what would be seen.

    Of a claim of many parts it says how many are supported.
    """
    if found is None:
        return "not tested"
    lines = [f"**{found.verdict}**"]
    if len(found.parts) > MOST_SHORT:
        num = sum(part.verdict == "supported" for part in found.parts)
        lines.append(f"{num} of {len(found.parts)} parts supported")
    else:
        lines += [_short_part(part, part.pooled) for part in found.parts if part.pooled]
    return "<br>".join(lines)


def _short_part(found: PartAnswer, pooled: Pooled) -> str:
    part = found.part
    seen = found.detectable
    where = "" if seen is None else f" ({difference_text(part.metric, seen)})"
    mean = difference_text(part.metric, pooled.mean)
    return f"{part.says[:1].lower()}{part.says[1:]} {mean}{where}{unit_text(part.metric)}"


def held_sentence(every: Sequence[Evidence], found: Sequence[Answer]) -> str:
    """Say how much was run with networks of one size, and what became of the claims there."""
    if not every:
        return "not run."
    seeds = sorted({len(each.row.seeds) for each in every})
    num_datasets = len({each.row.dataset for each in every})
    verdicts: list[Verdict] = ["supported", "contradicted", "undecided"]
    counts = [f"{sum(e.verdict == name for e in found)} {name}" for name in verdicts]
    return (
        f"{counted(len(every), 'experiments')} on {counted(num_datasets, 'data sets')}, "
        f"{' or '.join(map(str, seeds))} seeds each; of {counted(len(found), 'claims')} "
        f"{', '.join(counts)}."
    )


def chosen_cell(chosen: Chosen, metric: str) -> str:
    """Write which loss or calibrator is recommended, and what it gains, for the first table."""
    if chosen.num_tested == 0:
        return f"{named(chosen.simplest)}, no other was run"
    if chosen.best is None or chosen.best.found.pooled is None:
        return f"**{named(chosen.name)}**, the simplest: none of {chosen.num_tested} shown better"
    gain = f"{difference_text(metric, chosen.best.found.pooled.mean)}{unit_text(metric)}"
    return f"**{named(chosen.name)}**, {metric_name(metric).label} {gain}"
