import json

import pytest

from pipeline.errors import InputError
from pipeline.stages.report import run
from tests.report.simulated_outcomes import Scenario
from tests.report.simulated_scores import write_study

SMALL = Scenario(
    name="phantom",
    title="Phantom",
    classes=("normal", "malignant"),
    prevalence=(0.8, 0.2),
    num_test=120,
    seeds=(0, 1),
    losses=("cross_entropy", "gce"),
    extras=False,
)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    write_study(root, SMALL)
    run("quick", root=root)
    return root


def test_a_study_becomes_a_folder_of_pages_tables_figures_and_metrics(root):
    folder = root / "reports" / "quick"
    assert (folder / "index.html").is_file()
    assert (folder / "experiments" / f"{SMALL.name}.html").is_file()
    assert (folder / "tables" / SMALL.name / "comparison.csv").is_file()
    assert (folder / "figures" / SMALL.name / "risk_coverage.svg").is_file()


def test_the_metrics_file_is_flat_and_short(root):
    metrics = json.loads((root / "reports/quick/metrics" / f"{SMALL.name}.json").read_text())
    assert 10 <= len(metrics) <= 15
    assert all(isinstance(value, float | None) for value in metrics.values())


def test_an_experiment_outside_the_plan_is_not_reported(root):
    stray = root / "data" / "scores" / "quick" / "stray"
    stray.mkdir()
    run("quick", root=root)
    assert not (root / "reports" / "quick" / "experiments" / "stray.html").exists()


def test_a_study_outside_the_plan_is_refused(root):
    with pytest.raises(InputError, match="no row 'absent'"):
        run("absent", root=root)


def test_missing_scores_leave_no_report_behind(tmp_path):
    write_study(tmp_path, SMALL)
    (tmp_path / "data/scores/quick" / SMALL.name / "summary.csv").unlink()
    with pytest.raises(InputError, match=r"summary\.csv is missing, .*repro .* evaluate@quick-"):
        run("quick", root=tmp_path)
    assert not (tmp_path / "reports").exists()
