"""One name everywhere: registry key = module = test file = word in a configuration.

And one place: a metric, a calibrator and a table that are added to their registries alone, below,
are computed, written, shown, verified and asked for by claims.
"""

import ast
import importlib
import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.adapters import ADAPTERS
from pipeline.calibrators import CALIBRATORS, fit_calibrator, from_json, to_json
from pipeline.calibrators.serialisation import FITTED
from pipeline.calibrators.softmax import log_softmax
from pipeline.config import Recipe, Study, expand_plan, read_config, read_dataset, read_plan
from pipeline.config.claims import Claim
from pipeline.errors import InputError
from pipeline.evaluation import BOOTSTRAP, Applied, Experiment, Run, compute_tables, write_scores
from pipeline.findings import Evidence
from pipeline.findings.verdicts import answer
from pipeline.findings.wording import part_sentence
from pipeline.losses import LOSSES
from pipeline.metrics import METRICS, Metric, every_metric
from pipeline.metrics.weighting import case_weights
from pipeline.networks import NETWORKS
from pipeline.report import headline_metrics, read_scores
from pipeline.tables import TABLES
from pipeline.tables.derived.comparison import comparison_table, metrics_table
from pipeline.tables.parts.column import LOSS, share
from pipeline.tables.parts.spec import TableSpec
from pipeline.verifying.differences import compare_files
from tests.calibrators.simulations import overconfident
from tests.findings.simulated_evidence import card, part
from tests.golden.stored import read_set

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


@pytest.mark.parametrize("name", every_metric())
def test_a_metric_is_described_in_the_module_of_its_function_which_has_a_test(name):
    metric = every_metric()[name]
    function = metric.function.func if isinstance(metric.function, partial) else metric.function
    beside = vars(importlib.import_module(function.__module__)).values()
    described = [each for value in beside for each in np.atleast_1d(np.array(value, dtype=object))]
    assert metric.name == name
    assert any(each is metric for each in described)
    assert (ROOT / f"tests/metrics/test_{function.__module__.split('.')[-1]}.py").is_file()


def test_no_list_of_metrics_is_written_elsewhere():
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "pipeline").rglob("*.py")
        if path.parent != ROOT / "pipeline/metrics"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict)
        and len(METRICS.keys() & set(_words(node))) >= 3
    }
    # Columns that every table of a shift or a site has.
    assert found == {"pipeline/tables/parts/calibration_scores.py"}


def _words(node):
    """The strings that a tuple, list, set or dict (its keys) holds."""
    parts = node.keys if isinstance(node, ast.Dict) else node.elts
    return [each.value for each in parts if isinstance(each, ast.Constant)]


@pytest.mark.parametrize("name", CALIBRATORS)
def test_what_a_calibrator_fits_can_be_stored(name):
    fitted = fit_calibrator(name, *overconfident(0, 120))
    assert FITTED[type(fitted).__name__] is type(fitted)
    assert from_json(json.loads(json.dumps(to_json(fitted)))) == fitted


def test_a_table_is_the_constant_of_its_name_in_the_module_of_its_name():
    modules = {path.stem for path in (ROOT / "pipeline/tables").glob("*.py")} - {"__init__"}
    assert set(TABLES) == modules
    for name, spec in TABLES.items():
        module = importlib.import_module(f"pipeline.tables.{name}")
        assert getattr(module, name.upper()) is spec
        assert spec.name == name


def doubt(confidence, *, weights=None):
    weights = case_weights(weights, len(confidence))
    return weights @ (1 - confidence) / weights.sum(axis=-1)


DOUBT = Metric(
    name="doubt",
    function=doubt,
    kind="calibration",
    better="lower",
    label="Doubt",
    description="Mean probability of the other classes.",
    shown=("comparison", "metrics_file"),
)


@dataclass(frozen=True)
class Halved:
    """Logits halved, whatever the cases say."""

    preserves_argmax: ClassVar[bool] = True
    factor: float
    notes: tuple[str, ...] = ()

    def __call__(self, logits):
        return log_softmax(self.factor * logits)


def fit_halved(logits, labels):
    return Halved(0.5)


def doubts_table(experiment):
    return pd.DataFrame(
        {"loss": run.loss, "doubt": float(doubt(run.test.top("halved").confidence))}
        for run in experiment.first_seeds
    )


DOUBTS = TableSpec("doubts", (LOSS, share("doubt", "Doubt")), doubts_table)


def with_calibrator(run, name):
    """The run with a calibrator fitted, stored as JSON, read again and applied."""
    home = run.threshold.predictions
    stored = json.dumps(to_json(fit_calibrator(name, home.logits, home.labels)))
    fitted = from_json(json.loads(stored))

    def applied(part):
        more = {name: fitted(part.predictions.logits)}
        return Applied(part.predictions, part.log_probabilities | more)

    calibrators = run.calibrators | {name: fitted}
    return Run(run.loss, run.seed, applied(run.test), applied(run.threshold), calibrators)


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """A folder of scores, evaluated with a new member in each of three registries."""
    golden, folder = read_set("screening"), tmp_path_factory.mktemp("extended")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METRICS, "doubt", DOUBT)
        patch.setitem(CALIBRATORS, "halved", fit_halved)
        patch.setitem(FITTED, "Halved", Halved)
        patch.setitem(TABLES, "doubts", DOUBTS)
        patch.setitem(BOOTSTRAP, "num_resamples", 5)
        for slow in ("levels", "prediction_sets"):
            patch.delitem(TABLES, slow)
        row = golden.row.model_copy(update={"calibrators": [*golden.row.calibrators, "halved"]})
        runs = [with_calibrator(run, "halved") for run in golden.runs]
        history = pd.DataFrame({"loss": ["gce"], "seed": [0], "epoch": [1]})
        tables = compute_tables(Experiment(runs, row, golden.card, history=history))
        write_scores(tables, row, card=golden.card, provenance={}, folder=folder)
        yield row, folder


@pytest.fixture
def scores(extended):
    return read_scores(extended[1])


def test_a_metric_added_is_in_runs_summary_comparisons_and_groups(scores):
    runs = scores.frame("runs")
    halved = runs[(runs["loss"] == "gce") & (runs["calibrator"] == "halved")]["doubt"]
    summary = scores.frame("summary").set_index(["metric", "loss", "calibrator"])
    row = summary.loc["doubt", "gce", "halved"]
    assert row["mean"] == pytest.approx(halved.mean(), rel=1e-12)
    assert row["lower"] < row["upper"]
    assert "doubt" in set(scores.frame("comparisons")["metric"])
    assert "doubt" in set(scores.frame("differences")["metric"])
    assert "doubt" in set(scores.frame("group_scores")["metric"])


def test_a_metric_added_is_on_the_pages_that_it_names_and_on_that_of_its_kind(scores):
    (heading,) = [each for each in comparison_table(scores).columns if each.label == "Doubt"]
    assert (heading.unit, heading.meaning) == ("↓ %", "Mean probability of the other classes.")
    labels = {
        kind: [each.label for each in metrics_table(scores, kind).columns]
        for kind in ("accuracy", "calibration", "selective")
    }
    assert [kind for kind, shown in labels.items() if "Doubt" in shown] == ["calibration"]
    means = scores.shown("summary").set_index("metric")["mean"]
    assert headline_metrics(scores)["doubt"] == means["doubt"]


def test_a_metric_added_is_verified(extended, tmp_path):
    stored, computed = tmp_path / "runs.csv", extended[1] / "runs.csv"
    runs = pd.read_csv(computed)
    runs.loc[2, "doubt"] += 0.001
    runs.to_csv(stored, index=False)
    (found,) = compare_files(stored, computed, 1e-9)
    assert "doubt" in found[0]


def test_a_claim_may_be_of_a_metric_added(extended, scores):
    runs = scores.frame("runs")
    evidence = Evidence(row=extended[0], card=card(), epochs=1, tables={"runs": runs})
    claim = Claim(
        key="doubt", statement="GCE doubts less", source="Here",
        parts=[part(says="Doubt", metric="doubt", calibrators=["halved"])],
    )  # fmt: skip
    (found,) = answer(claim, [evidence], 0.05).parts
    means = runs[runs["calibrator"] == "halved"].groupby("loss")["doubt"].mean()
    (tested,) = found.tested
    assert tested.mean == pytest.approx(means["gce"] - means["cross_entropy"], rel=1e-12)
    assert "Not tested" not in part_sentence(found)


def test_a_calibrator_added_is_a_row_of_every_comparison(scores):
    assert "halved" in set(scores.frame("calibrators")["calibrator"])
    assert ["gce", "halved"] in [
        [cell.text for cell in cells[:2]] for cells in comparison_table(scores).rows
    ]


def test_a_calibrator_that_nothing_stores_is_refused(monkeypatch):
    monkeypatch.delitem(FITTED, "Halved", raising=False)
    with pytest.raises(InputError, match="type of calibrator must be one of .*, got 'Halved'"):
        to_json(Halved(0.5))


def test_a_table_added_is_written_and_read(scores, extended):
    assert (extended[1] / "doubts.csv").read_text().startswith("loss,doubt\n")
    runs = scores.frame("runs")
    first = runs[(runs["calibrator"] == "halved") & (runs["seed"] == 0)].set_index("loss")["doubt"]
    assert scores.frame("doubts").set_index("loss")["doubt"].to_dict() == pytest.approx(
        first.to_dict(), rel=1e-12
    )
