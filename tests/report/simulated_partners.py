"""The score files of an experiment with partners: damaged images, another site, other things."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from tests.report.simulated_outcomes import Outcome
from tests.report.simulated_tables import exact_interval, metrics

CORRUPTIONS = ("gaussian noise", "jpeg")
FOREIGN = {"textures": "far_ood", "other_scans": "near_ood"}
SITES = {"north": 400, "south": 40, "east": 7}
NUM_FOREIGN = 250


def partner_tables(test: Sequence[Outcome], points: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Every table that partners give, by the name of its file."""
    return {
        "ood": ood_table(test),
        "ood_answered": ood_answered_table(test, points),
        "ood_confidence": ood_confidence_table(test),
        "shift": shift_table(test, points),
        "site_recalibration": site_recalibration_table(test),
    }


def foreign_confidence(outcome: Outcome, partner: str) -> np.ndarray:
    """Lower than at home, the more so the farther."""
    generator = np.random.default_rng([9, outcome.seed, len(partner)])
    return 0.34 + 0.65 * generator.beta(2 if partner == "textures" else 4, 2, NUM_FOREIGN)


def ood_table(test: Sequence[Outcome]) -> pd.DataFrame:
    rows = []
    for outcome in test:
        names = ("max_softmax", "entropy", "max_logit", "energy")
        for partner, kind in FOREIGN.items():
            unknown = foreign_confidence(outcome, partner)
            above = (outcome.confidence[:, None] > unknown).mean()
            passed = (unknown >= np.quantile(outcome.confidence, 0.05)).mean()
            for place, name in enumerate(names[: 2 if outcome.calibrator == "ats" else 4]):
                rows.append(
                    outcome.keys
                    | {"partner": partner, "kind": kind, "score": name}
                    | {"known": len(outcome.labels), "foreign": NUM_FOREIGN}
                    | {"auroc": above - 0.01 * place, "aupr_in": above, "aupr_out": above - 0.1}
                    | {"fpr_at_95_tpr": passed}
                )
    return pd.DataFrame(rows)


def _threshold(points: pd.DataFrame, outcome: Outcome, target: float) -> float:
    own = points[points["target"] == target]
    for key, value in outcome.keys.items():
        own = own[own[key] == value]
    return float(own["threshold"].iloc[0])


def ood_answered_table(test: Sequence[Outcome], points: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for outcome in test:
        for partner, kind in FOREIGN.items():
            for target in points["target"].unique():
                threshold = _threshold(points, outcome, target)
                answered = int((foreign_confidence(outcome, partner) >= threshold).sum())
                lower, upper = exact_interval(answered, NUM_FOREIGN)
                rows.append(
                    outcome.keys
                    | {"partner": partner, "kind": kind, "target": target, "threshold": threshold}
                    | {"answered": answered, "foreign": NUM_FOREIGN}
                    | {"rate": answered / NUM_FOREIGN, "lower": lower, "upper": upper}
                )
    return pd.DataFrame(rows)


def ood_confidence_table(test: Sequence[Outcome]) -> pd.DataFrame:
    edges = np.linspace(0, 1, 21)
    tables = []
    for outcome in (o for o in test if o.loss == "gce" and o.seed == test[0].seed):
        if outcome.calibrator == "temperature":
            continue
        sides = {("known", "known"): outcome.confidence}
        sides |= {(name, kind): foreign_confidence(outcome, name) for name, kind in FOREIGN.items()}
        for (partner, kind), confidence in sides.items():
            cases = np.histogram(confidence, edges)[0]
            key = {"calibrator": outcome.calibrator, "partner": partner, "kind": kind}
            columns = {"left": edges[:-1], "right": edges[1:], "cases": cases}
            tables.append(pd.DataFrame(key | columns | {"share": cases / len(confidence)}))
    return pd.concat(tables, ignore_index=True)


def shift_table(test: Sequence[Outcome], points: pd.DataFrame) -> pd.DataFrame:
    """Damage flips more and more predictions; sites are the first so many patients."""
    rows = []
    for outcome in test:
        threshold = _threshold(points, outcome, 0.05)
        for key, part in _views(outcome):
            numbers = metrics(part)
            accepted = part.confidence >= threshold
            answered, wrong = int(accepted.sum()), int((accepted & ~part.correct).sum())
            ends = exact_interval(wrong, answered) if answered else (np.nan, np.nan)
            rows.append(
                outcome.keys | key | {"cases": len(part.labels), "patients": len(part.labels)}
                | {name: numbers[name] for name in ("accuracy", "nll", "ece", "brier")}
                | {"threshold": threshold, "answered": answered, "wrong": wrong}
                | {"coverage": accepted.mean(), "risk": wrong / answered if answered else np.nan}
                | {"risk_lower": ends[0], "risk_upper": ends[1]}
            )  # fmt: skip
    return pd.DataFrame(rows)


def _views(outcome: Outcome) -> Iterator[tuple[dict[str, object], Outcome]]:
    clean = {"view": "clean", "corruption": None, "severity": 0}
    damaged = {"partner": "screening_corrupted", "kind": "corruption"}
    yield damaged | clean, outcome
    for corruption in CORRUPTIONS:
        for severity in (1, 2, 3, 4, 5):
            key = {"corruption": corruption, "severity": severity}
            view = {"view": f"{corruption} {severity}"}
            yield damaged | view | key, _flipped(outcome, 0.05 * severity)
    elsewhere = {"partner": "elsewhere", "kind": "site"}
    yield elsewhere | clean, outcome
    for site, number in SITES.items():
        part = _flipped(outcome, 0.12, slice(0, number))
        yield elsewhere | {"view": site, "corruption": None, "severity": 0}, part


def _flipped(outcome: Outcome, share: float, which: slice = slice(None)) -> Outcome:
    labels, log_p = outcome.labels[which].copy(), outcome.log_p[which]
    flip = np.random.default_rng(6).random(len(labels)) < share
    labels[flip] = (labels[flip] + 1) % log_p.shape[1]
    return Outcome(
        outcome.loss, outcome.seed, outcome.calibrator, labels, log_p, outcome.raw[which]
    )


def site_recalibration_table(test: Sequence[Outcome]) -> pd.DataFrame:
    rows = []
    for outcome in test:
        numbers = metrics(outcome)
        for gain, correction in enumerate(("none", "bbse", "few_shot_20", "few_shot_50")):
            rows.append(
                outcome.keys
                | {"partner": "elsewhere", "correction": correction, "cases": 223}
                | {name: numbers[name] for name in ("accuracy", "nll", "brier")}
                | {"ece": numbers["ece"] / (1 + gain), "num_draws": 5}
            )
    return pd.DataFrame(rows)
