"""One name everywhere: registry key = module = test file = word in a configuration."""

from pathlib import Path

import pytest
import yaml

from pipeline.adapters import ADAPTERS
from pipeline.calibrators import CALIBRATORS
from pipeline.config import Recipe, Study, expand_plan, read_config, read_dataset, read_plan
from pipeline.losses import LOSSES
from pipeline.networks import NETWORKS

ROOT = Path(__file__).parents[1]
REGISTRIES = {"losses": LOSSES, "networks": NETWORKS, "calibrators": CALIBRATORS}
MEMBERS = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]


def configs(kind):
    return sorted((ROOT / "configs" / kind).glob("*.yaml"))


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_a_member_has_a_module_and_a_test_of_its_name(kind, name):
    # Networks of one family share a module.
    module = NETWORKS[name].__module__.split(".")[-1] if kind == "networks" else name
    assert (ROOT / "pipeline" / kind / f"{module}.py").is_file()
    assert (ROOT / "tests" / kind / f"test_{module}.py").is_file()


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_a_member_can_be_named_in_a_study(kind, name):
    kinds = {yaml.safe_load(path.read_text())["kind"] for path in configs(kind)}
    assert name in kinds


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_module_is_registered(kind):
    modules = {path.stem for path in (ROOT / "pipeline" / kind).glob("*.py")} - {"__init__"}
    registered = {member.__module__.split(".")[-1] for member in REGISTRIES[kind].values()}
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / kind).glob("test_*.py")}
    assert registered <= modules
    assert registered <= tested


@pytest.mark.parametrize("kind", REGISTRIES)
def test_every_config_names_a_member(kind):
    for path in configs(kind):
        assert yaml.safe_load(path.read_text())["kind"] in REGISTRIES[kind], path.name


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_adapter_has_a_module_of_its_name(name):
    module = ROOT / "pipeline" / "adapters" / name
    assert module.with_suffix(".py").is_file() or (module / "__init__.py").is_file()


@pytest.mark.parametrize("path", configs("datasets"), ids=lambda path: path.stem)
def test_a_data_set_config_is_valid_and_its_adapter_exists(path):
    assert read_dataset(ROOT / "configs", path.stem).adapter in ADAPTERS


@pytest.mark.parametrize("path", configs("recipes"), ids=lambda path: path.stem)
def test_a_recipe_is_valid(path):
    assert read_config(path, Recipe).epochs > 0


@pytest.mark.parametrize("path", configs("studies"), ids=lambda path: path.stem)
def test_a_study_expands(path):
    plan = expand_plan([path.stem], ROOT / "configs")
    assert plan.num_stages < 200
    assert read_config(path, Study).title == plan.studies[path.stem].title


def test_the_committed_plan_is_what_its_studies_expand_to():
    plan = read_plan(ROOT / "configs/plan.yaml")
    assert plan == expand_plan(plan.studies, ROOT / "configs")
    assert plan.num_stages < 200
