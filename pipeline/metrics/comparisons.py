"""Across seeds and experiments: means, paired differences to a baseline, ranks and wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.errors import InputError
from pipeline.metrics.intervals import LEVEL, Interval, require_level


@dataclass(frozen=True)
class Summary:
    """Mean over seeds and standard deviation (n - 1 in the divisor; None for a single seed)."""

    mean: float
    standard_deviation: float | None
    num_seeds: int


@dataclass(frozen=True)
class Comparison:
    """One method's difference to the baseline over the seeds that both have."""

    mean_difference: float
    """Mean over pairs of method less baseline."""
    standard_deviation: float | None
    """Of the differences; None for a single pair."""
    num_pairs: int
    interval: Interval | None
    """Student's, of the mean difference, at 95 %; of this method alone, uncorrected for how many
    are compared. None wherever the p-value is."""
    p_value: float | None
    """Two-sided, of a paired t-test. None for fewer than two pairs, or if the differences are all
    equal, for which the test is not defined."""
    p_value_holm: float | None
    """The same after Holm's correction over all methods compared."""


@dataclass(frozen=True)
class Ranking:
    """A method's standing over experiments: "first in 3 of 5"."""

    mean_rank: float
    """1 is best; ties share their mean rank."""
    num_wins: int
    """Experiments where no method is better; ties win together."""
    num_experiments: int


def summarise(values: Sequence[float]) -> Summary:
    """Return mean and standard deviation over seeds.

    >>> summarise([1.0, 3.0])
    Summary(mean=2.0, standard_deviation=1.4142135623730951, num_seeds=2)
    """
    if len(values) == 0:
        message = "a summary needs at least one seed, got none"
        raise InputError(message)
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Summary(float(np.mean(values)), deviation, len(values))


def compare_to_baseline(
    values: Mapping[str, Mapping[int, float]], baseline: str
) -> dict[str, Comparison]:
    """Return each method's paired difference to the baseline over seeds.

    A seed fixes what both methods share (initial weights, order of the batches), so differences are
    taken seed by seed. Few seeds bear little: the t-test assumes that the differences are normal,
    and p-values say nothing of other data.

    One entry for each method but the baseline.

    `values` are of one metric on one experiment, by method and seed.

    Raises `InputError` if the baseline is absent or a method shares no seed with it.

    References
    ----------
    Student, Biometrika 6 (1908); Holm, Scandinavian Journal of Statistics 6 (1979).

    Examples
    --------
    >>> values = {"ce": {0: 4.0, 1: 5.0, 2: 6.0}, "gce": {0: 3.0, 1: 3.0, 2: 3.0}}
    >>> compared = compare_to_baseline(values, "ce")["gce"]
    >>> compared.mean_difference, round(compared.p_value, 4)  # t = -2 / (1 / sqrt(3)), 2 degrees
    (-2.0, 0.0742)
    >>> round(compared.interval.lower, 4), round(compared.interval.upper, 4)  # 4.3027 / sqrt(3)
    (-4.4841, 0.4841)
    """
    if baseline not in values:
        message = f"baseline must be one of {sorted(values)}, got {baseline!r}"
        raise InputError(message)
    differences = {
        method: _differences(method, seeds, values[baseline])
        for method, seeds in values.items()
        if method != baseline
    }
    p_values = {method: paired_t_p_value(pairs) for method, pairs in differences.items()}
    corrected = holm({method: p for method, p in p_values.items() if p is not None})
    return {
        method: Comparison(
            mean_difference=summarise(pairs).mean,
            standard_deviation=summarise(pairs).standard_deviation,
            num_pairs=len(pairs),
            interval=paired_t_interval(pairs),
            p_value=p_values[method],
            p_value_holm=corrected.get(method),
        )
        for method, pairs in differences.items()
    }


def paired_t_p_value(differences: Sequence[float]) -> float | None:
    """Return the two-sided p-value of a t-test that the mean difference is zero.

    None where it is not defined: fewer than two differences, or all of them equal.

    >>> round(paired_t_p_value([1.0, 3.0]), 4)  # t = 2 / (sqrt(2) / sqrt(2)), one degree
    0.2952
    """
    if len(differences) < 2 or min(differences) == max(differences):
        return None
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.special import stdtr  # noqa: PLC0415

    num_pairs = len(differences)
    t = np.mean(differences) / (np.std(differences, ddof=1) / np.sqrt(num_pairs))
    return float(2.0 * stdtr(num_pairs - 1, -abs(t)))


def paired_t_interval(differences: Sequence[float], level: float = LEVEL) -> Interval | None:
    r"""Return Student's interval of the mean difference.

    .. math:: \bar d \pm t_{n-1,\,(1 + \mathrm{level})/2}\, s / \sqrt n

    It leaves zero out exactly where `paired_t_p_value` is below one less the level. None where that
    is not defined: fewer than two differences, or all of them equal.

    >>> interval = paired_t_interval([1.0, 3.0])  # 2 -+ tan(0.475 pi) sqrt(2) / sqrt(2)
    >>> round(interval.lower, 3), round(interval.upper, 3)
    (-10.706, 14.706)
    """
    require_level(level)
    if len(differences) < 2 or min(differences) == max(differences):
        return None
    # Imported here, because it takes longer than the rest of the package together.
    from scipy.special import stdtrit  # noqa: PLC0415

    num_pairs = len(differences)
    quantile = stdtrit(num_pairs - 1, 0.5 + level / 2)
    half = float(quantile * np.std(differences, ddof=1) / np.sqrt(num_pairs))
    mean = float(np.mean(differences))
    return Interval(mean - half, mean + half)


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for their number by Holm's step-down procedure.

    The i-th smallest of m is multiplied by m - i + 1, never falls below a smaller one's, and is cut
    at 1: rejecting what is at most alpha keeps the chance of any false rejection at alpha.

    >>> holm({"a": 0.5, "b": 0.125, "c": 0.25})  # 3/8, then max(3/8, 2/4), then max(1/2, 1/2)
    {'a': 0.5, 'b': 0.375, 'c': 0.5}
    """
    corrected: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        corrected[name] = largest
    return {name: corrected[name] for name in p_values}


def rank_methods(
    values: Mapping[str, Mapping[str, float]], better: Literal["lower", "higher"]
) -> dict[str, Ranking]:
    """Return each method's mean rank and wins over experiments.

    `values` are by experiment and method; each experiment ranks the same methods.

    Raises `InputError` if there is no experiment or one lacks a method, whose rank would then be
    another thing.

    >>> values = {"digits": {"ce": 4.0, "gce": 3.0}, "phantom": {"ce": 2.0, "gce": 2.0}}
    >>> rank_methods(values, "lower")["ce"]
    Ranking(mean_rank=1.75, num_wins=1, num_experiments=2)
    """
    if not values:
        message = "a ranking needs at least one experiment, got none"
        raise InputError(message)
    methods = list(next(iter(values.values())))
    for experiment, row in values.items():
        if set(row) != set(methods):
            message = f"{experiment} must have the methods {sorted(methods)}, got {sorted(row)}"
            raise InputError(message)
    sign = 1.0 if better == "lower" else -1.0
    table = sign * np.array([[row[method] for method in methods] for row in values.values()])
    num_better = (table[:, None, :] < table[:, :, None]).sum(axis=2)
    num_equal = (table[:, None, :] == table[:, :, None]).sum(axis=2)
    mean_ranks = (num_better + (num_equal + 1) / 2).mean(axis=0)
    wins = (num_better == 0).sum(axis=0)
    return {
        method: Ranking(float(mean_rank), int(num_wins), len(values))
        for method, mean_rank, num_wins in zip(methods, mean_ranks, wins, strict=True)
    }


def _differences(
    method: str, seeds: Mapping[int, float], baseline: Mapping[int, float]
) -> list[float]:
    shared = [seed for seed in seeds if seed in baseline]
    if not shared:
        message = f"{method} must share a seed with the baseline, got {sorted(seeds)}"
        raise InputError(message)
    return [seeds[seed] - baseline[seed] for seed in shared]
