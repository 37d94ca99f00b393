"""A simulated study run in this process: DICOM files, a trained model, and its release."""

import shutil
from importlib import import_module

import yaml

from pipeline.config import expand_plan, write_plan
from tests.projects import ROOT

STUDY, EXPERIMENT = "small", "phantom-small"
LOSS, CALIBRATORS = "gce", ("identity", "ats", "isotonic")
SEEDS = (0, 1)
FOUND_TARGET, TOO_FEW_TARGET = 0.4, 0.02
"""Of the first a threshold is found with room to spare on any processor. For the second 149
patients would have to be answered, and the threshold split has about 60."""

LAW = {
    "intercepts": [0, -19, -44],
    "coefficients": [[0, 0, 0, 0], [18, 15, -9, 0], [15, 9, 24, 15]],
}
"""Findings so clear that a few epochs on a few hundred images are enough."""

CONFIGS = {
    "networks": {
        "kind": "densenet",
        "arguments": {
            "block_config": [1, 1], "growth_rate": 8, "init_features": 8, "stem": "small",
        },
    },
    "recipes": {
        "epochs": 12,
        "batch_size": 32,
        "optimiser": {"kind": "adam", "learning_rate": 0.01},
    },
    "studies": {
        "title": "A study small enough for a test",
        "experiments": [{"dataset": "phantom", "network": "small", "recipe": "small"}],
        "losses": [LOSS],
        "seeds": list(SEEDS),
        "calibrators": list(CALIBRATORS),
        "baseline": LOSS,
        "headline_loss": LOSS,
        "headline_calibrator": "ats",
        "risk_targets": [TOO_FEW_TARGET, FOUND_TARGET],
        "headline_target": FOUND_TARGET,
    },
}  # fmt: skip


def run_small_study(root):
    """Run every stage of a small study of simulated DICOM files in an empty folder."""
    copied = [f"losses/{LOSS}", *(f"calibrators/{name}" for name in CALIBRATORS)]
    for name in copied:
        target = root / f"configs/{name}.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / f"configs/{name}.yaml", target)
    for folder, content in CONFIGS.items():
        write_yaml(root / f"configs/{folder}/small.yaml", content)
    dataset = yaml.safe_load((ROOT / "configs/datasets/phantom.yaml").read_text())
    dataset["arguments"] |= {"num_patients": 250, "law": LAW}
    write_yaml(root / "configs/datasets/phantom.yaml", dataset)
    write_plan(expand_plan([STUDY], root / "configs"), root / "configs/plan.yaml")
    key = f"{STUDY}-{EXPERIMENT}"
    stages = {"acquire": "phantom", "prepare": "phantom"}
    for stage, of in (stages | dict.fromkeys(("train", "calibrate", "evaluate"), key)).items():
        import_module(f"pipeline.stages.{stage}").run(of, root=root)


def write_yaml(path, content):
    """Write a YAML file, and its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False))
