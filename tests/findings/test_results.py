from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.artifacts import read_json, write_json
from pipeline.config.claims import Claims
from pipeline.config.reading import read_config
from pipeline.errors import InputError
from pipeline.findings import publish, read_studies, write_results
from pipeline.findings.evidence import CLAIMS, FOLDER, published_names
from pipeline.findings.results import (
    BEGIN,
    END,
    replace_section,
    results_section,
    results_texts,
    short_section,
)
from pipeline.metrics import METRICS
from tests.findings.simulated_evidence import experiment_row
from tests.findings.simulated_study import CARD, plan_of, scores_folder, write_project

ROOT = Path(__file__).parents[2]
HAND = (
    "loss,calibrator,seed,accuracy,ece,nll,aurc,balanced_accuracy\n"
    "cross_entropy,identity,0,0.79,0.1,0.5,0.1,0.7\ncross_entropy,identity,1,0.81,0.1,0.5,0.1,0.7\n"
    "cross_entropy,ats,0,0.79,0.04,0.4,0.1,0.7\ncross_entropy,ats,1,0.81,0.06,0.4,0.1,0.7\n"
    "gce,identity,0,0.8,0.1,0.5,0.1,0.7\ngce,identity,1,0.8,0.1,0.5,0.1,0.7\n"
    "gce,ats,0,0.8,0.05,0.4,0.08,0.7\ngce,ats,1,0.8,0.05,0.4,0.08,0.7\n"
)  # fmt: skip
BUSI = experiment_row("busi", seeds=[0, 1], calibrators=["identity", "ats"])


@pytest.fixture
def project(tmp_path):
    write_project(tmp_path, BUSI, experiment_row("digits", study="quick", seeds=[0]))
    (scores_folder(tmp_path, BUSI) / "runs.csv").write_text(HAND)
    publish(["medical", "quick"], root=tmp_path)
    (tmp_path / "README.md").write_text(f"# Name\n\n{BEGIN}\nold\n{END}\n\nRest\n")
    return tmp_path


def studies(project):
    return read_studies(project / FOLDER)


def rows(section, start):
    lines = [line for line in section.splitlines() if line.startswith(f"| {start}")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("name", ["README.md", "docs/results.md"])
def test_the_tables_of_results_are_what_the_published_evidence_gives(name):
    assert published_names(ROOT / FOLDER), (
        "reports/evidence: nothing published: run `python -m pipeline publish STUDY...`"
    )
    assert (ROOT / name).is_file(), f"{name}: missing: run `python -m pipeline results`"
    text = (ROOT / name).read_text(encoding="utf-8")
    assert results_texts(ROOT)[name] == text, f"{name}: stale: run `python -m pipeline results`"


def test_an_experiment_is_one_row_with_both_losses_before_and_after(project):
    (cells,) = rows(results_section(studies(project)), "medical:")
    assert cells[:4] == [
        "medical: busi-thin",
        "2",
        "cross_entropy, ats<br>gce, ats",
        # Deviations of 0.01 to either side of the mean: sqrt(2) times 0.01.
        "80.0 ± 1.4<br>80.0 ± 0.0",
    ]
    assert cells[5] == "10.00 ± 0.00 → 5.00 ± 1.41<br>10.00 ± 0.00 → 5.00 ± 0.00"
    assert cells[-1] == (
        "Threshold found; the test set alone does not confirm 5%. "
        "Reads 50 of 100 patients alone, 2 of them wrong; refers 50."
    )


def test_every_published_study_is_in_the_long_table_and_one_in_the_short(project):
    long, short = results_section(studies(project)), short_section(studies(project))
    assert len(rows(long, "medical:")) == len(rows(long, "quick:")) == 1
    assert "quick" not in short
    assert "reports/medical" not in long + short


def test_the_short_table_has_seven_columns(project):
    section = short_section(studies(project))
    (cells,) = rows(section, "Simulated")
    assert cells[:6] == [
        "Simulated", "2", "Cross-entropy<br>Generative cross-entropy (gce)",
        "80.0 ± 1.4<br>80.0 ± 0.0",
        "10.00 ± 0.00 → 5.00 ± 1.41<br>10.00 ± 0.00 → 5.00 ± 0.00",
        "10.00 ± 0.00<br>8.00 ± 0.00",
    ]  # fmt: skip
    assert len(cells) == 7
    assert "after adaptive temperature scaling (ats), ECE" in section


def test_one_seed_has_no_deviation(project):
    (cells,) = rows(results_section(studies(project)), "quick:")
    assert cells[1] == "1"
    assert "±" not in "".join(cells)


def test_cases_are_called_cases_where_nobody_has_two(project):
    path = scores_folder(project, BUSI) / "experiment.json"
    card = CARD | {"images": {"train": 500, "test": 150}}
    write_json(read_json(path) | {"dataset": card}, path)
    publish(["medical"], root=project)
    assert "Reads 50 of 100 cases alone" in results_section(studies(project))


def test_without_the_study_the_short_table_says_so(project):
    others = [each for each in studies(project) if each.name != "medical"]
    assert "The study `medical` is not published." in short_section(others)


def test_both_files_are_written_and_a_document_that_is_missing_is_begun(project):
    assert write_results(project) == ["README.md", "docs/results.md"]
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# Name\n\n{BEGIN}\nThe study `medical`: mean")
    assert readme.endswith(f"{END}\n\nRest\n")
    document = project / "docs/results.md"
    text = document.read_text(encoding="utf-8")
    assert text.startswith(f"# Results\n\n{BEGIN}\nEvery published experiment")
    document.write_text(text.replace("# Results\n", "# Results\n\nBy hand.\n"), encoding="utf-8")
    write_results(project)
    assert "\nBy hand.\n" in document.read_text(encoding="utf-8")
    assert write_results(project)
    assert (project / "README.md").read_text(encoding="utf-8") == readme


def test_links_lead_from_each_file_to_the_findings(project):
    write_results(project)
    for name in ("README.md", "docs/results.md"):
        text = (project / name).read_text(encoding="utf-8")
        (target,) = [part.split(")")[0] for part in text.split("](") if "findings.md" in part[:50]]
        assert (project / name).parent.joinpath(target).resolve() == (
            project / FOLDER / "findings.md"
        )


def test_the_studies_planned_for_the_claims_come_first(project):
    claims = read_config(project / CLAIMS, Claims)
    assert "quick" not in claims.planned
    text = results_texts(project)["docs/results.md"]
    assert text.index("| medical:") < text.index("| quick:")


def test_nothing_is_written_where_the_marks_are_missing(project):
    (project / "README.md").write_text("# Name\n")
    with pytest.raises(InputError, match=r"README.md: one '<!-- results: begin -->' and after it"):
        write_results(project)
    assert not (project / "docs").exists()
    (project / "README.md").unlink()
    with pytest.raises(InputError, match=r"README.md: no such file"):
        write_results(project)


def test_evidence_that_lacks_what_its_plan_shows_is_refused(project):
    path = project / FOLDER / "medical/provenance.json"
    content = read_json(path)
    row = content["experiments"][0]["row"]
    row["headline_calibrator"] = "temperature"
    write_json(content, path)
    with pytest.raises(InputError, match="medical/busi-thin: rows of cross_entropy, temperature"):
        results_section(studies(project))
    row |= {"headline_calibrator": "ats", "headline_target": 0.07}
    write_json(content, path)
    with pytest.raises(InputError, match="the shown model's operating point expected, not found"):
        results_section(studies(project))


@pytest.mark.parametrize("text", ["", f"{BEGIN}", f"{END} {BEGIN}", f"{BEGIN} {END} {BEGIN} {END}"])
def test_a_text_without_the_two_marks_in_order_is_refused(text):
    with pytest.raises(InputError, match="one '<!-- results: begin -->' and after it one"):
        replace_section(text, f"{BEGIN}{END}")


def test_writing_the_section_twice_changes_nothing():
    once = replace_section(f"a\n{BEGIN}\n{END}\nz\n", f"{BEGIN}\nnew\n{END}")
    assert replace_section(once, f"{BEGIN}\nnew\n{END}") == once == f"a\n{BEGIN}\nnew\n{END}\nz\n"


def test_the_simulated_plan_names_both_studies():
    assert list(plan_of(BUSI, experiment_row("digits", study="quick")).studies) == [
        "medical", "quick"
    ]  # fmt: skip


def test_a_metric_added_after_publication_is_left_open(project, monkeypatch):
    added = replace(METRICS["macro_f1"], shown=("results",))
    monkeypatch.setitem(METRICS, "macro_f1", added)
    section = results_section(studies(project))
    head, _, *lines = [line for line in section.splitlines() if line.startswith("|")]
    place = head.split(" | ").index("Macro F1, %")
    assert {line.split(" | ")[place] for line in lines} == {"–<br>–"}
