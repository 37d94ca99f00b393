"""What DVC's own bookkeeping costs: seconds a stage, and of a `dvc repro` with nothing to do.

Run as ``python -m benchmarks chain``. The chain is the project's own dvc.yaml in a copy, with the
plan of the embedded study alone and then of six studies, and with every command replaced by one
that only writes a file into each of the stage's outputs: what is left is DVC's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

from benchmarks.timing import at_most, fixed_threads, print_table
from pipeline.config import expand_plan, write_plan

ROOT = Path(__file__).parents[1]
COPIED = ("pipeline", "configs", ".dvc/config", ".dvcignore", ".gitignore")
STUDIES = {
    "the embedded study": ("quick",),
    "six studies": ("quick", "medical", "longtail", "shift", "ablation", "benchmark"),
}
SECONDS_A_STAGE = 1.5
SECONDS_OF_NOTHING = {"the embedded study": 3.0, "six studies": 8.0}


def run() -> None:
    """Print the table; each chain is run once in full and three times with nothing to do."""
    print(f"{fixed_threads()} threads")
    rows = []
    for name, studies in STUDIES.items():
        with tempfile.TemporaryDirectory() as folder:
            rows.append(_measured(name, studies, Path(folder)))
    heads = ["planned", "stages", "lock, kB", "s a stage", "", "s with nothing to do", ""]
    print_table("DVC's own time", heads, rows)


def _measured(name: str, studies: tuple[str, ...], root: Path) -> list[str]:
    num_stages = make_chain(root, studies)
    whole = _seconds(root, "repro")
    nothing = min(_seconds(root, "repro") for _ in range(3))
    return [
        name,
        str(num_stages),
        f"{(root / 'dvc.lock').stat().st_size / 1000:.0f}",
        f"{whole / num_stages:.2f}",
        at_most(whole / num_stages, SECONDS_A_STAGE),
        f"{nothing:.1f}",
        at_most(nothing, SECONDS_OF_NOTHING[name]),
    ]


def make_chain(root: Path, studies: tuple[str, ...]) -> int:
    """Write a project whose stages do nothing but leave their outputs; return their number."""
    for part in COPIED:
        source, target = ROOT / part, root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        ignored = shutil.ignore_patterns("__pycache__")
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)
    plan = expand_plan(studies, root / "configs")
    write_plan(plan, root / "configs/plan.yaml")
    chain = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))
    for stage in chain["stages"].values():
        body = stage.get("do", stage)
        body["cmd"] = " && ".join(_leave(out) for out in _outs(body))
    (root / "dvc.yaml").write_text(yaml.safe_dump(chain, sort_keys=False), encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return plan.num_stages


def _outs(body: dict[str, Any]) -> list[str]:
    listed = [each for key in ("outs", "metrics", "plots") for each in body.get(key, [])]
    return [next(iter(each)) if isinstance(each, dict) else each for each in listed]


def _leave(out: str) -> str:
    file = out if out.endswith(".html") else f"{out}/file.txt"
    return f"mkdir -p $(dirname {file}) && echo {out} > {file}"


def _seconds(root: Path, *arguments: str) -> float:
    dvc = Path(sys.executable).parent / "dvc"
    environment = os.environ | {
        "DVC_NO_ANALYTICS": "1",
        "DVC_GLOBAL_CONFIG_DIR": str(root / ".dvc/global"),
        "DVC_SITE_CACHE_DIR": str(root / ".dvc/site"),
    }
    start = time.perf_counter()
    subprocess.run([dvc, *arguments], cwd=root, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    run()
