"""What a report on brought predictions takes: seconds for many cases, on all cores and on one.

Run as ``python -m benchmarks brought``. The command is the user's own, `pipeline logits-report`
with held-out cases and two groups, in a process of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.timing import at_most, fixed_threads, print_table

NUM_TEST, NUM_HELD_OUT, NUM_CLASSES = 100_000, 20_000, 4
MOST_OF_ONE_CORE = {1: 1.2, 2: 0.85}
"""Share of one core's time that more cores may take; of more than two as of two."""


def run() -> None:
    """Print the table; each setting is run once."""
    cores = sorted(os.sched_getaffinity(0))
    print(f"{fixed_threads()} threads in libraries, {len(cores)} cores")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_cases(folder / "test.csv", NUM_TEST, seed=0)
        write_cases(folder / "held_out.csv", NUM_HELD_OUT, seed=1)
        alone = _seconds(folder, cores[:1])
        together = _seconds(folder, cores)
    share = together / alone
    rows = [
        ["one core", f"{alone:.1f}", "", ""],
        [
            f"{len(cores)} cores",
            f"{together:.1f}",
            f"{share:.2f}",
            at_most(share, MOST_OF_ONE_CORE[min(2, len(cores))]),
        ],
    ]
    heads = ["with", "s", "of one core", ""]
    print_table(f"A report on {NUM_TEST:,} brought cases", heads, rows)


def write_cases(path: Path, num_cases: int, *, seed: int) -> None:
    """Write logits that are twice too large, two cases a patient, with site and sex."""
    random = np.random.default_rng(seed)
    fair = random.normal(0.0, 2.5, (num_cases, NUM_CLASSES))
    patient = np.arange(num_cases) // 2
    frame = pd.DataFrame(2 * fair, columns=[f"logit_{label}" for label in range(NUM_CLASSES)])
    frame.insert(0, "label", (fair + random.gumbel(size=fair.shape)).argmax(axis=1))
    frame.insert(0, "patient", [f"{seed}-{number}" for number in patient])
    frame["site"] = np.where(patient % 3 == 0, "north", "south")
    frame["sex"] = np.where(patient % 2 == 0, "F", "M")
    frame.round(6).to_csv(path, index=False)


def _seconds(folder: Path, cores: list[int]) -> float:
    out = folder / f"report-{len(cores)}"
    command = [sys.executable, "-m", "pipeline", "logits-report", str(folder / "test.csv")]
    command += ["--calibration", str(folder / "held_out.csv"), "--groups", "site,sex"]
    everyone = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        start = time.perf_counter()
        subprocess.run([*command, "--out", str(out)], check=True, capture_output=True)
        return time.perf_counter() - start
    finally:
        os.sched_setaffinity(0, everyone)


if __name__ == "__main__":
    run()
