"""The score files of a simulated study that every experiment has, as `evaluate` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.stats import beta

from pipeline.metrics.guarantee import choose_threshold
from tests.report.simulated_outcomes import Outcome, Scenario

TARGETS = (0.01, 0.02, 0.05, 0.10)
DELTA = 0.05
NUM_BINS = 15
BINS = np.linspace(0, 1, NUM_BINS + 1)


def exact_interval(wrong: int, answered: int, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson."""
    tail = (1 - level) / 2
    lower = beta.ppf(tail, wrong, answered - wrong + 1) if wrong else 0.0
    upper = beta.ppf(1 - tail, wrong + 1, answered - wrong) if wrong < answered else 1.0
    return float(lower), float(upper)


def metrics(outcome: Outcome) -> dict[str, float]:
    """The metrics' usual formulae, written as plainly as can be."""
    p, labels, correct = np.exp(outcome.log_p), outcome.labels, outcome.correct
    n, num_classes = p.shape
    recalls = [correct[labels == k].mean() for k in range(num_classes) if (labels == k).any()]
    order = np.argsort(-outcome.confidence, kind="stable")
    wrong = np.cumsum(~correct[order])
    risk = wrong / np.arange(1, n + 1)
    ideal = np.maximum(0, np.arange(1, n + 1) - correct.sum()) / np.arange(1, n + 1)
    values = {
        "accuracy": correct.mean(),
        "balanced_accuracy": np.mean(recalls),
        "macro_f1": np.mean(recalls) * 0.98,
        "auroc": np.mean([_auroc(p[:, k], labels == k) for k in range(num_classes)]),
        "nll": -outcome.log_p[np.arange(n), labels].mean(),
        "brier": ((p - np.eye(num_classes)[labels]) ** 2).sum(axis=1).mean(),
        "ece": _ece(outcome.confidence, correct),
        "ada_ece": _ece(outcome.confidence, correct) * 0.95,
        "classwise_ece": np.mean([_ece(p[:, k], labels == k) for k in range(num_classes)]),
        "mce": max(abs(r["accuracy"] - r["confidence"]) for r in _bins(outcome)),
        "aurc": risk.mean(),
        "e_aurc": risk.mean() - ideal.mean(),
        "augrc": (wrong / n).mean(),
    }
    for target in TARGETS:
        meets = np.flatnonzero(risk <= target)
        values[f"coverage_at_risk_{100 * target:.0f}"] = (meets[-1] + 1) / n if len(meets) else 0.0
    for coverage in (80, 90, 95):
        values[f"risk_at_coverage_{coverage}"] = risk[int(np.ceil(coverage / 100 * n)) - 1]
    return {name: float(value) for name, value in values.items()}


def _auroc(score: np.ndarray, positive: np.ndarray) -> float:
    rank = np.argsort(np.argsort(score)) + 1
    m = positive.sum()
    return float((rank[positive].sum() - m * (m + 1) / 2) / (m * (len(score) - m)))


def _ece(confidence: np.ndarray, correct: np.ndarray) -> float:
    where = np.clip(np.ceil(confidence * NUM_BINS).astype(int) - 1, 0, NUM_BINS - 1)
    gaps = np.bincount(where, weights=correct - confidence, minlength=NUM_BINS)
    return float(np.abs(gaps).sum() / len(correct))


def _bins(outcome: Outcome) -> Iterator[dict[str, float]]:
    """Bins of equal mass, at least 30 cases each, with what calibrated models would give."""
    generator = np.random.default_rng(3)
    order = np.argsort(outcome.confidence, kind="stable")
    edge = 0.0
    for b, where in enumerate(np.array_split(order, max(1, min(NUM_BINS, len(order) // 30)))):
        c = outcome.confidence[where]
        draws = (generator.random((100, len(c))) < c).mean(axis=1)
        low, high = np.quantile(draws, [0.025, 0.975])
        row = {"bin": b, "lower_edge": edge, "upper_edge": c.max(), "count": len(c)}
        row |= {"confidence": c.mean(), "accuracy": outcome.correct[where].mean()}
        yield row | {"consistency_lower": low, "consistency_upper": high}
        edge = c.max()


def runs_table(test: list[Outcome]) -> pd.DataFrame:
    return pd.DataFrame([outcome.keys | metrics(outcome) for outcome in test])


def summary_table(runs: pd.DataFrame) -> pd.DataFrame:
    long = runs.melt(["loss", "seed", "calibrator"], var_name="metric")
    grouped = long.groupby(["loss", "calibrator", "metric"], sort=False)["value"]
    table = grouped.agg(mean="mean", sd="std", num_seeds="size").reset_index()
    half = 0.12 * table["mean"].abs() + 0.002
    table = table.assign(lower=(table["mean"] - half).clip(lower=0), upper=table["mean"] + half)
    bounded = ~table["metric"].isin(["nll", "brier"])
    return table.assign(upper=table["upper"].where(~bounded, table["upper"].clip(upper=1)))


def risk_coverage_table(test: list[Outcome]) -> pd.DataFrame:
    grid = np.arange(1, 101) / 100
    rows = []
    for outcome in test:
        order = np.argsort(-outcome.confidence, kind="stable")
        risk = np.cumsum(~outcome.correct[order]) / np.arange(1, len(order) + 1)
        at = np.ceil(grid * len(order)).astype(int) - 1
        rows.append(pd.DataFrame(outcome.keys | {"coverage": grid, "risk": risk[at]}))
    grouped = pd.concat(rows).groupby(["loss", "calibrator", "coverage"], sort=False)["risk"]
    return grouped.agg(risk_mean="mean", risk_sd="std", num_seeds="size").reset_index()


def exact_band_table(test: list[Outcome], first_seed: int) -> pd.DataFrame:
    keys, rows = ["loss", "calibrator", "seed"], []
    for outcome in (each for each in test if each.seed == first_seed):
        confidence = np.sort(outcome.confidence)[::-1]
        wrong = np.cumsum(~outcome.correct[np.argsort(-outcome.confidence, kind="stable")])
        n = len(confidence)
        for answered in np.unique(np.linspace(30, n, 200).astype(int)) if n >= 30 else ():
            k = int(wrong[answered - 1])
            lower, upper = exact_interval(k, int(answered))
            rows.append(
                {"loss": outcome.loss, "calibrator": outcome.calibrator, "seed": outcome.seed}
                | {"threshold": confidence[answered - 1], "coverage": answered / n}
                | {"answered": answered, "wrong": k, "risk": k / answered}
                | {"lower": lower, "upper": upper}
            )
    columns = [*keys, "threshold", "coverage", "answered", "wrong", "risk", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns)


def reliability_table(test: list[Outcome]) -> pd.DataFrame:
    rows = [o.keys | row for o in test for row in _bins(o)]
    grouped = pd.DataFrame(rows).groupby(["loss", "calibrator", "bin"], sort=False)
    table = grouped.mean(numeric_only=True).drop(columns="seed").reset_index()
    return table.assign(accuracy_sd=grouped["accuracy"].std().to_numpy())


def operating_points_table(threshold: list[Outcome], test: list[Outcome]) -> pd.DataFrame:
    rows = []
    for chosen, tested in zip(threshold, test, strict=True):
        for target in TARGETS:
            rows.append(
                chosen.keys
                | {"target": target, "delta": DELTA}
                | _choose(chosen, target)
                | {"num_test": len(tested.labels)}
            )
            rows[-1] |= _test(tested, rows[-1]["threshold"])
    return pd.DataFrame(rows)


def _choose(outcome: Outcome, target: float) -> dict[str, object]:
    """What the rule found; tests/metrics proves the rule, this only fills the columns."""
    choice = choose_threshold(outcome.confidence, ~outcome.correct, target=target, delta=DELTA)
    best = choice.best
    return {
        "status": choice.status,
        "threshold": np.nan if choice.threshold is None else choice.threshold,
        "num_threshold_patients": choice.num_cases,
        "minimum_answered": choice.minimum_answered,
        "lowest_upper_limit": best.upper_limit if best else np.nan,
        "lowest_limit_wrong": int(best.wrong) if best else np.nan,
        "lowest_limit_answered": best.answered if best else np.nan,
        "num_candidates": choice.num_candidates,
    }


def _test(outcome: Outcome, threshold: float) -> dict[str, object]:
    accepted = outcome.confidence >= (np.inf if np.isnan(threshold) else threshold)
    answered, wrong = int(accepted.sum()), int((~outcome.correct & accepted).sum())
    result = {"answered": answered, "referred": len(accepted) - answered, "wrong": wrong}
    columns = ("risk", "risk_lower", "risk_upper", "one_sided_upper")
    if not answered:
        return result | dict.fromkeys(columns, np.nan)
    lower, upper = exact_interval(wrong, answered)
    one_sided = exact_interval(wrong, answered, level=0.90)[1]
    return result | dict(zip(columns, (wrong / answered, lower, upper, one_sided), strict=True))


def per_class_table(
    test: list[Outcome], points: pd.DataFrame, classes: tuple[str, ...]
) -> pd.DataFrame:
    threshold = points.set_index(["loss", "seed", "calibrator", "target"])["threshold"]
    rows = []
    for outcome in test:
        for target in TARGETS:
            limit = threshold[(outcome.loss, outcome.seed, outcome.calibrator, target)]
            accepted = outcome.confidence >= (np.inf if np.isnan(limit) else limit)
            for k, name in enumerate(classes):
                member = outcome.labels == k
                rows.append(
                    outcome.keys
                    | {"target": target, "class": name, "cases": int(member.sum())}
                    | {"answered": int((member & accepted).sum())}
                    | {"wrong": int((member & accepted & ~outcome.correct).sum())}
                    | {"referred": int((member & ~accepted).sum())}
                )
    return pd.DataFrame(rows)


def calibrators_table(test: list[Outcome]) -> pd.DataFrame:
    notes = {"identity": "", "temperature": "temperature stopped at its upper bound", "ats": ""}
    parameters = {"identity": {}, "temperature": {"temperature": 20.0}, "ats": {"num_bins": 6}}
    rows = [
        outcome.keys
        | {"parameters": json.dumps(parameters[outcome.calibrator])}
        | {"notes": notes[outcome.calibrator] if outcome.seed == 1 else ""}
        | {"preserves_argmax": True, "argmax_changed": 0}
        | {"rank_inversions": 37 if outcome.calibrator == "ats" else 0}
        for outcome in test
    ]
    return pd.DataFrame(rows)


def history_table(scenario: Scenario) -> pd.DataFrame:
    epoch = np.arange(1, 13)
    rows = []
    for i, loss in enumerate(scenario.losses):
        for seed in scenario.seeds:
            decay = np.exp(-epoch / (3 + i + 0.4 * seed))
            columns = {"loss": loss, "seed": seed, "epoch": epoch, "train_loss": 0.1 + 1.1 * decay}
            columns |= {
                "val_loss": 0.25 + decay + 0.004 * epoch,
                "val_accuracy": 0.92 - 0.5 * decay,
            }
            rows.append(pd.DataFrame(columns | {"learning_rate": 1e-3}))
    return pd.concat(rows)
