"""What was run, and what was meant to be run but was not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pipeline.config.claims import PlannedExperiment, PlannedStudy
from pipeline.findings.evidence import Evidence


def missing_runs(planned: Mapping[str, PlannedStudy], every: Sequence[Evidence]) -> list[str]:
    """Return a line for each study, experiment and loss that was planned and is not there.

    An experiment with fewer seeds than planned, or one that only another study holds, is a line
    too.
    """
    lines: list[str] = []
    for study, plan in planned.items():
        held = [each for each in every if each.row.study == study]
        if not held:
            names = ", ".join(_named(each) for each in plan.experiments)
            lines.append(f"{study}: not run. It was to hold {names}.")
            continue
        for experiment in plan.experiments:
            found = [each for each in held if _is(experiment, each)]
            if not found:
                lines.append(f"{study}, {_named(experiment)}: not run.")
            lines += [line for each in found for line in _shortfalls(plan, experiment, each)]
    return lines


def _named(planned: PlannedExperiment) -> str:
    """Name a planned experiment.

    >>> _named(PlannedExperiment(dataset="busi", network="thin_vit"))
    'busi with thin_vit'
    """
    details = [each for each in (planned.network, planned.recipe) if each]
    return f"{planned.dataset} with {' and '.join(details)}" if details else planned.dataset


def _is(planned: PlannedExperiment, evidence: Evidence) -> bool:
    row = evidence.row
    return (
        row.dataset == planned.dataset
        and planned.network in {None, row.network}
        and planned.recipe in {None, row.recipe}
    )


def _shortfalls(
    plan: PlannedStudy, experiment: PlannedExperiment, evidence: Evidence
) -> Iterator[str]:
    row = evidence.row
    losses, seeds = experiment.losses or plan.losses, experiment.seeds or plan.seeds
    if absent := [loss for loss in losses if loss not in row.losses]:
        yield f"{row.study}, {row.experiment}: {', '.join(absent)} not run."
    if len(row.seeds) < seeds:
        yield f"{row.study}, {row.experiment}: {len(row.seeds)} of {seeds} seeds run."
