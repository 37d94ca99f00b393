"""What is said of a place: how the release fared there, and what its own cases made of it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.artifacts import Predictions
from pipeline.localising.cases import SiteCases
from pipeline.localising.fitting import Validation, patients_needed
from pipeline.releasing.manifest import Rule
from pipeline.tables.parts.sentences import OperatingPoint, verdict
from pipeline.tables.parts.wording import counted, percent, share_of, target_text


def validation_sentence(seen: Validation, rule: Rule) -> str:
    """Say how the release as it is fares with all patients of the place."""
    patients = counted(seen.num_patients, "patients")
    foreign = (
        f"; {counted(seen.out_of_scope, 'patients')} out of scope" if seen.out_of_scope else ""
    )
    if not seen.answered:
        return f"As it is, the release answers nobody of {patients} here{foreign}."
    target = target_text(rule.target)
    if seen.upper_limit <= rule.target:
        judged = f"shown to be at most {target}"
    elif seen.broken:
        judged = f"more than {target}: do not use it here as it is"
    else:
        judged = f"not shown to be at most {target}"
    share = percent(seen.answered / seen.num_patients)
    return (
        f"As it is, the release answers {share} of {patients} here, of which wrong: "
        f"{share_of(seen.wrong, seen.answered)}, {judged}{foreign}."
    )


def outcome_sentence(point: OperatingPoint) -> str:
    """Say what the place's own cases made of it, and how many are missing if they are too few."""
    said = verdict(point)[1]
    if point.found:
        answered = percent(point.answered / point.num_test)
        return (
            f"With the calibrator and threshold of here: {said}; answered: {answered} of "
            f"{counted(point.num_test, 'test patients')}, of which wrong: "
            f"{share_of(point.wrong, point.answered)}."
        )
    more = patients_needed(point)
    if more is None:
        return (
            f"{said}: errors are as frequent as the target even among the surest patients of here, "
            "so more of them would not help."
        )
    missing = counted(more, "labelled patients")
    if point.status == "too_few":
        return f"{said}: at least {missing} more are needed."
    return f"{said}: too few cases, if errors stay as rare: about {missing} more are needed."


def notes(validation: str, site: SiteCases, parts: Mapping[str, Predictions]) -> list[str]:
    """Return what the report's page says of the cases, a sentence a fact."""
    told = ", ".join(
        f"{len(np.unique(each.patients)):,} for {part}" for part, each in parts.items()
    )
    lines = [validation, f"Patients were drawn at random into three parts: {told}."]
    if site.num_nameless:
        lines.append(
            f"Images that name no patient: {site.num_nameless:,}. Their study, series or file "
            "stands for one: where two are of one patient, nothing is promised."
        )
    if site.left_out:
        reasons = ", ".join(f"{number:,} {reason}" for reason, number in site.left_out.items())
        lines.append(f"Left out: {reasons}.")
    return lines
