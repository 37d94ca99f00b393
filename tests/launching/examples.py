"""A project whose study can be launched, and a cluster of two machines on this one."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import yaml

from tests.training.examples import CPU, make_recipe, write_project

LAUNCH = """
import signal
import sys
from pathlib import Path

from pipeline.errors import InputError
from pipeline.launching import launch

if __name__ == "__main__":
    # A shell that runs the tests in the background has told its children to ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        launch([], root=Path.cwd(), address=sys.argv[1] or None, seconds_between_saves=0)
    except InputError as error:
        sys.exit(str(error))
"""
PATIENCE_SECONDS = 300
"""A busy machine may take minutes to start a cluster and its workers."""


def write_study(root, *, epochs=2, losses=("cross_entropy",), seeds=(0, 1), rate=0.01):
    """Write a project whose plan has one study, ready to train."""
    recipe = make_recipe(epochs=epochs, optimiser={"kind": "adam", "learning_rate": rate})
    write_project(root, recipe=recipe, losses=losses, seeds=seeds)
    path = root / "configs/plan.yaml"
    plan = yaml.safe_load(path.read_text())
    plan["studies"] = {"study": {"study": "study", "title": "A", "experiments": "experiment"}}
    path.write_text(yaml.safe_dump(plan))
    return root


def start_launch(root, address, script=LAUNCH):
    """Start launching a project on the cluster at an address, or on one of its own if none."""
    (root / "launch.py").write_text(script)
    return subprocess.Popen(
        [sys.executable, "launch.py", address or ""],
        cwd=root,
        env=os.environ | CPU | {"PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(condition, process):
    """Return what a condition found, while a process runs."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


@contextmanager
def two_machines():
    """Give the address of a cluster of two workers with a core each, and its processes."""
    from ray.cluster_utils import Cluster

    # Short: it holds sockets.
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    head = {"num_cpus": 0, "temp_dir": str(folder), "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=head | {"object_store_memory": 2**28})
    try:
        nodes = [cluster.add_node(num_cpus=1, object_store_memory=2**28) for _ in range(2)]
        yield cluster.address, [psutil.Process(_raylet(node).pid) for node in nodes]
    finally:
        cluster.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def _raylet(node):
    (each,) = node.all_processes["raylet"]
    return each.process


def training_workers(raylets):
    """Return the processes of a cluster that train a seed."""
    children = [each for raylet in raylets for each in raylet.children(recursive=True)]
    return [each for each in children if "ray::train" in _title(each)]


def _title(process):
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""
