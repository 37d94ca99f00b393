"""One name everywhere: key, module, class, test file and config word."""

import ast
from pathlib import Path

import pytest
import torch
import yaml

from pipeline.errors import InputError
from pipeline.losses import LOSSES, make_loss

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CONFIGS = sorted((ROOT / "configs/losses").glob("*.yaml"))


def test_every_key_is_its_module_and_every_module_a_key():
    modules = {path.stem for path in (ROOT / "pipeline/losses").glob("*.py")} - {"__init__"}
    assert modules == set(LOSSES)
    for kind, loss in LOSSES.items():
        assert loss.__module__ == f"pipeline.losses.{kind}"
        assert loss.__name__.lower() == kind.replace("_", "")


@pytest.mark.parametrize("kind", LOSSES)
def test_every_key_has_its_test_file_and_its_config_with_all_defaults(kind):
    assert (HERE / f"test_{kind}.py").is_file()
    assert yaml.safe_load((ROOT / f"configs/losses/{kind}.yaml").read_text()) == {"kind": kind}


@pytest.mark.parametrize("kind", LOSSES)
def test_a_loss_file_imports_nothing_of_ours_but_shared_parts(kind):
    """What retrains when a file changes is then plain: its own runs, or with a part all runs."""
    tree = ast.parse((ROOT / f"pipeline/losses/{kind}.py").read_text())
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {
        a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names
    }
    ours = {name for name in imported if name.startswith("pipeline")}
    assert all(name.startswith(("pipeline.losses.parts.", "pipeline.arguments")) for name in ours)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_builds_a_loss(path):
    config = yaml.safe_load(path.read_text())
    assert set(config) <= {"kind", "arguments"}
    loss = make_loss(
        config["kind"], num_classes=3, class_counts=[5, 3, 1], **config.get("arguments", {})
    )
    assert loss(torch.zeros(2, 3), torch.tensor([0, 1])).isfinite()


def test_refuses_a_loss_that_does_not_exist():
    with pytest.raises(
        InputError, match="unknown loss 'hinge'; known losses: cross_entropy, label"
    ):
        make_loss("hinge", num_classes=3)


@pytest.mark.parametrize(
    ("kind", "known"), [("gce", "weight, marginal, decay"), ("cross_entropy", "none")]
)
def test_refuses_an_argument_that_does_not_exist(kind, known):
    message = f"unknown argument 'wieght' of loss '{kind}'; known arguments: {known}$"
    with pytest.raises(InputError, match=message):
        make_loss(kind, num_classes=3, wieght=1)


def test_class_counts_may_be_given_to_every_loss():
    for kind in LOSSES:
        make_loss(kind, num_classes=2, class_counts=torch.tensor([3, 4]))
