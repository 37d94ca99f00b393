"""From a claim's part to paired differences: a tuple of numbers, one a seed, per comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from pipeline.config.claims import Part, Rows, Value
from pipeline.findings.evidence import Evidence
from pipeline.findings.tidy import require_columns

Method = tuple[str, str]
"""A loss and a calibrator."""

Values = dict[Method, dict[int, float]]
"""A metric by method and seed."""

Place = dict[str, Value]
"""What tells compared rows of one experiment apart, such as the partner."""


@dataclass(frozen=True)
class Measured:
    """One comparison in one experiment, before anything is tested.

    Attributes
    ----------
    experiment : str
        Study and experiment; where another one's difference is subtracted, both.
    dataset : str
        Whose test cases were used.
    compared : str
        Method less method, and where.
    differences : tuple of float
        One a seed that both methods have, in the order of the seeds; a share for a metric that
        pages give in percent.
    trained : tuple
        What is equal for the same trainings.
    """

    experiment: str
    dataset: str
    compared: str
    differences: tuple[float, ...]
    trained: tuple[str, ...]


def measure(part: Part, every: Sequence[Evidence]) -> list[Measured]:
    """Return every comparison that the experiments allow, each training counted once.

    Studies may train the same loss on the same data set, network and recipe, often the very same
    networks. Of such comparisons the one with the most seeds is kept, the earliest if they tie.

    Raises
    ------
    InputError
        If a table lacks the metric or a column that the part names.
    """
    kept: dict[tuple[str, ...], Measured] = {}
    for evidence in every:
        for found in _measure_experiment(part, evidence, every):
            key = (*found.trained, found.compared)
            if key not in kept or len(found.differences) > len(kept[key].differences):
                kept[key] = found
    return list(kept.values())


def _measure_experiment(
    part: Part, evidence: Evidence, every: Sequence[Evidence]
) -> Iterator[Measured]:
    if not _has(evidence, part.rows):
        return
    for place in _places(part, evidence):
        values = _values(part, evidence, part.rows, place)
        for other, subtracted in _subtracted(part, evidence, every, place):
            for method, against in _pairs(part):
                own = _differences(values, method, against)
                less = _differences(subtracted, method, against)
                seeds = sorted(own.keys() & less.keys()) if part.less else sorted(own)
                if not seeds:
                    continue
                name = f"{evidence.name} less {other.row.dataset}" if other else evidence.name
                yield Measured(
                    experiment=name,
                    dataset=evidence.row.dataset,
                    compared=_compared(method, against, place),
                    differences=tuple(own[seed] - less.get(seed, 0.0) for seed in seeds),
                    trained=(*evidence.trained, *(other.trained if other else ())),
                )


def _has(evidence: Evidence, rows: Rows) -> bool:
    fits = rows.datasets is None or evidence.row.dataset in rows.datasets
    return fits and rows.table in evidence.tables


def _places(part: Part, evidence: Evidence) -> list[Place]:
    """Return the values of the columns by which a part compares apart, in the file's order."""
    if not part.each:
        return [{}]
    table = _matching(part, evidence, part.rows, {})
    require_columns(table, part.each, place=_table_name(part, evidence, part.rows))
    return [dict(zip(part.each, values, strict=True))
            for values in dict.fromkeys(table[part.each].itertuples(index=False, name=None))
            ]  # fmt: skip


def _pairs(part: Part) -> Iterator[tuple[Method, Method | None]]:
    """Yield each method with each one that it is compared with, never with itself; or with none."""
    for loss, calibrator in product(part.losses, part.calibrators):
        if not (part.against_losses or part.against_calibrators):
            yield (loss, calibrator), None
            continue
        losses = part.against_losses or [loss]
        for against in product(losses, part.against_calibrators or [calibrator]):
            if against != (loss, calibrator):
                yield (loss, calibrator), against


def _subtracted(
    part: Part, evidence: Evidence, every: Sequence[Evidence], place: Place
) -> Iterator[tuple[Evidence | None, Values]]:
    """Yield what is subtracted, and the experiment it is from if that is another."""
    less = part.less
    if less is None:
        yield None, {}
        return
    own_place = place if less.table == part.rows.table else {}
    if less.datasets is None:
        if _has(evidence, less):
            yield None, _values(part, evidence, less, own_place)
        return
    for other in every:
        alike = (other.row.study, other.row.network) == (evidence.row.study, evidence.row.network)
        if alike and _has(other, less):
            yield other, _values(part, other, less, own_place)


def _differences(values: Values, method: Method, against: Method | None) -> dict[int, float]:
    """Return method less method by seed; the method's own values where it is held against none."""
    one = values.get(method, {})
    if against is None:
        return one
    other = values.get(against, {})
    return {seed: one[seed] - other[seed] for seed in one if seed in other}


def _values(part: Part, evidence: Evidence, rows: Rows, place: Place) -> Values:
    """Return the mean of each method's and seed's rows; what is undefined is left out."""
    table = _matching(part, evidence, rows, place)
    found: dict[Method, dict[int, list[float]]] = {}
    columns = (table[name].tolist() for name in ("loss", "calibrator", "seed", part.metric))
    for loss, calibrator, seed, value in zip(*columns, strict=True):
        found.setdefault((loss, calibrator), {}).setdefault(seed, []).append(value)
    means = {
        method: {seed: float(np.mean(values)) for seed, values in by_seed.items()}
        for method, by_seed in found.items()
    }
    return {
        method: {seed: mean for seed, mean in by_seed.items() if np.isfinite(mean)}
        for method, by_seed in means.items()
    }


def _matching(part: Part, evidence: Evidence, rows: Rows, place: Place) -> pd.DataFrame:
    table = evidence.tables[rows.table]
    name = _table_name(part, evidence, rows)
    require_columns(table, [part.metric, *rows.where, *rows.without, *place], place=name)
    keep = pd.Series(True, index=table.index)
    for column, value in (rows.where | place).items():
        keep &= table[column].isin(value if isinstance(value, list) else [value])
    for column, value in rows.without.items():
        keep &= ~table[column].isin(value if isinstance(value, list) else [value])
    return table[keep]


def _compared(method: Method, against: Method | None, place: Place) -> str:
    """Name what is compared: what the methods share is said once.

    >>> _compared(("gce", "ats"), ("focal", "ats"), {"partner": "svhn"})
    'gce − focal (ats); svhn'
    >>> _compared(("gce", "ats"), ("gce", "identity"), {})
    'ats − identity (gce)'
    >>> _compared(("gce", "ats"), ("focal", "temperature"), {})
    'gce with ats − focal with temperature'
    >>> _compared(("gce", "ats"), None, {})
    'gce with ats'
    """
    if against is None:
        words = f"{method[0]} with {method[1]}"
    elif method[1] == against[1]:
        words = f"{method[0]} − {against[0]} ({method[1]})"
    elif method[0] == against[0]:
        words = f"{method[1]} − {against[1]} ({method[0]})"
    else:
        words = " − ".join(f"{loss} with {calibrator}" for loss, calibrator in (method, against))
    where = ", ".join(str(value) for value in place.values())
    return f"{words}; {where}" if where else words


def _table_name(part: Part, evidence: Evidence, rows: Rows) -> str:
    return f"'{part.says}' of configs/claims.yaml: {evidence.name}, table {rows.table}"
