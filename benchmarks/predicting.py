"""How soon a release decides, and how many images a second: beside bare reading and network.

Run as ``python -m benchmarks predicting``, or ``python -m benchmarks.predicting [patients]``. A
model is trained for one epoch on the simulated study and released; that it knows little does not
change how long it takes. Files are in the system's cache.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path
from statistics import median

import numpy as np
import yaml

from benchmarks.timing import at_most, fixed_threads, print_table, show_seconds, time_side_by_side
from pipeline.adapters import Case
from pipeline.adapters.identity import Pseudonyms
from pipeline.config import expand_plan, write_plan
from pipeline.predicting.dicom_files import read_dicom
from pipeline.predicting.inputs import find_files
from pipeline.predicting.predictor import Predictor
from pipeline.predicting.reading import masked
from pipeline.predicting.writing import predict
from pipeline.releasing import Released, read_release
from pipeline.releasing.from_study import Options, release_model
from pipeline.releasing.sources import Wanted

ROUNDS = 5
STARTS = 3
TIME_OF_PARTS = 1.25
"""Of reading and network together, which nobody can do without."""

CONFIGS = Path("configs")
EXPERIMENT = "phantom-thin_densenet"
STUDY = {
    "title": "Benchmark",
    "experiments": [{"dataset": "phantom", "network": "thin_densenet", "recipe": "brief"}],
    "losses": ["gce"],
    "seeds": [0],
    "calibrators": ["identity", "ats"],
    "baseline": "gce",
    "headline_loss": "gce",
    "headline_calibrator": "ats",
}
RECIPE = {
    "epochs": 1,
    "batch_size": 64,
    "optimiser": {"kind": "adam", "learning_rate": 0.01},
}


def run(num_patients: int = 1000) -> None:
    """Print the tables of a cold start and of many images."""
    print(f"{fixed_threads()} threads, {num_patients} simulated patients")
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        folder = release_of(root, num_patients)
        images = root / "data/raw/phantom/images"
        compare_starts(root, folder, next(images.rglob("*.dcm")))
        compare_rates(root, read_release(folder), images)


def release_of(root: Path, num_patients: int) -> Path:
    """Train, evaluate and pack a model; return the release's folder."""
    for name in ("losses/gce", "calibrators/identity", "calibrators/ats", "networks/thin_densenet"):
        target = root / f"configs/{name}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CONFIGS / f"{name}.yaml", target)
    dataset = yaml.safe_load((CONFIGS / "datasets/phantom.yaml").read_text(encoding="utf-8"))
    dataset["arguments"] |= {"num_patients": num_patients}
    stated = {"datasets/phantom": dataset, "recipes/brief": RECIPE, "studies/bench": STUDY}
    for name, content in stated.items():
        target = root / f"configs/{name}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(yaml.safe_dump(content), encoding="utf-8")
    write_plan(expand_plan(["bench"], root / "configs"), root / "configs/plan.yaml")
    key = f"bench-{EXPERIMENT}"
    stages = {"acquire": "phantom", "prepare": "phantom"}
    for stage, of in (stages | dict.fromkeys(("train", "calibrate", "evaluate"), key)).items():
        import_module(f"pipeline.stages.{stage}").run(of, root=root)
    options = Options(without_guarantee=True)
    release_model(root, "bench", EXPERIMENT, Wanted(), root / "release", options)
    return root / "release"


def compare_starts(root: Path, release: Path, image: Path) -> None:
    """Time new processes: the whole command on one image, and the bare program."""
    bare = (
        "import sys; import numpy as np; from pathlib import Path; "
        "from pipeline.releasing.exporting import load_program; "
        "load_program(Path(sys.argv[1]))(np.zeros((1, 32, 32, 1), np.uint8))"
    )
    commands = {
        "predict, one image": ["-m", "pipeline", "predict", str(release), str(image), "--out"],
        "load the program and run it": ["-c", bare, str(release / "models/program.pt2")],
        "import torch": ["-c", "import torch"],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for number in range(STARTS):
        for name, command in commands.items():
            out = [str(root / f"out-{number}")] if command[-1] == "--out" else []
            started = time.perf_counter()
            subprocess.run([sys.executable, *command, *out], check=True, capture_output=True)
            seconds[name].append(time.perf_counter() - started)
    rows = [[name, show_seconds(median(each))] for name, each in seconds.items()]
    print_table("first result after a cold start", ["", "median"], rows)


def compare_rates(root: Path, released: Released, folder: Path) -> None:
    """Time many images: from files to decisions, and what that consists of."""
    pseudonyms = Pseudonyms(b"nobody is simulated but simulated people")
    predictor = Predictor(released, pseudonyms=pseudonyms)
    files = find_files([folder], root)
    named = masked(files, pseudonyms)

    def read() -> list[Case]:
        found = read_dicom(named, released.release, pseudonyms).cases
        return [each for each in found if isinstance(each, Case)]

    images = np.stack([each.image for each in read()])
    outs = iter(range(1000))
    whole, decide, reading, network = (
        "predict: files, page and all", "decisions alone", "bare reading", "bare network",
    )  # fmt: skip
    timing = time_side_by_side(
        {
            whole: lambda: predict(predictor, [folder], root / f"many-{next(outs)}"),
            decide: lambda: predictor.predict(files),
            reading: read,
            network: lambda: predictor.program(images),
        },
        rounds=ROUNDS,
    )
    parts = timing.seconds(reading) + timing.seconds(network)
    share = timing.seconds(decide) / parts
    verdicts = {decide: f"time of reading and network {at_most(share, TIME_OF_PARTS)}"}
    rows = [
        [
            name,
            f"{len(images) / timing.seconds(name):.0f}",
            f"{timing.seconds(name) / parts:.2f}",
            verdicts.get(name, ""),
        ]
        for name in timing.rounds
    ]
    title = f"{len(images)} DICOM images of 64 x 64"
    print_table(title, ["", "images/s", "of reading and network", ""], rows)


if __name__ == "__main__":
    run(*map(int, sys.argv[1:]))
