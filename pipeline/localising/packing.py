"""A release of one's own: the parent's networks and scope, the place's calibrator and rule."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from pipeline.calibrators import to_json
from pipeline.localising.cases import SiteCases
from pipeline.provenance import has_uncommitted_changes, package_versions, source_revision
from pipeline.releasing import Release, Released
from pipeline.releasing.card import render_card
from pipeline.releasing.describing import limits, reference
from pipeline.releasing.manifest import FittedCalibrator, Rule
from pipeline.releasing.model import Model
from pipeline.releasing.packing import PACKAGES, Proof, write_release
from pipeline.tables.parts.run import Run
from pipeline.tables.parts.sentences import (
    OperatingPoint,
    main_sentence,
    test_sentence,
    unit_sentence,
)


def localised_release(
    parent: Released, named: Release, run: Run, rule: Rule, site: SiteCases
) -> Release:
    """Return what the new release says of itself.

    Parameters
    ----------
    parent : Released
    named : Release
        What the parent says of itself, under the new name: networks, classes, preprocessing and
        scope stay as they are there.
    run : Run
        With the place's calibrator alone.
    rule : Rule
    site : SiteCases
        The place's patients: those of whom there are enough are within the new limits.
    """
    ((kind, calibrator),) = run.calibrators.items()
    held_out = run.threshold or run.test
    in_scope = site.scope_scores >= parent.release.scope.threshold
    rows = np.isin(site.predictions.cases, held_out.predictions.cases)
    versions = package_versions() | {each: version(each) for each in PACKAGES}
    return named.model_copy(
        update={
            "calibrator": FittedCalibrator(
                name=kind,
                state=to_json(calibrator),
                preserves_argmax=calibrator.preserves_argmax,
            ),
            "rule": rule,
            "limits": limits(site.people, run, rule),
            "reference": reference(
                held_out, in_scope[rows], rule, split="threshold", classes=parent.release.classes
            ),
            "provenance": parent.release.provenance.model_copy(
                update={
                    "revision": source_revision(),
                    "dirty": has_uncommitted_changes(),
                    "versions": versions,
                }
            ),
            "parent": parent.sha256,
        }
    )


def pack(
    release: Release,
    model: Model,
    run: Run,
    point: OperatingPoint,
    site: SiteCases,
    folder: Path,
    *,
    key: Path | None = None,
) -> None:
    """Write the new release, proved like any other; see `write_release`."""
    (calibrator,) = run.calibrators.values()
    shown = slice(len(site.examples))
    proof = Proof(
        logits=[site.predictions.logits],
        images=site.examples,
        probabilities=np.exp(calibrator(site.predictions.logits[shown])),
    )
    sentences = [main_sentence(point), test_sentence(point), unit_sentence(point)]
    card = render_card(release, sentences, ())
    write_release(folder, release, replace(model, calibrator=calibrator), card, proof, key=key)
