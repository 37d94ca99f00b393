"""Every reported number once more, from published scores and stored logits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, groupby
from pathlib import Path

from pipeline.artifacts import read_json, write_json
from pipeline.config.plan import ExperimentRow, Plan, read_plan, require_row
from pipeline.disk_faults import DiskFaultError
from pipeline.errors import InputError
from pipeline.findings.evidence import FOLDER, published_names
from pipeline.hashes import write_hashes
from pipeline.stages import calibrate, evaluate, overview, report
from pipeline.verifying.data import (
    datasets_of,
    hash_differences,
    logits_differences,
    prepared_differences,
    recorded_differences,
    shifted_differences,
    stage_differences,
)
from pipeline.verifying.differences import (
    Difference,
    compare_files,
    compare_folders,
    readable,
    same_text,
)
from pipeline.verifying.published import published_differences

__all__ = ["Difference", "describe", "studies_not_here", "verify"]

EXAMPLES = 5
"""Differences of one file that are listed; the others are counted."""

ROUNDING = 1e-9
"""Numbers that differ by less were rounded otherwise: by another processor or library."""

PRODUCTS = ("data/probabilities", "data/scores", "reports")
FRONT_PAGE = "reports/index.html"


def verify(studies: Sequence[str], *, root: Path, tolerance: float) -> Iterator[Difference]:
    """Yield every place where stored results are not what published scores and logits give.

    Published evidence is held against itself, see `published_differences`. Prepared data are held
    against their fingerprints, predictions (those of partners too) against their runs' records and
    the prepared data, all of these against `dvc.lock` where it records them. Then calibrators are
    fitted, tables computed and pages written anew, elsewhere, and compared file by file. Who
    evaluated, and by which revision, is taken as stored: another commit may give the same numbers.
    What cannot be read, or changed since it was written, is a difference, and nothing is computed
    from it.

    Raises `InputError` before anything is computed, naming what is missing; or if no study was
    named, nothing is published, and no study is here.

    Parameters
    ----------
    studies : sequence of str
        Keys of the plan's studies, whose logits must be here. If empty, the published evidence,
        every study of the plan that is here, and the front page if all of them are.
    root : Path
        The project's folder, in which nothing is written.
    tolerance : float
        Largest relative difference of two numbers that counts as none. Every digit counts at 0;
        another processor or library may round the last ones otherwise.
    """
    plan = read_plan(root / "configs/plan.yaml")
    absent = studies_not_here(root)
    chosen = list(studies) or [study for study in plan.studies if study not in absent]
    for study in chosen:
        require_row(plan.studies, study)
        _require_inputs(root, plan, study)
    each = chain.from_iterable(_verify_study(root, plan, study, tolerance) for study in chosen)
    if studies:
        return each
    published = published_names(root / FOLDER)
    if not (chosen or published):
        message = (
            f"nothing to verify: {FOLDER} holds no study, and logits are not here of "
            f"{', '.join(absent)}: dvc repro makes them, or dvc pull brings them back"
        )
        raise InputError(message)
    evidence = published_differences(root, tolerance) if published else iter(())
    together = iter(()) if absent else _verify_front_page(root, tolerance)
    return chain(evidence, each, together)


def studies_not_here(root: Path) -> list[str]:
    """Return the plan's studies of which a run's logits are not in this folder."""
    plan = read_plan(root / "configs/plan.yaml")
    return [
        study
        for study in plan.studies
        if not all((root / path).is_file() for path in _run_records(plan, study))
    ]


def describe(differences: Iterable[Difference]) -> Iterator[str]:
    """Yield a line for each difference, a few from each file and how many more it has."""
    number, only_rounding = 0, True
    for path, group in groupby(differences, key=lambda each: each.path):
        for number, difference in enumerate(group, start=1):
            if number <= EXAMPLES:
                yield f"differs: {difference}"
            only_rounding &= same_text(difference.stored, difference.recomputed, ROUNDING)
        if number > EXAMPLES:
            yield f"differs: {path}: and {number - EXAMPLES:,} more places"
    if number and only_rounding:
        yield (
            f"All of this is within {ROUNDING:g}, as another processor may round: "
            f"--tolerance {ROUNDING:g} passes over it."
        )


def _experiments(plan: Plan, study: str) -> dict[str, ExperimentRow]:
    return {key: row for key, row in plan.experiments.items() if row.study == study}


def _run_records(plan: Plan, study: str) -> list[str]:
    return [
        f"data/logits/{study}/{row.experiment}/{loss}/seed-{seed}/run.json"
        for row in _experiments(plan, study).values()
        for loss in row.losses
        for seed in row.seeds
    ]


def _require_inputs(root: Path, plan: Plan, study: str) -> None:
    needed = [f"reports/{study}", *_run_records(plan, study)]
    for row in _experiments(plan, study).values():
        own = f"{study}/{row.experiment}"
        needed += [f"data/prepared/{row.dataset}/card.json"]
        needed += [f"data/probabilities/{own}", f"data/scores/{own}/provenance.json"]
        needed += [f"data/prepared/{partner}/card.json" for partner in row.partners]
        needed += [f"{row.shifted}/{partner}/shift.json" for partner in row.partners]
    for path in needed:
        _require(root, path, stage=f"report@{study}")


def _require(root: Path, path: str, *, stage: str) -> None:
    if not (root / path).exists():
        message = f"{path}: no such file: dvc repro {stage}, or dvc pull, brings it back"
        raise InputError(message)


def _verify_front_page(root: Path, tolerance: float) -> Iterator[Difference]:
    """Yield where the front page, if it is there, is not what the stored scores give."""
    if not (root / FRONT_PAGE).is_file():
        return
    yield from stage_differences(root, "overview")
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        again = Path(folder)
        (again / "data").mkdir()
        for name in ("configs", "data/scores"):
            (again / name).symlink_to((root / name).resolve())
        yield from readable(
            _front_page_differences(root, again, tolerance), name=FRONT_PAGE, root=again
        )


def _front_page_differences(root: Path, again: Path, tolerance: float) -> Iterator[Difference]:
    overview.run(root=again)
    for place, old, new in compare_files(root / FRONT_PAGE, again / FRONT_PAGE, tolerance):
        yield Difference(FRONT_PAGE, place, old, new)


def _verify_study(root: Path, plan: Plan, study: str, tolerance: float) -> Iterator[Difference]:
    rows = _experiments(plan, study)
    yield from recorded_differences(root, plan, study)
    for name, found in _input_differences(root, rows):
        yield from readable(found, name=name, root=root)
    with tempfile.TemporaryDirectory(prefix="verify-") as folder:
        again = Path(folder)
        try:
            _recompute(root, again, study, rows)
        except DiskFaultError as error:
            message = f"{again}, where results are computed again: {error}"
            raise InputError(message) from error
        except InputError as error:
            fault = str(error).replace(f"{again}/", "")
            yield Difference(f"reports/{study}", "", "a report", f"nothing ({fault})")
            return
        for product in PRODUCTS:
            # A score folder may hold experiments that the plan knows no more.
            names = [study] if product == "reports" else [
                f"{study}/{row.experiment}" for row in rows.values()
            ]  # fmt: skip
            for name in names:
                path = f"{product}/{name}"
                compared = list(
                    compare_folders(root / path, again / path, name=path, tolerance=tolerance)
                )
                yield from compared
                if product != "reports":
                    yield from _other_hashes(root, path, {each.path for each in compared})


def _input_differences(
    root: Path, rows: Mapping[str, ExperimentRow]
) -> Iterator[tuple[str, Iterator[Difference]]]:
    """Yield what is computed from, by name, and what of it is no more as it was written."""
    for dataset in datasets_of(rows.values()):
        name = f"data/prepared/{dataset}"
        yield name, hash_differences(root, name)
        yield name, prepared_differences(root, dataset)
    for row in rows.values():
        name = f"data/logits/{row.study}/{row.experiment}"
        yield name, hash_differences(root, name)
        yield name, logits_differences(root, row)
        if row.partners:
            yield row.shifted, hash_differences(root, row.shifted)
            yield row.shifted, shifted_differences(root, row)


def _other_hashes(root: Path, name: str, found: set[str]) -> Iterator[Difference]:
    """Yield the files that came out as they are stored, and were written down otherwise."""
    others = (each for each in hash_differences(root, name) if each.path not in found)
    yield from readable(others, name=name, root=root)


def _recompute(root: Path, again: Path, study: str, rows: dict[str, ExperimentRow]) -> None:
    """Run the stages after training in another folder, on the stored configs, data and logits."""
    (again / "data").mkdir()
    for name in ("configs", "data/prepared", "data/logits", "data/shifted"):
        (again / name).symlink_to((root / name).resolve())
    for key, row in rows.items():
        calibrate.run(key, root=again)
        evaluate.run(key, root=again)
        scores = f"data/scores/{study}/{row.experiment}"
        provenance = f"{scores}/provenance.json"
        stored = read_json(root / provenance)["evaluated_by"]
        write_json(read_json(again / provenance) | {"evaluated_by": stored}, again / provenance)
        write_hashes(again / scores)
    report.run(study, root=again)
