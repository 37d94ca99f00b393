import shutil
from pathlib import Path

import pytest

from pipeline.config.plan import Plan, read_plan
from pipeline.errors import InputError
from pipeline.findings.results import BEGIN, END, replace_section, results_section
from tests.findings.simulated_evidence import experiment_row

ROOT = Path(__file__).parents[2]
COMPARISON = (
    "loss,calibrator,metric,mean,sd\n"
    "cross_entropy,identity,accuracy,0.8,0.01\ncross_entropy,ats,accuracy,0.8,0.01\n"
    "gce,identity,accuracy,0.81,\ngce,ats,accuracy,0.81,\n"
) + "".join(
    f"{loss},{calibrator},{metric},{value},0.001\n"
    for loss in ("cross_entropy", "gce")
    for metric in ("ece", "nll", "aurc")
    for calibrator, value in (("identity", 0.1), ("ats", 0.05))
)
POINTS = (
    "loss,seed,calibrator,target,delta,status,threshold,num_threshold_patients,minimum_answered,"
    "lowest_upper_limit,lowest_limit_wrong,lowest_limit_answered,num_candidates,num_test,answered,"
    "referred,wrong,risk,risk_lower,risk_upper,one_sided_upper\n"
    "gce,0,ats,0.05,0.05,found,0.9,300,59,,,,10,200,100,100,2,0.02,0.0,0.07,0.062\n"
)


@pytest.fixture
def reports(tmp_path):
    folder = tmp_path / "medical/tables/busi-thin"
    folder.mkdir(parents=True)
    rows = COMPARISON.splitlines()
    seeds = [f"{rows[0]},num_seeds", *(f"{row},5" for row in rows[1:])]
    (folder / "comparison.csv").write_text("\n".join(seeds) + "\n")
    (folder / "headline_points.csv").write_text(POINTS)
    (folder / "reliability_gce.csv").write_text("calibrator,count\nats,150\nats,50\nidentity,9\n")
    return tmp_path


def plan_of(*rows):
    keyed = {row.experiment: row for row in rows}
    return Plan(datasets={}, runs={}, shifts={}, experiments=keyed, studies={})


def test_the_readme_s_table_is_what_the_committed_reports_give():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = results_section(read_plan(ROOT / "configs/plan.yaml"), ROOT / "reports")
    stale = "stale: run `python -m pipeline results`"
    assert replace_section(readme, section) == readme, stale


def test_an_experiment_is_one_row_with_both_losses_before_and_after(reports):
    section = results_section(plan_of(experiment_row("busi")), reports)
    (row,) = [line for line in section.splitlines() if line.startswith("| medical: [")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:4] == [
        "medical: [busi-thin](reports/medical/experiments/busi-thin.html)",
        "5",
        "cross_entropy, ats<br>gce, ats",
        "80.0 ± 1.0<br>81.0",
    ]
    assert cells[4] == "10.00 ± 0.10 → 5.00 ± 0.10<br>10.00 ± 0.10 → 5.00 ± 0.10"
    assert cells[-1] == (
        "Threshold found; the test set alone does not confirm 5%. "
        "Reads 50 of 100 cases alone, 1 of them wrong; refers 50."
    )


def test_patients_with_several_test_cases_are_counted_as_patients(reports):
    bins = reports / "medical/tables/busi-thin/reliability_gce.csv"
    bins.write_text("calibrator,count\nats,201\n")
    section = results_section(plan_of(experiment_row("busi")), reports)
    assert "Reads 50 of 100 patients alone" in section


def test_an_experiment_without_a_report_is_named(reports):
    section = results_section(plan_of(experiment_row("busi"), experiment_row("bccd")), reports)
    assert "Tracked and not reported yet: medical/bccd-thin." in section
    shutil.rmtree(reports / "medical")
    assert "| medical: [" not in results_section(plan_of(experiment_row("busi")), reports)


def test_a_report_that_lacks_what_the_plan_shows_is_refused(reports):
    plan = plan_of(experiment_row("busi", headline_calibrator="temperature"))
    with pytest.raises(InputError, match="one row of cross_entropy, temperature, accuracy"):
        results_section(plan, reports)
    plan = plan_of(experiment_row("busi", seeds=[7]))
    with pytest.raises(InputError, match="the shown model once expected, not found"):
        results_section(plan, reports)


@pytest.mark.parametrize("text", ["", f"{BEGIN}", f"{END} {BEGIN}", f"{BEGIN} {END} {BEGIN} {END}"])
def test_a_text_without_the_two_marks_in_order_is_refused(text):
    with pytest.raises(InputError, match="one '<!-- results: begin -->' and after it one"):
        replace_section(text, f"{BEGIN}{END}")


def test_writing_the_section_twice_changes_nothing():
    once = replace_section(f"a\n{BEGIN}\n{END}\nz\n", f"{BEGIN}\nnew\n{END}")
    assert replace_section(once, f"{BEGIN}\nnew\n{END}") == once == f"a\n{BEGIN}\nnew\n{END}\nz\n"
