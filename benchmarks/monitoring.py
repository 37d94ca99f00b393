"""How soon a broken guarantee is seen, how often one that holds is doubted, and what a look costs.

Run as ``python -m benchmarks monitoring``. Each rule is looked at after every label. Beside the
monitor's bets stand an exact test that is repeated at every look as if it were the only one, and
the same bets put down once, at the start.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy.stats import binom

from benchmarks.timing import at_most, fixed_threads, print_table, show_seconds
from pipeline.monitoring.betting import excess_bets, log_wealth, uniform_bets
from pipeline.monitoring.confidence_sequence import log_wealth_below
from pipeline.monitoring.decision_log import read_decisions
from pipeline.monitoring.patients import decided_by_model, first_studies
from pipeline.monitoring.urn import ReferenceBins, conformal_p_values

DELTA, TARGET = 0.05, 0.05
TARGETS = (0.01, 0.05, 0.10)
FACTORS = (1.5, 2.0, 3.0)
SUPPORTING = (0.0, 0.25, 0.5)
"""Risks, as shares of the target, at which the guarantee is to be supported."""

RUNS, ALARM_RUNS, PATIENTS, GOOD = 400, 1_000, 10_000, 2_000
GOOD_RISK = 0.6
"""Before a change, as a share of the target."""

LOGGED, MOST_SECONDS = 1_000_000, 10.0
RELEASE = "0" * 64
CLASSES = ("benign", "malignant")

Rule = Callable[[np.ndarray, float], np.ndarray]
"""From errors, (labels, runs), and the target to whether there is an alarm at each look."""


def run(runs: int = RUNS, alarm_runs: int = ALARM_RUNS, logged: int = LOGGED) -> None:
    """Print the tables."""
    print(f"{fixed_threads()} threads")
    print_false_alarms(alarm_runs)
    print_delays(runs)
    print_support(runs)
    print_reading(logged)


def bets(wrong: np.ndarray, target: float) -> np.ndarray:
    return log_wealth(excess_bets(wrong, target)) >= -np.log(DELTA)


def bets_at_the_start(wrong: np.ndarray, target: float) -> np.ndarray:
    total = np.cumsum(excess_bets(wrong, target), axis=0)
    return np.logaddexp.reduce(total, axis=-1) - np.log(total.shape[-1]) >= -np.log(DELTA)


def repeated_exact_test(wrong: np.ndarray, target: float) -> np.ndarray:
    labels = np.arange(1, len(wrong) + 1)[:, None]
    return binom.sf(np.cumsum(wrong, axis=0) - 1, labels, target) <= DELTA


RULES: dict[str, Rule] = {
    "bets at all times (the monitor)": bets,
    "bets at the start": bets_at_the_start,
    "exact test, repeated": repeated_exact_test,
}


def print_false_alarms(runs: int) -> None:
    rows = []
    for name, rule in RULES.items():
        shares = [
            np.mean([part.any(axis=0).mean() for part in looks(rule, target, runs)])
            for target in TARGETS
        ]
        most = binom.ppf(0.999, runs, DELTA) / runs
        verdict = "" if rule is repeated_exact_test else at_most(max(shares), most)
        rows.append([name, *(f"{share:.3f}" for share in shares), verdict])
    columns = ["ever alarmed", *(f"at target {target:.0%}" for target in TARGETS), "verdict"]
    print_table(f"True risk at the target, {PATIENTS:,} patients, {runs:,} runs", columns, rows)


def looks(rule: Rule, target: float, runs: int) -> Iterator[np.ndarray]:
    """Yield what a rule says of runs whose risk is the target, a hundred at a time."""
    rng = np.random.default_rng(0)
    for start in range(0, runs, 100):
        yield rule(rng.random((PATIENTS, min(100, runs - start))) < target, target)


def print_delays(runs: int) -> None:
    for good in (0, GOOD):
        rows = [
            [name, *(delay_text(rule, factor, good, runs) for factor in FACTORS)]
            for name, rule in RULES.items()
            if good == 0 or rule is not repeated_exact_test
        ]
        title = f"Labels until an alarm at target {TARGET:.0%}, after {good:,} good ones"
        columns = ["median (found of all)", *(f"{factor:g} x target" for factor in FACTORS)]
        print_table(title, columns, rows)


def delay_text(rule: Rule, factor: float, good: int, runs: int) -> str:
    rng = np.random.default_rng(1)
    before = rng.random((good, runs)) < GOOD_RISK * TARGET
    after = rng.random((4_000, runs)) < factor * TARGET
    alarmed = rule(np.concatenate([before, after]), TARGET)[good:]
    found = alarmed.any(axis=0)
    delays = np.where(found, alarmed.argmax(axis=0) + 1.0, np.inf)
    return f"{np.median(delays):,.0f} ({found.mean():.0%})"


def print_support(runs: int) -> None:
    rng = np.random.default_rng(2)
    labels = np.arange(1, 5_001)[:, None]
    medians = []
    for share in SUPPORTING:
        wrong = np.cumsum(rng.random((len(labels), runs)) < share * TARGET, axis=0)
        supported = log_wealth_below(wrong, labels, TARGET) >= np.log(2 / DELTA)
        found = supported.any(axis=0)
        medians.append(np.median(np.where(found, supported.argmax(axis=0) + 1.0, np.inf)))
    columns = ["", *(f"{share:g} x target" for share in SUPPORTING)]
    rows = [["median", *(f"{each:,.0f}" for each in medians)]]
    print_table(f"Labels until 'supported' at target {TARGET:.0%}", columns, rows)


def print_reading(num_lines: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "decisions.jsonl")
        write_log(path, num_lines)
        start, cpu = time.perf_counter(), time.process_time()
        patients = first_studies(read_decisions([path], release=RELEASE, classes=CLASSES))
        values = decided_by_model(patients)["confidence"].to_numpy()
        reference = ReferenceBins.of_quantiles(np.linspace(0.5, 1, 101), 400)
        log_wealth(uniform_bets(conformal_p_values(values, reference)))
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    # Seconds of the processor: what else the machine does falls on the others alone.
    limit = at_most(cpu, MOST_SECONDS) if num_lines == LOGGED else ""
    row = [f"{num_lines:,}", show_seconds(seconds), show_seconds(cpu), limit]
    print_table("A look at a log, without labels", ["decisions", "time", "CPU", "verdict"], [row])


def write_log(path: Path, num_lines: int) -> None:
    confidence = np.random.default_rng(3).uniform(0.5, 1.0, num_lines).round(6)
    with path.open("w", encoding="utf-8") as file:
        for number, sure in enumerate(confidence.tolist()):
            minutes, second = divmod(number, 60)
            hours, minute = divmod(minutes, 60)
            days, hour = divmod(hours, 24)
            line = {
                "patient": f"{number:064x}",
                "study": f"{number + 1:064x}",
                "outcome": "answered",
                "reason": "",
                "detail": "",
                "predicted": CLASSES[0],
                "probabilities": dict(zip(CLASSES, (sure, 1 - sure), strict=True)),
                "confidence": sure,
                "threshold": 0.5,
                "site": "",
                "num_images": 1,
                "decided_at": f"2026-01-{days + 1:02}T{hour:02}:{minute:02}:{second:02}+00:00",
                "release": RELEASE,
            }
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    run()
