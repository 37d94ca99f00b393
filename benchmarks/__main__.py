"""Run benchmarks one after the other: ``python -m benchmarks [--device cuda] [NAME...]``.

Each runs in a process of its own, so that none inherits another's memory, and with its number of
threads fixed, because figures with different numbers do not compare.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from benchmarks.timing import THREAD_VARIABLES

BENCHMARKS = (
    "losses",
    "calibrators",
    "metrics",
    "training",
    "together",
    "dicom",
    "predicting",
    "brought",
    "monitoring",
    "chain",
    "scope",
)


def main() -> int:
    """Run what the command line names, all by default; return how many failed to run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--threads", type=int, default=1, help="threads of each (default 1)")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="of training")
    arguments = parser.parse_args()
    if strangers := set(arguments.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {sorted(strangers)}; there are: {', '.join(BENCHMARKS)}")
    settings = dict.fromkeys(THREAD_VARIABLES, str(arguments.threads))
    settings["PIPELINE_DEVICE"] = arguments.device
    failed = 0
    for name in arguments.names or BENCHMARKS:
        print(f"\n== {name} ==", flush=True)
        command = [sys.executable, "-m", f"benchmarks.{name}"]
        failed += subprocess.run(command, env=os.environ | settings, check=False).returncode != 0
    return failed


if __name__ == "__main__":
    sys.exit(main())
