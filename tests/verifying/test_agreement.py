import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest

from pipeline import __main__ as command_line
from pipeline.config.plan import write_plan
from pipeline.errors import InputError
from pipeline.findings import publish
from pipeline.findings.evidence import FOLDER
from pipeline.metrics import metrics_shown
from pipeline.tables.parts.wording import metric_name
from pipeline.verifying.agreement import MARGINS, agree
from pipeline.verifying.agreement_lines import lines_of, summary_line
from tests.findings.simulated_evidence import CENTRES, experiment_row
from tests.findings.simulated_study import PROCESSOR, plan_of, scores_folder, write_scores
from tests.findings.simulated_study import write_project as write_simulated

LOSSES = ["cross_entropy", "gce", "flsd53"]
QUICK = {"study": "quick", "losses": LOSSES, "seeds": [0, 1, 2]}
DIGITS, PHANTOM = experiment_row("digits", **QUICK), experiment_row("phantom", **QUICK)
MANY = experiment_row("busi", **QUICK | {"seeds": [0, 1, 2, 3, 4, 5]})
ELSEWHERE = {
    "logits_sha256": "elsewhere",
    "revision": "b" * 40,
    "processor": PROCESSOR | {"kernels": "AVX512"},
}


@pytest.fixture
def project(tmp_path):
    """The study quick, published and still there as it was published."""
    write_simulated(tmp_path, DIGITS, PHANTOM)
    compute(tmp_path, DIGITS, PHANTOM)
    publish(["quick"], root=tmp_path)
    return tmp_path


def compute(project, *rows, draw=0, worse=None, **changes):
    """Scores that scatter by 0.4 points from seed to seed, another draw of them for each `draw`.

    `worse` adds to a metric of a loss; `changes` are those of `write_scores`.
    """
    for number, row in enumerate(rows):
        write_scores(project, row, **changes)
        path = scores_folder(project, row) / "runs.csv"
        table = pd.read_csv(path)
        generator = np.random.default_rng([draw, number])
        for metric in metrics_shown("results"):
            table[metric] = generator.normal(CENTRES[metric], 0.004, len(table))
            for loss, added in (worse or {}).get(metric, {}).items():
                table.loc[table["loss"] == loss, metric] += added
        table.to_csv(path, index=False)


def only(found):
    (study,) = found
    return study


def command(monkeypatch, root, *arguments):
    monkeypatch.chdir(root)
    monkeypatch.setattr(sys, "argv", ["pipeline", "agree", *arguments])
    with pytest.raises(SystemExit) as stopped:
        command_line.main()
    return stopped.value.code


def test_every_metric_of_the_results_has_a_margin():
    assert {metric_name(metric).unit for metric in metrics_shown("results")} <= set(MARGINS)


def test_figures_are_experiments_by_losses_by_metrics(project):
    found = only(agree(["quick"], root=project))
    assert found.num_published == len(found.figures) == 2 * 3 * 4
    assert {figure.calibrator for figure, _ in found.figures} == {"ats"}
    assert len({figure.name for figure, _ in found.figures}) == 24


def test_what_was_published_from_these_scores_agrees_to_the_last_digit(project):
    assert summary_line(only(agree([], root=project))) == (
        "quick agrees with the published run: 24 of 24 figures to the last digit; same bits: yes"
    )


def test_another_processor_gives_other_digits_within_seed_noise(project):
    compute(project, DIGITS, PHANTOM, draw=1, run=ELSEWHERE)
    found = only(agree(["quick"], root=project))
    assert found.count("within") == 24
    assert summary_line(found) == (
        "quick agrees with the published run: 24 of 24 figures within seed noise; "
        "same bits: no, another processor"
    )


def test_some_figures_may_agree_to_the_last_digit(project):
    compute(project, PHANTOM, draw=2, run=ELSEWHERE)
    assert summary_line(only(agree(["quick"], root=project))) == (
        "quick agrees with the published run: 24 of 24 figures within seed noise, 12 of them to "
        "the last digit; same bits: in 9 of 18 runs, in the others not: another processor"
    )


def test_a_loss_that_went_wrong_is_named_and_ends_the_command_with_one(
    project, monkeypatch, capsys
):
    compute(project, DIGITS, PHANTOM, draw=1, run=ELSEWHERE, worse={"accuracy": {"gce": -0.4}})
    assert command(monkeypatch, project, "--brief") == 1
    first, second, last = capsys.readouterr().out.splitlines()
    assert re.fullmatch(
        r"  digits-thin, gce, Accuracy, %: here .+ \(3 seeds\), published .+ \(3 seeds\): "
        r"differs \(−\d+\.\d\d to −\d+\.\d\d points\)",
        first,
    )
    assert second.startswith("  phantom-thin, gce, Accuracy, %: here ")
    assert last == (
        "quick differs from the published run: 2 figures differ, 22 of 24 agree within seed noise; "
        "same bits: no, another processor"
    )


def test_a_small_difference_that_seeds_cannot_explain_is_said_and_ends_with_zero(
    project, monkeypatch, capsys
):
    write_plan(plan_of(MANY), project / "configs/plan.yaml")
    compute(project, MANY)
    publish(["quick"], root=project)
    compute(project, MANY, draw=1, run=ELSEWHERE, worse={"aurc": {"gce": 0.03}})
    assert command(monkeypatch, project) == 0
    lines = capsys.readouterr().out.splitlines()
    (line,) = [line for line in lines if "within the margin but beyond seed noise (+" in line]
    assert line.startswith("  busi-thin, gce, AURC, %: ")
    assert lines[-1] == (
        "quick: 11 of 12 figures agree with the published run within seed noise, 1 is within the "
        "margin but beyond seed noise, none differs; same bits: no, another processor"
    )


def test_too_few_seeds_cannot_tell_and_say_so(project):
    single = DIGITS.model_copy(update={"seeds": [0]})
    write_plan(plan_of(single, PHANTOM), project / "configs/plan.yaml")
    compute(project, single, draw=1)
    found = only(agree(["quick"], root=project))
    assert found.count("open") == 12
    assert found.one_sided == ("only published: digits-thin: seed 1, 2",)
    lines = list(lines_of(found, brief=False))
    assert lines[1].endswith("cannot tell (one seed says nothing of scatter)")
    assert "  only published: digits-thin: seed 1, 2" in lines
    assert lines[-1] == (
        "quick: 12 of 24 figures agree with the published run within seed noise, 12 have too few "
        "seeds to tell, none differs; same bits: yes"
    )


def test_what_one_side_lacks_is_named_and_not_counted_as_agreeing(project):
    fewer = DIGITS.model_copy(update={"losses": ["cross_entropy", "gce", "brier"]})
    more = experiment_row("busi", **QUICK)
    write_plan(plan_of(fewer, more), project / "configs/plan.yaml")
    compute(project, fewer, more, draw=1)
    found = only(agree(["quick"], root=project))
    assert found.one_sided == (
        "only here: experiment busi-thin",
        "only published: experiment phantom-thin",
        "only here: digits-thin: loss brier",
        "only published: digits-thin: loss flsd53",
    )
    assert summary_line(found).startswith(
        "quick: 8 of 24 figures agree with the published run within seed noise, 16 are not here, "
        "none differs; "
    )


def test_a_calibrator_that_is_not_here_is_named(project):
    other = DIGITS.model_copy(
        update={"calibrators": ["identity", "temperature"], "headline_calibrator": "temperature"}
    )
    write_plan(plan_of(other, PHANTOM), project / "configs/plan.yaml")
    write_scores(project, other)
    found = only(agree(["quick"], root=project))
    assert found.one_sided == ("only published: digits-thin: calibrator ats",)
    assert len(found.figures) == 12


def test_a_value_that_is_undefined_here_alone_differs(project):
    path = scores_folder(project, DIGITS) / "runs.csv"
    table = pd.read_csv(path)
    table.loc[table["loss"] == "gce", "nll"] = None
    table.to_csv(path, index=False)
    found = only(agree(["quick"], root=project))
    ((figure, _),) = [pair for pair in found.figures if pair[1] == "differs"]
    assert (figure.loss, figure.metric) == ("gce", "nll")
    assert any("here undefined (3 seeds)" in line for line in lines_of(found, brief=True))
    assert "differs (undefined on one side alone)" in next(lines_of(found, brief=True))


def test_the_full_text_states_rule_figures_and_why_the_bits_are_others(
    project, monkeypatch, capsys
):
    compute(project, DIGITS, PHANTOM, draw=1, run=ELSEWHERE)
    assert command(monkeypatch, project, "quick") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "than ±5 points or ±0.1 nats; in brackets the 90% interval" in lines[0]
    assert len(lines) == 1 + 24 + 1 + 1
    assert lines[-2] == "  same bits: no, another processor (kernels AVX512, published AVX2)"
    assert command(monkeypatch, project, "quick", "--brief") == 0
    assert capsys.readouterr().out.splitlines() == lines[-1:]


def test_all_studies_of_the_plan_that_are_published_are_compared(project):
    medical = experiment_row("busi")
    write_plan(plan_of(DIGITS, PHANTOM, medical), project / "configs/plan.yaml")
    assert [each.study for each in agree([], root=project)] == ["quick"]
    write_scores(project, medical)
    publish(["medical"], root=project)
    assert [each.study for each in agree([], root=project)] == ["quick", "medical"]


def test_what_is_missing_is_refused_with_exit_code_two(project, monkeypatch, capsys):
    assert command(monkeypatch, project, "medical") == 2
    error = capsys.readouterr().err
    assert error == "error: reports/evidence: no study 'medical' published; it has: quick\n"
    (scores_folder(project, PHANTOM) / "runs.csv").unlink()
    assert command(monkeypatch, project) == 2
    assert "runs.csv: no such file: `dvc repro evaluate@quick-phantom-thin`" in (
        capsys.readouterr().err
    )


def test_a_study_that_was_never_planned_here_is_refused(project):
    write_plan(plan_of(experiment_row("busi")), project / "configs/plan.yaml")
    with pytest.raises(
        InputError, match=r"no study of the plan \(medical\) is published: .* quick"
    ):
        agree([], root=project)
    with pytest.raises(InputError, match="no study 'quick'; it has: medical"):
        agree(["quick"], root=project)


def test_without_evidence_or_anything_in_common_there_is_nothing_to_compare(project):
    other = experiment_row("busi", **QUICK)
    write_plan(plan_of(other), project / "configs/plan.yaml")
    write_scores(project, other)
    with pytest.raises(InputError, match="quick: no experiment and loss that is both published"):
        agree(["quick"], root=project)
    shutil.rmtree(project / FOLDER)
    with pytest.raises(InputError, match=r"no published study: `python -m pipeline publish"):
        agree([], root=project)
