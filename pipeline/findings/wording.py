"""What the numbers say, in words that follow from them and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.config.claims import Part
from pipeline.findings.recommending import Candidate, Chosen
from pipeline.findings.verdicts import FEWEST_POOLED, Answer, PartAnswer, Pooled, Standing, Tested
from pipeline.method_names import named
from pipeline.tables.parts.wording import metric_name

STANDINGS = {"for": "for", "against": "against", "open": "not distinguishable"}


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


def null_text(part: Part) -> str:
    """Say what a part's comparisons are tested against."""
    if part.margin is None:
        return f"expected: {part.expected}; tested against no difference"
    margin = difference_text(part.metric, part.null)
    words = "lower" if part.expected == "higher" else "higher"
    return (
        f"expected: not {words} by more than the margin; tested against {margin}"
        f"{unit_text(part.metric)}"
    )


def part_sentence(found: PartAnswer) -> str:
    """Say how many comparisons stand how, and what all data sets say together."""
    if not found.tested:
        return "Not tested: no experiment that was run holds these methods."
    return f"{_counts(found)} {_pooled_sentence(found.part, found.pooled)}".strip()


def _counts(found: PartAnswer) -> str:
    num = len(found.tested)
    better = _claimed(found.part)
    worse = _opposite(found.part)
    counts: list[tuple[Standing, str]] = [("for", better), ("against", worse)]
    said = [f"{found.count(standing)} {words}" for standing, words in counts]
    said.append(f"{found.count('open')} not distinguishable")
    comparisons = "comparison" if num == 1 else "comparisons"
    return f"Of {num} {comparisons}: {', '.join(said)}: {found.verdict}."


def _claimed(part: Part) -> str:
    if part.margin is not None:
        return "within the margin"
    return f"significantly {part.expected} (as claimed)"


def _opposite(part: Part) -> str:
    if part.margin is not None:
        return "significantly beyond it"
    return f"significantly {'lower' if part.expected == 'higher' else 'higher'}"


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
    """Say a claim's verdict, and which parts it comes from where there are several."""
    if len(found.parts) == 1:
        return f"**{found.verdict.capitalize()}.**"
    parts = "; ".join(f"{each.part.says}: {each.verdict}" for each in found.parts)
    return f"**{found.verdict.capitalize()}.** {parts}."


def summary_numbers(found: Answer) -> str:
    """Write a claim's counts for the table of verdicts: comparisons for it, against it, of all."""
    tested = [each for part in found.parts for each in part.tested]
    if not tested:
        return "none"
    counts = [sum(each.standing == standing for each in tested) for standing in ("for", "against")]
    return f"{counts[0]} for, {counts[1]} against, of {len(tested)}"


def summary_means(found: Answer) -> str:
    """Write each part's mean difference over data sets for the table of verdicts."""
    return "<br>".join(
        f"{metric_name(each.part.metric).label} "
        f"{difference_text(each.part.metric, each.pooled.mean)}{unit_text(each.part.metric)}"
        for each in found.parts
        if each.pooled is not None
    )


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
    if chosen.best is None or chosen.best.pooled is None:
        return (
            f"Recommended {kind}: **{named(chosen.name)}**, the simplest, since no candidate was "
            f"shown to have the better {label} within every guard: absence of proof, not proof of "
            f"absence. {counts}."
        )
    pooled = chosen.best.pooled
    return (
        f"Recommended {kind}: **{named(chosen.name)}** in place of {named(chosen.simplest)}. "
        f"Its {label} differs by {difference_text(metric, pooled.mean)}{unit_text(metric)} on the "
        f"mean of {pooled.num_datasets} data sets (corrected p "
        f"{_p_phrase(chosen.best.p_value_holm)}). {counts}; of these it gains most."
    )


def candidate_sentence(metric: str, candidate: Candidate) -> str:
    """Say how one candidate fared: its difference over data sets, p and guarded metrics."""
    if candidate.pooled is None:
        return "not run"
    pooled = candidate.pooled
    guards = "; ".join(
        f"{metric_name(key).label} {difference_text(key, mean)}{unit_text(key)}"
        for key, mean in candidate.guards.items()
    )
    return (
        f"{difference_text(metric, pooled.mean)}{unit_text(metric)} over {pooled.num_datasets}, "
        f"corrected p {p_text(candidate.p_value_holm)}; {guards}"
    )


def joined(words: Sequence[object]) -> str:
    """Write a list on one line.

    >>> joined([0, 1, 2])
    '0, 1, 2'
    """
    return ", ".join(str(word) for word in words)
