"""Which loss and calibrator to use unless one knows better: the simplest not shown to be worse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.config.claims import Choice, Part, Recommendation
from pipeline.findings.evidence import Evidence
from pipeline.findings.measuring import measure
from pipeline.findings.verdicts import Pooled, pool
from pipeline.metrics.comparisons import holm


@dataclass(frozen=True)
class Candidate:
    """A method held against the simplest.

    Attributes
    ----------
    name : str
        The loss or calibrator.
    pooled : Pooled or None
        The recommendation's metric over data sets, candidate less simplest; None where no
        experiment has both.
    p_value_holm : float or None
        Of the pooled test, corrected over the candidates.
    guards : dict of str to float
        Mean difference over data sets of each guarded metric.
    passes : bool
        Whether it is better by the pooled test and within every guard's margin.
    """

    name: str
    pooled: Pooled | None
    p_value_holm: float | None
    guards: dict[str, float]
    passes: bool


@dataclass(frozen=True)
class Chosen:
    """How the candidates fared against the simplest; `best` is None if it keeps its place."""

    simplest: str
    candidates: tuple[Candidate, ...]
    best: Candidate | None

    @property
    def name(self) -> str:
        """The method to use."""
        return self.simplest if self.best is None else self.best.name

    @property
    def num_tested(self) -> int:
        """How many candidates some experiment holds beside the simplest."""
        return sum(each.pooled is not None for each in self.candidates)


@dataclass(frozen=True)
class Recommended:
    """The recommended calibrator, then the loss under that calibrator."""

    calibrator: Chosen
    loss: Chosen


def recommend(rule: Recommendation, every: Sequence[Evidence], level: float) -> Recommended:
    """Return the default that follows from the rule.

    First the calibrator, each data set averaged over all the rule's losses; then the loss, under
    that calibrator. A candidate takes the simplest's place if the pooled test over data sets, after
    Holm's correction over the candidates, shows it better, and it loses no guarded metric by more
    than its margin; of several, the one with the largest mean gain.
    """
    losses = [rule.losses.simplest, *rule.losses.candidates]
    calibrators = {
        name: _part(rule, losses, [name], against_calibrators=[rule.calibrators.simplest])
        for name in rule.calibrators.candidates
    }
    calibrator = _choose(rule, rule.calibrators, calibrators, every, level)
    methods = {
        name: _part(rule, [name], [calibrator.name], against_losses=[rule.losses.simplest])
        for name in rule.losses.candidates
    }
    return Recommended(calibrator, _choose(rule, rule.losses, methods, every, level))


def _part(
    rule: Recommendation, losses: list[str], calibrators: list[str], *,
    against_losses: Sequence[str] = (), against_calibrators: Sequence[str] = (),
) -> Part:  # fmt: skip
    return Part(
        says="recommendation",
        metric=rule.metric,
        expected=rule.expected,
        losses=losses,
        calibrators=calibrators,
        against_losses=list(against_losses),
        against_calibrators=list(against_calibrators),
        studies=rule.studies,
    )


def _choose(
    rule: Recommendation, choice: Choice, methods: dict[str, Part],
    every: Sequence[Evidence], level: float,
) -> Chosen:  # fmt: skip
    pooled = {name: _pooled(methods[name], rule.metric, every) for name in methods}
    p_values = {name: found.p_value for name, found in pooled.items() if found}
    corrected = holm({name: p for name, p in p_values.items() if p is not None})
    sign = 1.0 if rule.expected == "higher" else -1.0
    candidates = []
    for name, found in pooled.items():
        means = {
            guard.metric: held.mean
            for guard in rule.guards
            if (held := _pooled(methods[name], guard.metric, every)) is not None
        }
        better = found is not None and sign * found.mean > 0 and corrected.get(name, 1.0) <= level
        passes = better and _within_guards(rule, means)
        candidates.append(Candidate(name, found, corrected.get(name), means, passes))
    passed = [(sign * each.pooled.mean, each) for each in candidates if each.passes and each.pooled]
    best = max(passed, key=lambda gain: gain[0])[1] if passed else None
    return Chosen(choice.simplest, tuple(candidates), best)


def _within_guards(rule: Recommendation, means: dict[str, float]) -> bool:
    """Return whether every guarded metric is known and none is lost by more than its margin."""
    return all(
        guard.metric in means
        and (1.0 if guard.expected == "higher" else -1.0) * means[guard.metric] >= -guard.margin
        for guard in rule.guards
    )


def _pooled(method: Part, metric: str, every: Sequence[Evidence]) -> Pooled | None:
    part = method.model_copy(update={"metric": metric})
    return pool(part, measure(part, every))
