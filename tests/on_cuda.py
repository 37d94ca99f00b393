"""The device's tests, then how fast training is on it: ``python -m tests.on_cuda [FILE]``.

Needs no network and no make. What it prints is written to the file as well.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import torch

TEST_SECONDS, BENCH_SECONDS = 120, 110
"""What either part may take; together with the start less than four minutes."""

PARTS = {
    "the device's tests": (["-m", "pytest", "-m", "cuda", "tests/training"], TEST_SECONDS),
    "training": (["-m", "benchmarks", "training", "--device", "cuda"], BENCH_SECONDS),
}


def main(path: str | None = None) -> int:
    """Run both parts, the second whatever the first says; return how many failed."""
    if not torch.cuda.is_available():
        print("no CUDA device: not measured")
        return 1
    told, failed = [], 0
    for title, (arguments, limit) in PARTS.items():
        started = time.monotonic()
        code, output = _run([sys.executable, *arguments], limit)
        failed += code != 0
        seconds = time.monotonic() - started
        told.append(f"== {title}: exit code {code}, {seconds:.0f} s ==\n{output}")
        print(told[-1], flush=True)
    if path is not None:
        Path(path).write_text("\n".join(told), encoding="utf-8")
    return failed


def _run(command: list[str], limit: float) -> tuple[int, str]:
    """Return exit code and output; a part that takes too long keeps what it has printed."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired as error:
        return 1, (error.stdout or b"").decode() + f"\nstopped after {limit} s"
    return done.returncode, done.stdout.decode()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
