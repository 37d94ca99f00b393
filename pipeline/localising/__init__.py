"""Validate a release on a place's own labelled cases, and make one of its own from them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.adapters.identity import load_pseudonyms
from pipeline.adapters.label_table import LabelTableArguments
from pipeline.artifacts import whole_folder, write_json
from pipeline.bring_your_own.study import LOSS, SEED
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from pipeline.evaluation import Tell, silent
from pipeline.folders import require_new
from pipeline.localising.cases import SiteCases, read_site
from pipeline.localising.fitting import Validation, alone, localised_run, validate
from pipeline.localising.packing import localised_release, pack
from pipeline.localising.reporting import write_report
from pipeline.localising.splitting import split_patients
from pipeline.localising.wording import notes, outcome_sentence, validation_sentence
from pipeline.releasing import Release, Released
from pipeline.releasing.deciding import rule_of
from pipeline.releasing.manifest import Rule
from pipeline.releasing.model import restore_model
from pipeline.releasing.packing import require_packages
from pipeline.releasing.signing import require_key
from pipeline.tables.operating_points import operating_points_table
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.sentences import OperatingPoint, operating_point

__all__ = ["Localised", "Options", "label_table", "localise"]


def label_table(path: Path, key: str, key_column: str = "") -> LabelTableArguments:
    """Return a table of labels as adapters are told of one.

    Parameters
    ----------
    path : Path
        With the column ``label``.
    key : str
        What the key column holds, see `LabelTableArguments`.
    key_column : str
        Its name; that of the key unless said.
    """
    stated = {"table": str(path), "key": key, "key_column": key_column or key}
    return check_config(stated, LabelTableArguments, place="--labels")


@dataclass(frozen=True)
class Options:
    """How a place's own release is made.

    Attributes
    ----------
    name : str
        Of the new release; the parent's with "-localised" unless said.
    target : float or None
        Most errors among the answers; the parent's unless said.
    validate_only : bool
        Whether no release is wanted.
    sign : Path or None
        A private SSH key to sign with.
    """

    name: str = ""
    target: float | None = None
    validate_only: bool = False
    sign: Path | None = None


@dataclass(frozen=True)
class Localised:
    """What came of it: a sentence on the release as it is, one on what became of it."""

    validation: str
    outcome: str
    released: bool


def localise(
    parent: Released,
    folder: Path,
    labels: LabelTableArguments,
    out: Path,
    options: Options,
    *,
    tell: Tell = silent,
) -> Localised:
    """Report on a release with a place's cases and, if they suffice, make one of them.

    Parameters
    ----------
    parent : Released
    folder : Path
        The place's files: DICOM, NIfTI or pictures, as the release reads.
    labels : LabelTableArguments
        See `label_table`.
    out : Path
        A new folder: ``report/``, ``localised.json`` and, if a threshold was found, ``release/``.
    options : Options
    tell : callable
        Gets a line before each long step.

    Raises
    ------
    InputError
        If no release may be called so, a label cannot be used, too few patients have one, or the
        new release cannot be proved; nothing is written then.
    """
    require_packages()
    require_new(out)
    target = parent.release.rule.target if options.target is None else options.target
    if not 0 < target < 1:
        message = f"the target must lie in (0, 1), got {target}"
        raise InputError(message)
    name = options.name or f"{parent.release.name}-localised"
    named = check_config(
        parent.release.model_dump(mode="json") | {"name": name}, Release, place="the new release"
    )
    if options.sign is not None:
        require_key(options.sign)
    tell("reading the cases")
    model = restore_model(parent)
    site = read_site(parent.release, model, folder, labels, load_pseudonyms())
    parts = split_patients(site.predictions)
    kind = parent.release.calibrator.name
    run = localised_run(parent.calibrator, kind, parts, loss=LOSS, seed=SEED)
    own = alone(run)
    rule, point = _decided(own, target, parent.release.rule.delta)
    seen = _validated(parent, site)
    told = Localised(
        validation=validation_sentence(seen, parent.release.rule),
        outcome=outcome_sentence(point),
        released=rule.found and not options.validate_only,
    )
    said = notes(told.validation, site, parts)
    with whole_folder(out, new=True) as place:
        write_report(
            place / "report", parent, run, parts, rule,
            name=name, labels=Path(labels.table), notes=said, tell=tell,
        )  # fmt: skip
        if told.released:
            tell("packing the release")
            release = localised_release(parent, named, own, rule, site)
            pack(release, model, own, point, site, place / "release", key=options.sign)
        write_json(_record(parent, told, seen, rule, site), place / "localised.json")
    return told


def _decided(own: Run, target: float, delta: float) -> tuple[Rule, OperatingPoint]:
    """Return the rule that the place's own patients bear out, or why there is none."""
    table = operating_points_table([own], targets=[target], delta=delta)
    point = operating_point(table.iloc[0], "patients")
    return rule_of(own, point), point


def _validated(parent: Released, site: SiteCases) -> Validation:
    in_scope = site.scope_scores >= parent.release.scope.threshold
    return validate(site.predictions, parent.calibrator, parent.release.rule, in_scope)


def _record(
    parent: Released, told: Localised, seen: Validation, rule: Rule, site: SiteCases
) -> dict[str, Any]:
    """Return counts and shares, of nobody."""
    return {
        "parent": parent.sha256,
        "validation": told.validation,
        "outcome": told.outcome,
        "released": told.released,
        "as_it_is": asdict(seen),
        "rule": rule.model_dump(mode="json"),
        "left_out": site.left_out,
    }
