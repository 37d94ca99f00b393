"""The score files that only some experiments have, computed from simulated outcomes."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.metrics.comparisons import compare_to_baseline
from pipeline.metrics.group_shares import group_shares
from pipeline.metrics.intervals import Interval, proportion_interval
from pipeline.metrics.net_benefit import net_benefit
from pipeline.metrics.policy_costs import policy_costs
from pipeline.metrics.workload import AnswerCounts, workload
from tests.report.simulated_outcomes import Outcome

HEADLINE = {"loss": "gce", "calibrator": "ats"}
WEIGHTS = np.array([1.0, 2, 5, 10, 20, 50, 100])
HIGHER_IS_BETTER = ("accuracy", "balanced_accuracy", "macro_f1", "auroc")


def headline(outcomes: Sequence[Outcome]) -> Outcome:
    """The headline pair's first seed."""
    return next(o for o in outcomes if HEADLINE.items() <= o.keys.items())


def confidence_table(test: Sequence[Outcome]) -> pd.DataFrame:
    edges = np.linspace(0, 1, 21)
    rows = []
    for outcome in (each for each in test if each.seed == test[0].seed):
        right = np.histogram(outcome.confidence[outcome.correct], edges)[0]
        wrong = np.histogram(outcome.confidence[~outcome.correct], edges)[0]
        columns = {"lower_edge": edges[:-1], "upper_edge": edges[1:], "right": right}
        rows.append(pd.DataFrame(outcome.keys | columns | {"wrong": wrong}))
    return pd.concat(rows)


def accepted_table(
    test: Sequence[Outcome], exact_band: pd.DataFrame, classes: Sequence[str]
) -> pd.DataFrame:
    """The headline model's answers at every attained threshold: label against prediction."""
    outcome = headline(test)
    band = exact_band[(exact_band["loss"] == "gce") & (exact_band["calibrator"] == "ats")]
    rows = []
    for threshold in band["threshold"]:
        accepted = outcome.confidence >= threshold
        counts = np.zeros((len(classes), len(classes)), dtype=int)
        np.add.at(counts, (outcome.labels[accepted], outcome.predicted[accepted]), 1)
        rows += [
            outcome.keys
            | {"threshold": threshold, "label": classes[i], "prediction": classes[j]}
            | {"cases": counts[i, j]}
            for i, j in zip(*np.nonzero(counts), strict=True)
        ]
    return pd.DataFrame(rows)


def smooth_curve_table(test: Sequence[Outcome]) -> pd.DataFrame:
    grid = np.linspace(0.35, 0.995, 60)
    rows = []
    for outcome in (each for each in test if each.seed == test[0].seed):
        near = np.exp(-0.5 * ((grid[:, None] - outcome.confidence) / 0.05) ** 2)
        accuracy = near @ outcome.correct / near.sum(axis=1)
        half = 1.96 * np.sqrt(accuracy * (1 - accuracy) / near.sum(axis=1))
        columns = {"confidence": grid, "accuracy": accuracy}
        columns |= {"lower": (accuracy - half).clip(0), "upper": (accuracy + half).clip(None, 1)}
        rows.append(pd.DataFrame(outcome.keys | columns)[near.sum(axis=1) >= 10])
    return pd.concat(rows)


def groups_of(num_patients: int) -> dict[str, np.ndarray]:
    """Each patient's site, sex and age band."""
    generator = np.random.default_rng(8)
    kinds = {
        "site": (["north", "south"], (0.7, 0.3)),
        "sex": (["F", "M", "not recorded"], (0.55, 0.437, 0.013)),
        "age_band": (["18-39", "40-59", "60-79", "80+"], (0.2, 0.4, 0.36, 0.04)),
    }
    return {
        column: generator.choice(names, num_patients, p=shares)
        for column, (names, shares) in kinds.items()
    }


def accepted_groups_table(test: Sequence[Outcome], exact_band: pd.DataFrame) -> pd.DataFrame:
    outcome = headline(test)
    band = exact_band[(exact_band["loss"] == "gce") & (exact_band["calibrator"] == "ats")]
    rows = []
    for column, values in groups_of(len(outcome.labels)).items():
        for group in np.unique(values):
            inside = values == group
            for threshold in band["threshold"]:
                accepted = inside & (outcome.confidence >= threshold)
                answered, wrong = int(accepted.sum()), int((accepted & ~outcome.correct).sum())
                limits = proportion_interval(wrong, answered) if answered else None
                rows.append(
                    outcome.keys
                    | {"threshold": threshold, "column": column, "group": group}
                    | {"patients": inside.sum(), "answered": answered, "wrong": wrong}
                    | {"lower": limits.lower if limits else None}
                    | {"upper": limits.upper if limits else None}
                )
    return pd.DataFrame(rows)


def groups_table(test: Sequence[Outcome], threshold: float, target: float) -> pd.DataFrame:
    outcome = headline(test)
    groups = groups_of(len(outcome.labels))
    answered = outcome.confidence >= threshold
    patients = np.arange(len(answered))
    rows = []
    for column, values in groups.items():
        marked = {"referred": (~answered, slice(None)), "wrong": (~outcome.correct, answered)}
        for quantity, (mark, among) in marked.items():
            shares = group_shares(values[among], mark[among], patients[among])
            rows += [
                outcome.keys
                | {"target": target, "quantity": quantity, "column": column, "group": group}
                | _flat(share)
                for group, share in shares.items()
            ]
    return pd.DataFrame(rows)


def _flat(share) -> dict[str, object]:
    flat = {key: getattr(share, key) for key in ("visibility", "num_patients", "num_marked")}
    flat["share"] = share.share
    for prefix, interval in (("", share.interval), ("difference_", share.difference_interval)):
        flat[f"{prefix}lower"] = interval.lower if interval else None
        flat[f"{prefix}upper"] = interval.upper if interval else None
    return flat | {"difference": share.difference}


def costs_table(test: Sequence[Outcome], threshold: float, target: float) -> pd.DataFrame:
    outcome = headline(test)
    answered, wrong = outcome.confidence >= threshold, ~outcome.correct
    weights = np.random.default_rng(4).multinomial(
        len(wrong), np.ones(len(wrong)) / len(wrong), 200
    )
    point = policy_costs(answered, wrong, WEIGHTS)
    resampled = policy_costs(answered, wrong, WEIGHTS, weights=weights.astype(float))
    return pd.concat(
        pd.DataFrame(
            outcome.keys
            | {"target": target, "policy": policy, "weight": WEIGHTS, "cost": costs}
            | _limits(resampled[policy])
        )
        for policy, costs in point.items()
    )


def _limits(resampled: np.ndarray) -> dict[str, np.ndarray]:
    lower, upper = np.quantile(resampled, [0.025, 0.975], axis=0)
    return {"lower": lower, "upper": upper}


def net_benefit_table(
    test: Sequence[Outcome], classes: Sequence[str], critical: Sequence[str]
) -> pd.DataFrame:
    grid = np.arange(1, 51) / 100
    rows = []
    for name in critical:
        chosen = [o for o in test if o.loss == "gce" and o.seed == test[0].seed]
        for outcome in (o for o in chosen if o.calibrator in {"identity", "ats"}):
            positive = outcome.labels == classes.index(name)
            p = np.exp(outcome.log_p[:, classes.index(name)])
            rows.append(_benefit(outcome.keys | {"class": name}, "model", p, positive, grid))
        everyone = {"loss": "", "calibrator": "", "seed": test[0].seed, "class": name}
        n = len(positive)
        rows.append(_benefit(everyone, "act_on_all", np.ones(n), positive, grid))
        rows.append(_benefit(everyone, "act_on_none", np.zeros(n), positive, grid))
    return pd.concat(rows)


def _benefit(keys, policy, p, positive, grid) -> pd.DataFrame:
    value = net_benefit(p, positive, grid)
    columns = {"policy": policy, "threshold_probability": grid, "net_benefit": value}
    return pd.DataFrame(keys | columns | {"lower": value - 0.01, "upper": value + 0.01})


def comparisons_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Every pair against the best of each metric."""
    rows = []
    for metric in runs.columns.drop(["loss", "seed", "calibrator"]):
        pairs = {
            pair: dict(zip(group["seed"], group[metric], strict=True))
            for pair, group in runs.groupby(["loss", "calibrator"], sort=False)
        }
        means = {pair: np.mean(list(values.values())) for pair, values in pairs.items()}
        best = (max if metric in HIGHER_IS_BETTER else min)(means, key=means.get)
        for (loss, calibrator), found in compare_to_baseline(pairs, best).items():
            rows.append(
                {"metric": metric, "loss": loss, "calibrator": calibrator}
                | {"reference_loss": best[0], "reference_calibrator": best[1]}
                | {"mean_difference": found.mean_difference, "sd": found.standard_deviation}
                | {"num_pairs": found.num_pairs}
                | _ends(found.interval)
                | {"p_value": found.p_value}
                | {"p_value_holm": found.p_value_holm}
            )
    return pd.DataFrame(rows)


def differences_table(runs: pd.DataFrame, baseline: str) -> pd.DataFrame:
    rows = []
    for metric in runs.columns.drop(["loss", "seed", "calibrator"]):
        for calibrator, group in runs.groupby("calibrator", sort=False):
            values = {
                loss: dict(zip(own["seed"], own[metric], strict=True))
                for loss, own in group.groupby("loss", sort=False)
            }
            for loss, found in compare_to_baseline(values, baseline).items():
                rows.append(
                    {"metric": metric, "calibrator": calibrator, "loss": loss}
                    | {"baseline": baseline, "mean_difference": found.mean_difference}
                    | {"sd": found.standard_deviation, "num_pairs": found.num_pairs}
                    | _ends(found.interval)
                    | {"p_value": found.p_value, "p_value_holm": found.p_value_holm}
                )
    return pd.DataFrame(rows)


def _ends(interval: Interval | None) -> dict[str, float | None]:
    return {name: getattr(interval, name, None) for name in ("lower", "upper")}


def selection_table(runs: pd.DataFrame) -> pd.DataFrame:
    """Two scores as good as each other."""
    keys = ["loss", "seed", "calibrator", "aurc", "augrc", "coverage_at_risk_5"]
    return pd.concat([runs[keys].assign(score=score) for score in ("confidence", "margin")])


def stated_shares(classes: Sequence[str]) -> dict[str, float]:
    """The last class at 2 %, the others alike."""
    rest = 0.98 / (len(classes) - 1)
    return dict.fromkeys(classes[:-1], rest) | {classes[-1]: 0.02}


def workload_table(
    test: Sequence[Outcome], classes: Sequence[str], threshold: float, target: float
) -> pd.DataFrame:
    """The headline's, at the test patients' prevalence and with the last class at 2 %."""
    outcome = headline(test)
    everyone = np.ones(len(outcome.labels), dtype=bool)
    answered, wrong = outcome.confidence >= threshold, outcome.predicted != outcome.labels
    point = AnswerCounts(
        *(
            np.bincount(outcome.labels[chosen], minlength=len(classes))
            for chosen in (everyone, answered, answered & wrong, wrong)
        )
    )
    stated = np.array([*stated_shares(classes).values()])
    rows = []
    for prevalence, shares in {"test": None, "stated": stated}.items():
        for row in workload(point, level=0.95, prevalence=shares):
            policy = "model" if row.policy == "threshold" else row.policy
            whole, name = row.label is None, "" if row.label is None else classes[row.label]
            patients = point.cases.sum() if whole else point.cases[row.label]
            numbers = {"arriving": row.arriving, "answered": row.answered, "right": row.right}
            rows.append(
                outcome.keys
                | {"target": target, "prevalence": prevalence, "policy": policy, "class": name}
                | {"patients": patients, **numbers, "wrong": row.wrong, "referred": row.referred}
                | {f"wrong_{end}": limit for end, limit in _ends(row.wrong_interval).items()}
                | {f"referred_{end}": limit for end, limit in _ends(row.referred_interval).items()}
            )
    return pd.DataFrame(rows)


def long_tail_table(test: Sequence[Outcome]) -> pd.DataFrame:
    """Class 0 has many training cases, class 1 some, class 2 few."""
    rows = []
    for outcome in test:
        for label, group in enumerate(("many", "medium", "few")):
            own = outcome.labels == label
            right, cases = int(outcome.correct[own].sum()), int(own.sum())
            limits = proportion_interval(right, cases)
            rows.append(
                outcome.keys
                | {"rule": "count", "group": group, "num_classes": 1, "cases": cases}
                | {"correct": right, "lower": limits.lower, "upper": limits.upper}
                | {"accuracy": outcome.correct[own].mean(), "aurc": 0.1}
                | {"ece": abs(outcome.correct[own].mean() - outcome.confidence[own].mean())}
            )
    return pd.DataFrame(rows)


def levels_table(test: Sequence[Outcome]) -> pd.DataFrame:
    rows = []
    for outcome in (o for o in test if o.loss == "gce" and o.seed == test[0].seed):
        gap = outcome.confidence.mean() - outcome.correct.mean()
        for quantity, value in (("gap", gap), ("intercept", -0.1), ("slope", 0.93)):
            limits = {"lower": value - 0.03, "upper": value + 0.03}
            rows.append(outcome.keys | {"quantity": quantity, "value": value} | limits)
    table = pd.DataFrame(rows)
    return table[table["calibrator"] != "temperature"]


def class_calibration_table(test: Sequence[Outcome], classes: Sequence[str]) -> pd.DataFrame:
    edges = np.linspace(0, 1, 16)
    rows = []
    for outcome in (o for o in test if o.loss == "gce" and o.seed == test[0].seed):
        for label, name in enumerate(classes):
            p, y = np.exp(outcome.log_p[:, label]), outcome.labels == label
            gaps = [(y - p)[(p > low) & (p <= high)].sum() for low, high in pairwise(edges)]
            gap = p.mean() - y.mean()
            numbers = {"cases": y.sum(), "mean_probability": p.mean(), "share": y.mean()}
            limits = {"gap": gap, "gap_lower": gap - 0.02, "gap_upper": gap + 0.02}
            ece = np.abs(gaps).sum() / len(y)
            rows.append(outcome.keys | {"class": name} | numbers | limits | {"ece": ece})
    table = pd.DataFrame(rows)
    return table[table["calibrator"] != "temperature"]


def gallery_table(test: Sequence[Outcome], classes: Sequence[str]) -> pd.DataFrame:
    """The eight surest errors and the eight least sure cases, each a grey square of its own."""
    outcome = headline(test)
    sure = np.argsort(-outcome.confidence, kind="stable")
    kinds = {"confident_error": sure[~outcome.correct[sure]][:8], "referred": sure[::-1][:8]}
    return pd.DataFrame(
        outcome.keys
        | {"kind": kind, "rank": rank, "label": classes[outcome.labels[case]]}
        | {"prediction": classes[outcome.predicted[case]]}
        | {"confidence": outcome.confidence[case], "png": _grey_square(16 * rank + 8)}
        for kind, cases in kinds.items()
        for rank, case in enumerate(cases)
    )


def _grey_square(level: int) -> str:
    """Four pixels of one grey, as PNG in base64."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    header = (2).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    pixels = zlib.compress(bytes([0, level, level]) * 2)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + parts).decode()
