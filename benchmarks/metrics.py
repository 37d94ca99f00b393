"""What metrics cost: calibration errors beside torchmetrics, areas, and the bootstrapped score.

Run as ``python -m benchmarks metrics``; the limits on seconds are meant for one core.
"""

from __future__ import annotations

import math
import resource
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import log_softmax
from torchmetrics.functional.classification import multiclass_calibration_error
from torchmetrics.functional.classification.calibration_error import _ce_compute

from benchmarks.timing import (
    Timing,
    at_least,
    at_most,
    fixed_threads,
    print_table,
    show_seconds,
    time_side_by_side,
)
from pipeline.metrics import NUM_BINS, score
from pipeline.metrics.bootstrap import NUM_RESAMPLES, bootstrap_mean_score
from pipeline.metrics.calibration_error import ece
from pipeline.metrics.selective import augrc, aurc, e_aurc, selective_summary
from pipeline.metrics.top_label import BLOCK_CASES, top_label
from pipeline.shapes import Labels, LogProbabilities

LARGE, NUM_CLASSES = 1_000_000, 10
SCORED = 10_000
IMAGES_A_PATIENT = 2
ROUNDS, ROUNDS_OF_SCORES = 9, 3
GROWN, DOUBLINGS = 50_000, (1, 2, 4)
LEAST_GAIN, MOST_OF_ONE_PASS = 10.0, 2.0
MOST_SECONDS_OF_AREAS, MOST_SECONDS_OF_SCORE, MOST_MEGABYTES = 0.5, 3.0, 500.0
MOST_GROWTH = 1.15
"""Linear is an exponent of 1; caches and the sort's logarithm are given the rest."""


@dataclass(frozen=True)
class DrawnCases:
    """Log-probabilities, labels drawn from them, and what the metrics derive."""

    log_probabilities: LogProbabilities
    labels: Labels

    @property
    def size(self) -> str:
        """Cases and classes."""
        return "{:,} x {}".format(*self.log_probabilities.shape)


def run(num_large: int = LARGE, num_scored: int = SCORED, num_grown: int = GROWN) -> None:
    """Print the tables."""
    print(f"{fixed_threads()} threads")
    large = draw_cases(num_large, NUM_CLASSES)
    print_calibration_errors(large)
    print_areas(large)
    print_bootstrap(draw_cases(num_scored, NUM_CLASSES))
    print_growth(num_grown)


def draw_cases(num_cases: int, num_classes: int) -> DrawnCases:
    rng = np.random.default_rng(0)
    log_probabilities = log_softmax(rng.normal(0, 2, size=(num_cases, num_classes)), axis=1)
    cumulative = np.exp(log_probabilities).cumsum(axis=1)
    drawn = rng.random((num_cases, 1)) * cumulative[:, -1:]
    return DrawnCases(log_probabilities, (cumulative < drawn).sum(axis=1))


def print_calibration_errors(cases: DrawnCases) -> None:
    """Compare ECE from confidences and from probabilities, all in float64.

    Ours has each case's confidence once, for all metrics; torchmetrics takes probabilities each
    time. The limit is on what a metric costs a caller of either: ours from confidences, theirs from
    probabilities. Where both search every row's maximum that search takes most of the time, so
    that no ECE could meet it: this ratio is shown beside, without a limit.
    """
    top = top_label(cases.log_probabilities, cases.labels)
    probabilities = np.exp(cases.log_probabilities)
    confidence, correct = torch.from_numpy(top.confidence), torch.from_numpy(top.correct)
    tensors = torch.from_numpy(probabilities), torch.from_numpy(cases.labels)
    contenders: dict[str, Callable[[], float]] = {
        "confidences, ours": lambda: float(ece(top.confidence, top.correct, NUM_BINS)),
        "confidences, torchmetrics": lambda: float(_ce_compute(confidence, correct, NUM_BINS)),
        "probabilities, ours": lambda: ece_of_probabilities(cases),
        "probabilities, one pass": lambda: one_pass(probabilities, top.correct),
        "probabilities, maxima alone": lambda: float(maxima(probabilities).mean()),
        "probabilities, torchmetrics": lambda: float(
            multiclass_calibration_error(
                *tensors, num_classes=probabilities.shape[1], n_bins=NUM_BINS
            )
        ),
    }
    timing = time_side_by_side(contenders, rounds=ROUNDS)
    rows = [
        [
            name,
            show_seconds(timing.seconds(name)),
            f"{timing.ratio(name, name.split(',')[0] + ', ours'):.2f}",
            f"{contender():.6f}",
            _verdict_on_ece(name, timing),
        ]
        for name, contender in contenders.items()
    ]
    columns = ["from", "median", "ratio to ours", "value", "verdict"]
    print_table(f"ECE, {cases.size}", columns, rows)


def _verdict_on_ece(name: str, timing: Timing) -> str:
    if name == "probabilities, one pass":
        share = timing.ratio("probabilities, ours", name)
        return f"ours takes {share:.2f} of it: {at_most(share, MOST_OF_ONE_PASS)}"
    if name == "probabilities, maxima alone":
        most = timing.ratio("probabilities, torchmetrics", name)
        return f"torchmetrics takes {most:.1f} x as long: no ECE by it gains more"
    if name == "probabilities, torchmetrics":
        gain = timing.ratio(name, "confidences, ours")
        alike = timing.ratio(name, "probabilities, ours")
        return (
            f"ours from confidences {gain:.1f} x as fast: {at_least(gain, LEAST_GAIN)}; "
            f"from probabilities {alike:.1f} x"
        )
    if name == "confidences, torchmetrics":
        return f"ours {timing.ratio(name, 'confidences, ours'):.1f} x as fast"
    return ""


def ece_of_probabilities(cases: DrawnCases) -> float:
    top = top_label(cases.log_probabilities, cases.labels)
    return float(ece(top.confidence, top.correct, NUM_BINS))


def one_pass(probabilities: np.ndarray, correct: np.ndarray) -> float:
    """Return what no ECE can do without: the maximum of each row and the sums of the bins."""
    confidence = probabilities.max(axis=1)
    bins = (confidence * NUM_BINS).astype(np.intp)
    return float(np.abs(np.bincount(bins, confidence - correct)).sum() / len(correct))


def maxima(probabilities: np.ndarray) -> np.ndarray:
    """Return each row's maximum as fast as we can make numpy: neighbours first, in blocks."""
    highest = np.empty(len(probabilities))
    for start in range(0, len(probabilities), BLOCK_CASES):
        rows = probabilities[start : start + BLOCK_CASES]
        while rows.shape[1] % 2 == 0:
            flat = rows.ravel()
            rows = np.maximum(flat[::2], flat[1::2]).reshape(len(rows), -1)
        running = highest[start : start + len(rows)]
        np.copyto(running, rows[:, 0])
        for column in rows.T[1:]:
            np.maximum(running, column, out=running)
    return highest


def print_areas(cases: DrawnCases) -> None:
    top = top_label(cases.log_probabilities, cases.labels)
    losses = 1.0 - top.correct
    contenders = {
        "AURC": lambda: aurc(top.confidence, losses),
        "E-AURC": lambda: e_aurc(top.confidence, losses),
        "AUGRC": lambda: augrc(top.confidence, losses),
        "all of them in one": lambda: selective_summary(
            top.confidence, losses, targets=(), coverages=()
        ),
    }
    timing = time_side_by_side(contenders, rounds=ROUNDS)
    rows = [
        [name, show_seconds(timing.seconds(name)), _within(timing.seconds(name))]
        for name in contenders
    ]
    print_table(f"areas, {cases.size}", ["", "median", "verdict"], rows)


def _within(seconds: float) -> str:
    return at_most(seconds, MOST_SECONDS_OF_AREAS)


def print_bootstrap(cases: DrawnCases) -> None:
    """Time the score with its intervals, and then measure the memory of another such run."""
    patients = np.arange(len(cases.labels)) // IMAGES_A_PATIENT

    def bootstrap() -> object:
        return bootstrap_mean_score([cases.log_probabilities], cases.labels, patients, seed=0)

    contenders = {
        "score": lambda: score(cases.log_probabilities, cases.labels),
        f"{NUM_RESAMPLES:,} resamples": bootstrap,
    }
    timing = time_side_by_side(contenders, rounds=ROUNDS_OF_SCORES)
    tracemalloc.start()
    bootstrap()
    megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    seconds = sum(timing.seconds(name) for name in contenders)
    process = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [[name, show_seconds(timing.seconds(name)), ""] for name in contenders]
    rows += [
        ["both", show_seconds(seconds), at_most(seconds, MOST_SECONDS_OF_SCORE)],
        ["memory taken", f"{megabytes:.0f} MB", at_most(megabytes, MOST_MEGABYTES)],
        ["memory of this process", f"{process:.0f} MB", "with torch and the tables above"],
    ]
    print_table(f"every metric, {cases.size}", ["", "", "verdict"], rows)


def print_growth(num_cases: int) -> None:
    """Show that a score's time grows no faster than the cases and the classes."""
    rows = []
    for title, sizes in (
        ("cases", [(num_cases * factor, NUM_CLASSES) for factor in DOUBLINGS]),
        ("classes", [(num_cases, NUM_CLASSES * factor) for factor in DOUBLINGS]),
    ):
        drawn = {cases.size: cases for cases in (draw_cases(*size) for size in sizes)}
        timing = time_side_by_side(
            {name: _scored(cases) for name, cases in drawn.items()}, rounds=ROUNDS
        )
        first, last = list(drawn)[0], list(drawn)[-1]
        exponent = math.log(timing.ratio(last, first)) / math.log(DOUBLINGS[-1])
        shown = [f"{name}: {show_seconds(timing.seconds(name))}" for name in drawn]
        rows.append([title, *shown, f"{exponent:.2f}", at_most(exponent, MOST_GROWTH)])
    sizes_shown = [f"{factor} x" for factor in DOUBLINGS]
    print_table("score, as it grows with", ["", *sizes_shown, "exponent", "verdict"], rows)


def _scored(cases: DrawnCases) -> Callable[[], object]:
    return lambda: score(cases.log_probabilities, cases.labels)


if __name__ == "__main__":
    run()
