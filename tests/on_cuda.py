"""The device's tests, then how fast training is on it: ``python -m tests.on_cuda [FILE]``.

Needs no network and no make. What a part prints stands in the file at once, so that a part that
hangs, dies or is cut off loses nothing of the others. With ``--dry-run`` no device is needed: the
tests are collected only, and the bench is run on a few images on the CPU.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import torch

FILE = "tests/training/test_cuda.py"
TESTS = ("-m", "pytest", "-vv", "-m", "cuda", "--tb=short", "--durations=5", FILE)
# Another version's deprecations are not what the device shows; a test that hangs says where.
LENIENT = ("-W", "ignore::DeprecationWarning", "-W", "ignore::FutureWarning")
TALKATIVE = ("-o", "faulthandler_timeout=40")


@dataclass(frozen=True)
class Part:
    """What is run in a process of its own, with Python's arguments, and until when.

    `deadline` counts in seconds from the start of the first part: what one leaves, the next has.
    """

    title: str
    arguments: Sequence[str]
    deadline: float
    environment: Mapping[str, str] = field(default_factory=dict)


def _tests(title: str, chosen: str, deadline: float) -> Part:
    return Part(title, (*TESTS, *LENIENT, *TALKATIVE, "-k", chosen), deadline)


PARTS = (
    _tests("every loss and step", "every_loss or kind_of_step or without or float16_says", 60),
    _tests("resumed, and seeds together", "resumes or side_by_side", 85),
    _tests("networks and volumes", "kind_of_network or volumes", 125),
    # A driver that crashes says nothing of who called it; Python does.
    Part(
        "training",
        ("-m", "benchmarks", "training", "--device", "cuda"),
        230,
        {"PYTHONFAULTHANDLER": "1"},
    ),
)
DRY_PARTS = (
    *(Part(each.title, (*each.arguments, "--collect-only"), 300) for each in PARTS[:-1]),
    Part("training", ("-m", "benchmarks.training", "256", "1"), 600, {"PIPELINE_DEVICE": "cpu"}),
)


def main() -> int:
    """Run all parts, each whatever the others say; return how many failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.on_cuda", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="also write what is printed there")
    parser.add_argument("--dry-run", action="store_true", help="on the CPU, to try the script")
    arguments = parser.parse_args()
    if not (arguments.dry_run or torch.cuda.is_available()):
        print("no CUDA device: not measured")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        file = arguments.file or Path(folder) / "cuda.txt"
        return run_parts(DRY_PARTS if arguments.dry_run else PARTS, file)


def run_parts(parts: Sequence[Part], file: Path) -> int:
    """Run parts one after the other, their output to a file and, once ended, printed."""
    file.write_bytes(b"")
    started, failed = time.monotonic(), 0
    for part in parts:
        told, began = file.stat().st_size, time.monotonic()
        with file.open("a", encoding="utf-8") as out:
            print(f"== {part.title} ==", file=out, flush=True)
            ended = _run(part, part.deadline - (began - started), out.fileno())
            print(f"== {ended}, {time.monotonic() - began:.0f} s ==\n", file=out)
        failed += ended != "exit code 0"
        print(file.read_bytes()[told:].decode(errors="replace"), end="", flush=True)
    return failed


def _run(part: Part, seconds: float, out: int) -> str:
    """Return how a part ended; one that takes too long is ended with all that it started."""
    process = subprocess.Popen(
        [sys.executable, *part.arguments],
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | part.environment,
        start_new_session=True,
    )
    try:
        return f"exit code {process.wait(max(seconds, 1))}"
    except subprocess.TimeoutExpired:
        return "stopped: no time left"
    finally:
        # A benchmark is a child's child, which would go on and keep the device.
        _end_group(process)


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
