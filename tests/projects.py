"""Copies of this project that a test may run and change."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PARTS = ("pipeline", "configs", "dvc.yaml", ".dvcignore", ".dvc/config", ".gitignore")

RECIPE = {
    "epochs": 2,
    "batch_size": 64,
    "optimiser": {"kind": "adam", "learning_rate": 0.01},
}
STUDY = {
    "title": "A study small enough for a test",
    "experiments": [
        {
            "dataset": "digits",
            "network": "tiny",
            "recipe": "tiny",
            "partners": [
                {"dataset": "digits_corrupted", "kind": "corruption"},
                {"dataset": "phantom", "kind": "far_ood"},
            ],
        },
        {
            "dataset": "phantom",
            "network": "tiny",
            "recipe": "tiny",
            "partners": [{"dataset": "phantom_second_site", "kind": "site"}],
        },
    ],
    "losses": ["cross_entropy", "gce"],
    "seeds": [0],
    "calibrators": ["identity", "temperature", "ats"],
    "baseline": "cross_entropy",
    "headline_loss": "gce",
    "headline_calibrator": "ats",
}
SMALLER = {
    "phantom": {"num_patients": 150},
    "phantom_second_site": {"num_patients": 60},
    "digits_corrupted": {"cases": 50, "corruptions": ["contrast", "jpeg"], "severities": [1, 5]},
}
"""Arguments of data sets that make them small enough."""


@dataclass(frozen=True)
class Project:
    """A working copy with its own git and DVC, and a study called tiny."""

    root: Path

    def run(self, *command, check=True):
        """Run a command in the copy; return what it did, its output as text."""
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root),
            "DVC_NO_ANALYTICS": "1",
            "DVC_GLOBAL_CONFIG_DIR": str(self.root / ".dvc/global"),
            "DVC_SITE_CACHE_DIR": str(self.root / ".dvc/site"),
        }
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, check=False
        )
        if check and done.returncode:
            raise AssertionError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
        return done

    def pipeline(self, *arguments, check=True):
        """Run one command of the pipeline."""
        return self.run(sys.executable, "-m", "pipeline", *arguments, check=check)

    def read_yaml(self, path):
        """Return a YAML file's content."""
        return yaml.safe_load((self.root / path).read_text())

    def write_yaml(self, path, content):
        """Write a YAML file."""
        (self.root / path).write_text(yaml.safe_dump(content, sort_keys=False))

    def changed_stages(self):
        """Return the names of the stages that `dvc repro` would look at again for themselves.

        A stage that only waits for another one's new output counts as well: DVC cannot know.
        """
        status = self.run("dvc", "status", "--json").stdout
        return set(yaml.safe_load(status))


def make_project(root):
    """Copy the project to ``root`` and give it the study tiny, planned and ready to run."""
    for part in PARTS:
        source, target = ROOT / part, root / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    project = Project(root)
    project.write_yaml("configs/studies/tiny.yaml", STUDY)
    project.write_yaml("configs/recipes/tiny.yaml", RECIPE)
    network = project.read_yaml("configs/networks/thin_densenet.yaml")
    project.write_yaml("configs/networks/tiny.yaml", network)
    for name, arguments in SMALLER.items():
        dataset = project.read_yaml(f"configs/datasets/{name}.yaml")
        dataset["arguments"] = dataset.get("arguments", {}) | arguments
        project.write_yaml(f"configs/datasets/{name}.yaml", dataset)
    project.run("git", "init", "--quiet")
    project.run("git", "-c", "user.name=t", "-c", "user.email=t@t", "add", "--all")
    project.run(
        "git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "--quiet", "-m", "Start"
    )
    project.pipeline("plan", "tiny")
    return project
