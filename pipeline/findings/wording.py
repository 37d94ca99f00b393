"""What the numbers say, in words that follow from them and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.claims import Part
from pipeline.findings.recommending import Candidate, Chosen
from pipeline.findings.verdicts import (
    FEWEST_POOLED,
    Answer,
    PartAnswer,
    Pooled,
    Standing,
    Tested,
)
from pipeline.method_names import named
from pipeline.tables.parts.wording import counted, metric_name

STANDINGS: dict[Standing, str] = {
    "for": "for", "against": "against", "open": "not distinguishable",
}  # fmt: skip


def difference_text(metric: str, value: float) -> str:
    """Write a difference with its sign, in points where the metric is a percentage.

    >>> difference_text("ece", -0.0123), difference_text("nll", 0.5), difference_text("ece", 0.0)
    ('−1.23', '+0.500', '0.00')
    """
    name = metric_name(metric)
    # Differences of accuracies are of the size of their second decimal.
    digits = 2 if name.factor != 1 else name.digits
    text = f"{name.factor * value:+.{digits}f}".replace("-", "−")
    return text[1:] if float(text[1:]) == 0 else text


def unit_text(metric: str) -> str:
    """Write the unit of a difference, with a space before it; nothing where there is none."""
    name = metric_name(metric)
    unit = "points" if name.unit == "%" else name.unit
    return f" {unit}" if unit else ""


def interval_text(metric: str, tested: Tested) -> str:
    """Write the interval of the mean difference, or why there is none."""
    if tested.interval is not None:
        ends = (tested.interval.lower, tested.interval.upper)
        return " to ".join(difference_text(metric, end) for end in ends)
    return "one seed" if tested.num_pairs == 1 else "equal on every seed"


def p_text(p_value: float | None) -> str:
    """Write a p-value.

    >>> p_text(0.0421), p_text(0.0002), p_text(None), p_text(0.99999)
    ('0.042', '< 0.001', '–', '1.000')
    """
    if p_value is None:
        return "–"
    return "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"


def rule_text(part: Part, level: float) -> str:
    """Say what a part of a claim needs to be supported, and what contradicts it."""
    needed = f"Holm p at most {100 * level:g} %"
    if part.margin is None:
        return (
            f"Rule: {part.expected} ({needed}) in at least half of the comparisons and "
            f"{_opposite(part)} in none; contradicted if {_opposite(part)} in more than "
            f"{part.expected}"
        )
    margin = f"{difference_text(part.metric, part.null)}{unit_text(part.metric)}"
    good, bad = ("above", "below") if part.expected == "higher" else ("below", "above")
    return (
        f"Rule: the interval {good} {margin} in at least half of the comparisons and the mean "
        f"{bad} it ({needed}) in none; contradicted if {bad} it in more"
    )


def part_sentence(found: PartAnswer) -> str:
    """Say how many comparisons stand how, what all data sets say together, what could be seen."""
    if not found.tested:
        return "Not tested: no experiment of this size holds these methods."
    sentences = [_counts(found), _pooled_sentence(found.part, found.pooled), _power_sentence(found)]
    return " ".join(filter(None, sentences))


def _counts(found: PartAnswer) -> str:
    num, part = len(found.tested), found.part
    words = {
        "for": f"significantly {part.expected} (as claimed)",
        "against": f"significantly {_opposite(part)}",
    }
    if part.margin is not None:
        words = {"for": "within the margin", "against": "significantly beyond it"}
    words["open"] = "not distinguishable"
    said = ", ".join(f"{found.count(each)} {words[each]}" for each in STANDINGS)
    return f"Of {counted(num, 'comparisons')}: {said}: {found.verdict}."


def _opposite(part: Part) -> str:
    return "lower" if part.expected == "higher" else "higher"


def _power_sentence(found: PartAnswer) -> str:
    if found.detectable is None:
        return ""
    seeds = sorted({each.num_pairs for each in found.tested})
    return (
        f"With {' or '.join(map(str, seeds))} seeds a true difference of "
        f"{difference_text(found.part.metric, found.detectable)}{unit_text(found.part.metric)} "
        "would have stood for the claim with a chance of 80 % (median over the comparisons)."
    )


def _pooled_sentence(part: Part, pooled: Pooled | None) -> str:
    if pooled is None:
        return ""
    mean = f"{difference_text(part.metric, pooled.mean)}{unit_text(part.metric)}"
    if pooled.num_datasets == 1:
        return f"One data set, mean difference {mean}: no test over data sets."
    side = "on the claim's side of the margin" if part.margin else "on the claim's side"
    start = (
        f"Over {pooled.num_datasets} data sets the mean difference is {mean}, "
        f"{pooled.num_favourable} of them {side}"
    )
    if pooled.p_value is None:
        return f"{start}; fewer than {FEWEST_POOLED} that differ cannot be tested together."
    return f"{start} (Wilcoxon's signed-rank test, p {_p_phrase(pooled.p_value)})."


def _p_phrase(p_value: float | None) -> str:
    text = p_text(p_value)
    return text if text.startswith("<") else f"= {text}"


def claim_sentence(found: Answer) -> str:
    """Say a claim's verdict at one size, and which parts it comes from where there are several."""
    if len(found.parts) == 1:
        return f"**{found.verdict.capitalize()}.**"
    parts = "; ".join(f"{each.part.says}: {each.verdict}" for each in found.parts)
    return f"**{found.verdict.capitalize()}.** {parts}."


def chosen_sentence(kind: str, chosen: Chosen, metric: str) -> str:
    """Say which loss or calibrator is recommended, and on what ground."""
    if chosen.num_tested == 0:
        return f"No {kind} is recommended: no candidate was run beside {named(chosen.simplest)}."
    label = metric_name(metric).label
    passed = sum(each.passes for each in chosen.candidates)
    counts = (
        f"Candidates compared with {named(chosen.simplest)}: {chosen.num_tested} of "
        f"{len(chosen.candidates)}; passed: {passed}"
    )
    if chosen.best is None or chosen.best.found.pooled is None:
        return (
            f"Recommended {kind}: **{named(chosen.name)}**, the simplest, since no candidate was "
            f"shown to have the better {label} within every guard: absence of proof, not proof of "
            f"absence. {counts}."
        )
    return (
        f"Recommended {kind}: **{named(chosen.name)}** in place of {named(chosen.simplest)}. "
        f"{label}: {candidate_sentence(metric, chosen.best)}. {counts}; of these it gains most."
    )


def candidate_sentence(metric: str, candidate: Candidate) -> str:
    """Say how one candidate fared: its comparisons, its mean difference and the guarded metrics."""
    found = candidate.found
    if found.pooled is None:
        return "not run"
    counts = f"{found.count('for')} better, {found.count('against')} worse, of {len(found.tested)}"
    guards = "; ".join(
        f"{metric_name(key).label} {difference_text(key, mean)}{unit_text(key)}"
        for key, mean in candidate.guards.items()
    )
    mean = f"{difference_text(metric, found.pooled.mean)}{unit_text(metric)}"
    return f"{counts}; mean {mean}; {guards}"


def joined(words: Sequence[object]) -> str:
    """Write a list on one line.

    >>> joined([0, 1, 2])
    '0, 1, 2'
    """
    return ", ".join(str(word) for word in words)
