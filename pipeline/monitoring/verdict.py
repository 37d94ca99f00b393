"""The verdict: one line, and an exit code for whoever runs the monitor every night."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pipeline.monitoring.evidence import Evidence
from pipeline.monitoring.watching import CHOSEN_LEVEL, CLOCK, Group, Watch
from pipeline.tables.parts.wording import counted, interval, percent, target_text

Kind = Literal["supported", "not supported", "too few"]

CONTINUE, CHANGED, STOP = 0, 3, 4
"""Exit codes: go on, look at the page, stop answering. 1 and 2 are a fault's, as everywhere."""

CHANGES = {
    "confidence": "confidence is not as among the release's own patients",
    "referral": "patients are not referred as often as among the release's own",
}
"""What is told of a change, by what was looked at."""


@dataclass(frozen=True)
class Verdict:
    """What is to be done.

    Attributes
    ----------
    kind : "supported", "not supported" or "too few"
        Of the guarantee: the upper limit of the risk is at most the target; betting that it is more
        has paid off; or neither.
    sentence : str
    changes : tuple of str
        Evidence of change, a sentence each. It is none against the guarantee.
    warnings : tuple of str
        Why the labels, or the order of the decisions, may mislead.
    """

    kind: Kind
    sentence: str
    changes: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0: supported, or too few labels to tell; 3: evidence of change; 4: not supported."""
        if self.kind == "not supported":
            return STOP
        return CHANGED if self.changes else CONTINUE


def verdict(watch: Watch) -> Verdict:
    """Return what a watch comes to."""
    kind = kind_of(watch)
    return Verdict(kind, _sentence(kind, watch), _changes(watch), _warnings(watch))


def kind_of(watch: Watch) -> Kind:
    """Return whether the guarantee is supported by the labelled answers."""
    if watch.excess.found:
        return "not supported"
    return "supported" if watch.upper[-1] <= watch.release.rule.target else "too few"


def e_value_text(e_value: float) -> str:
    """Write an e-value.

    >>> e_value_text(0.004), e_value_text(3.14), e_value_text(812.3), e_value_text(1e9)
    ('<0.1', '3.1', '812', '>1,000,000')
    """
    if e_value > 1e6:
        return ">1,000,000"
    if e_value < 0.1:
        return "<0.1"
    return f"{e_value:,.1f}" if e_value < 100 else f"{e_value:,.0f}"


def _sentence(kind: Kind, watch: Watch) -> str:
    if not len(watch.labelled):
        return "too few to tell: no labelled answer"
    number = counted(len(watch.labelled), "labelled answers")
    rule = watch.release.rule
    seen = (
        f"{watch.num_wrong:,} wrong, {percent(1.0 - rule.delta, 0)} confidence sequence "
        f"{interval(watch.lower[-1], watch.upper[-1])}, target {target_text(rule.target)}"
    )
    if kind == "not supported":
        after = f"evidence after {watch.excess.found_after:,}"
        return f"not supported: stop answering ({number}, {seen}, {after})"
    begun = "supported by" if kind == "supported" else "too few to tell:"
    return f"{begun} {number} ({seen})"


def _changes(watch: Watch) -> tuple[str, ...]:
    told = [
        f"evidence of change: {CHANGES[name]} ({_found(evidence, 'patients')})"
        for name, evidence in watch.changes.items()
        if evidence.found
    ]
    told += [
        f"evidence of more errors than the target: {group.column} {group.name} "
        f"({_found(group.excess, 'labels')})"
        for group in watch.groups
        if is_alarming(group)
    ]
    return tuple(told)


def is_alarming(group: Group) -> bool:
    """Return whether a group is worse than the target, and the release has not said so itself."""
    return group.excess.found and group.visibility != "masked" and not group.known


def _found(evidence: Evidence, units: str) -> str:
    return (
        f"after {counted(evidence.found_after or 0, units)}, e-value up to "
        f"{e_value_text(evidence.highest)} where {1 / evidence.delta:,.0f} is enough"
    )


def _warnings(watch: Watch) -> tuple[str, ...]:
    told = []
    if watch.chosen is not None and watch.chosen < CHOSEN_LEVEL:
        share = percent(len(watch.labelled) / watch.num_answered, 0)
        told.append(
            f"the {share} of the answers that have a label are not as confident as the others: "
            "labels must be of all answers or of a random sample, not of those that were doubted"
        )
    if watch.set_back > CLOCK:
        told.append(
            f"the clock was set back by up to {watch.set_back} while decisions were written: the "
            "order of the log's lines is taken for that of time"
        )
    return tuple(told)
