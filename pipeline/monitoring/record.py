"""What was seen, as JSON: for whoever draws a dashboard of it."""

from __future__ import annotations

from typing import Any

from pipeline.monitoring.evidence import Evidence
from pipeline.monitoring.verdict import Verdict, is_alarming
from pipeline.monitoring.watching import Group, Watch


def record(watch: Watch, verdict: Verdict, *, sha256: str) -> dict[str, Any]:
    """Return all that a page shows but its figures: counts and shares, of nobody."""
    release, patients = watch.release, watch.patients
    num_labelled = len(watch.labelled)
    return {
        "release": {"name": release.name, "sha256": sha256},
        "target": release.rule.target,
        "delta": release.rule.delta,
        "verdict": verdict.kind,
        "sentence": verdict.sentence,
        "changes": list(verdict.changes),
        "warnings": list(verdict.warnings),
        "exit_code": verdict.exit_code,
        "studies": watch.num_studies,
        "patients": len(patients),
        "answered": watch.num_answered,
        "first_decided_at": str(patients["decided_at"].min()),
        "last_decided_at": str(patients["decided_at"].max()),
        "labels": {
            "answered": num_labelled,
            "wrong": watch.num_wrong,
            "risk": watch.num_wrong / num_labelled if num_labelled else None,
            "lower": float(watch.lower[-1]),
            "upper": float(watch.upper[-1]),
            "p_value_of_a_random_sample": watch.chosen,
        },
        "evidence_of_more_errors": _evidence(watch.excess),
        "evidence_of_change": {name: _evidence(each) for name, each in watch.changes.items()},
        "groups": [_group(group) for group in watch.groups],
        "referred_for": reasons(watch),
        "estimated": {
            "error_among_answered": watch.error_answered,
            "prevalence": watch.prevalence,
        },
        "reference": {
            "error_among_answered": release.reference.mean_error_answered,
            "prevalence": release.reference.prevalence,
            "referred": release.reference.referred,
        },
    }


def reasons(watch: Watch) -> dict[str, int]:
    """Return how many patients were referred for each reason, the commonest first."""
    referred = watch.patients.loc[watch.patients["outcome"] == "referred", "reason"]
    return {str(name): int(count) for name, count in referred.value_counts().items()}


def _evidence(evidence: Evidence) -> dict[str, Any]:
    return {
        "patients": len(evidence.log_path),
        "e_value": evidence.now,
        "highest_e_value": evidence.highest,
        "enough": 1 / evidence.delta,
        "found_after": evidence.found_after,
    }


def _group(group: Group) -> dict[str, Any]:
    named = {"column": group.column, "name": group.name, "visibility": group.visibility}
    if group.visibility == "masked":
        return named
    counts = {"labelled": group.num_labelled, "wrong": group.num_wrong}
    told = {"known": group.known, "alarming": is_alarming(group)}
    return named | counts | told | {"evidence_of_more_errors": _evidence(group.excess)}
