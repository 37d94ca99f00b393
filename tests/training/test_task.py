import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from pipeline.artifacts import read_prepared
from pipeline.config import LossConfig, NetworkConfig, Recipe, read_config
from pipeline.config.plan import RunRow
from pipeline.provenance import fingerprint
from pipeline.training import Task, task
from tests.training.examples import cpu_fabric, write_project

ROW = {
    "study": "study",
    "experiment": "experiment",
    "dataset": "squares",
    "network": "thin",
    "recipe": "short",
    "loss": "gce",
    "seeds": [0],
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    write_project(root, losses=["gce"])
    return root


def make_task(root):
    configs = root / "configs"
    return Task(
        row=RunRow.model_validate(ROW),
        network=read_config(configs / "networks/thin.yaml", NetworkConfig),
        loss=read_config(configs / "losses/gce.yaml", LossConfig),
        recipe=read_config(configs / "recipes/short.yaml", Recipe),
        prepared=read_prepared(root / "data/prepared/squares"),
        fabric=cpu_fabric(),
    )


def key_of(root, seed=0):
    """Return the name of a seed's checkpoint."""
    return fingerprint(make_task(root).inputs(seed))


def test_equal_inputs_have_one_key_and_another_seed_another(project):
    assert key_of(project) == key_of(project)
    assert key_of(project) != key_of(project, seed=1)


PROCESSOR = {
    "architecture": "x86_64",
    "kernels": "AVX512",
    "onednn": "AVX2",
    "mkl": "AMD",
    "threads": 1,
}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("architecture", "aarch64"),
        ("kernels", "AVX2"),
        ("onednn", "AVX512_CORE"),
        ("mkl", "Intel AVX2"),
        ("threads", 2),
    ],
)
def test_whatever_of_the_processor_changes_the_bits_changes_the_key(
    project, monkeypatch, name, other
):
    monkeypatch.setattr(task, "processor", lambda device: PROCESSOR)
    before = key_of(project)
    monkeypatch.setattr(task, "processor", lambda device: PROCESSOR | {name: other})
    assert key_of(project) != before
    monkeypatch.setattr(task, "processor", lambda device: dict(reversed(PROCESSOR.items())))
    assert key_of(project) == before


def test_the_key_follows_torchs_threads_and_kernels(project, monkeypatch):
    keys = {key_of(project)}
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    keys.add(key_of(project))
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "Z VECTOR")
    keys.add(key_of(project))
    assert len(keys) == 3


def test_the_key_follows_a_changed_number_in_the_code_and_no_changed_comment(project, monkeypatch):
    from pipeline import provenance

    read = provenance._source_path

    class Edited:
        def __init__(self, path, text):
            self.path, self.text, self.name, self.parent = path, text, path.name, path.parent

        def read_bytes(self):
            return self.path.read_bytes() + self.text

    def key_with(text):
        monkeypatch.setattr(
            provenance,
            "_source_path",
            lambda name: Edited(read(name), text) if name == "pipeline.losses.gce" else read(name),
        )
        return key_of(project)

    assert key_with(b"") == key_with(b"\n\n# A comment.\n") == key_of(project)
    assert key_with(b"\nSCALE = 1\n") != key_with(b"\nSCALE = 2\n")


SCRIPT = """
import sys
from pathlib import Path

from tests.training.test_task import key_of

print(key_of(Path(sys.argv[1])))
"""


@pytest.mark.slow
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has one thread")
def test_processes_with_other_numbers_of_threads_have_other_keys(project):
    def key_with(threads):
        environment = {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(project)],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    assert key_with(1) != key_with(2)
