import re
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.claims import Claims
from pipeline.config.reading import read_config
from pipeline.findings import Evidence, findings_page
from pipeline.findings.verdicts import answer
from tests.findings.simulated_evidence import evidence, experiment_row, table

CLAIMS = read_config(Path(__file__).parents[2] / "configs/claims.yaml", Claims)
FOCAL = ["focal", "flsd53", "dual_focal", "adafocal"]
MEDICAL = ("breastmnist", "pneumoniamnist", "ham10000", "bccd", "busi", "adrenal3d")


def medical(effects):
    losses = ["cross_entropy", "gce", "gce_flsd53", *FOCAL]
    return [evidence(name, effects, seed=i, losses=losses) for i, name in enumerate(MEDICAL)]


def verdicts_on(page, size="thin"):
    """Verdicts of one size, by claim, from the table of verdicts."""
    cells = ("thin", "middle", "real").index(size)
    table = page.split("## Verdicts")[1]
    rows = re.findall(r"^\| \[.+?\]\(#(.+?)\) \| (.+) \|$", table, flags=re.MULTILINE)
    found = {key.replace("-", "_"): row.split(" | ")[cells] for key, row in rows}
    return {key: cell.split("**")[1] if "**" in cell else cell for key, cell in found.items()}


@pytest.fixture(scope="module")
def every():
    return medical({("gce", "*"): {"ece": -0.05}, ("*", "ats"): {"nll": -0.03}})


@pytest.fixture(scope="module")
def page(every):
    return findings_page(CLAIMS, ["medical"], every)


def test_every_claim_stands_in_the_table_and_has_a_section_of_its_own(page):
    assert list(verdicts_on(page)) == [claim.key for claim in CLAIMS.claims]
    for claim in CLAIMS.claims:
        assert f"## {claim.statement}\n" in page


def test_the_verdicts_are_those_that_were_planted(page):
    found = verdicts_on(page)
    assert found["accuracy"] == "supported"  # No effect, and the shared luck cancels.
    assert found["calibration"] == "supported"
    assert found["gce_flsd53"] == "contradicted"  # GCE is better by far, its hybrid is not.
    assert found["long_tail"] == "not tested"
    assert found["out_of_distribution"] == "not tested"


def test_every_comparison_is_a_row(page, every):
    num_rows = len(re.findall(r"^\| medical/", page, flags=re.MULTILINE))
    answers = [answer(claim, every, CLAIMS.level) for claim in CLAIMS.claims]
    assert num_rows == sum(len(each.tested) for found in answers for each in found.parts)


def test_what_was_not_run_is_listed_and_so_is_what_was(page):
    for study in ("longtail", "shift", "ablation", "benchmark", "middle", "gpu"):
        assert f"- {study}: not run. It was to hold " in page
    assert "- medical, busi-thin: label_smoothing, brier not run." in page
    assert "| medical | busi-thin | Simulated | 1,000 | 200 (150) | thin | 7 | 5 |" in page


def test_the_page_says_that_seeds_share_the_test_cases(page):
    assert "All seeds of an experiment are tested on the same test cases." in page


def test_what_the_claims_state_of_limits_and_cuts_is_on_the_page(every):
    stated = CLAIMS.model_copy(update={"cuts": ["Less of it."], "limits": ["Only one site."]})
    page = findings_page(stated, ["medical"], every)
    assert "### Cut\n\n- Less of it.\n" in page
    assert "- Only one site.\n" in page


def test_equal_scores_give_an_equal_page(page, every):
    assert findings_page(CLAIMS, ["medical"], every) == page


def test_a_page_without_any_study_says_that_nothing_was_tested():
    page = findings_page(CLAIMS, ["quick"], [])
    assert set(verdicts_on(page).values()) == {"not run"}
    assert "None of the planned studies." in page
    assert "Published, but not planned to answer the claims: quick." in page
    assert page.count("| not run | – | – |") == len(CLAIMS.recommendation.situations)


def test_the_first_screen_is_one_and_says_sizes_claims_and_what_to_use(page):
    first = page.split("## Verdicts")[0]
    # Three tables and what is said between them.
    assert len(first.splitlines()) <= 44
    cells = re.findall(r"(?<=\| )\*\*[^|]+(?= \|)", first)
    assert max(map(len, cells)) <= 250
    assert "- **thin**, about 20,000 to 140,000 parameters: 6 experiments on 6 data sets, " in first
    assert "- **real**, ResNet-18 and larger: not run." in first
    for claim in CLAIMS.claims:
        assert (f"[{claim.statement}]" in first) == claim.first
    for situation in CLAIMS.recommendation.situations:
        assert f"| {situation.says} | " in first


def test_sizes_are_never_averaged_and_the_larger_one_recommends(page, every):
    """On middle networks GCE loses what it gains on thin ones, on one of the same data sets."""
    losses = ["cross_entropy", "gce"]
    other = evidence("breastmnist", {("gce", "*"): {"ece": 0.05}, ("*", "ats"): {"nll": 0.05}},
                     study="middle", network="middle", losses=losses)  # fmt: skip
    both = findings_page(CLAIMS, ["medical", "middle"], [*every, other])
    assert verdicts_on(both) == verdicts_on(page)
    assert verdicts_on(both, "middle")["calibration"] == "contradicted"
    assert verdicts_on(both, "middle")["long_tail"] == "not tested"
    assert set(verdicts_on(both, "real").values()) == {"not run"}
    small = CLAIMS.recommendation.situations[0].says
    assert re.search(rf"\| {small} \| thin, 3 data sets \| .* \| \*\*adaptive temp", page)
    assert re.search(rf"\| {small} \| middle, 1 data set \| .* \| \*\*temperature scaling", both)


def test_hybrids_on_a_middle_tail_are_answered_part_by_part():
    losses = ["cross_entropy", "flsd53", "gce", "generative_focal", "generative_focal_3"]
    better = {"accuracy": 0.05, "ece": -0.05}
    effects = {("generative_focal", "*"): better, ("generative_focal_3", "*"): {"ece": -0.05}}
    tail = evidence("cifar10_tail", effects, study="middle", losses=losses)
    page = findings_page(CLAIMS, ["middle"], [tail])
    found = verdicts_on(page, "middle")
    assert (found["generative_focal"], found["generative_focal_3"]) == ("supported", "undecided")
    assert "| **supported**<br>6 of 6 parts supported |" in page.split("## Verdicts")[0]


def test_long_tables_are_folded(page):
    folded = re.findall(r"<details><summary>.*?</details>", page, flags=re.DOTALL)
    assert sum(text.count("\n| medical/") for text in folded) == page.count("\n| medical/")
    assert all("</summary>\n\n|" in text for text in folded)


def test_published_figures_stand_on_the_page(page):
    assert re.search(r"\| thin \| medical/breastmnist-thin \| cross_entropy .* \| 86.3 \| ", page)
    assert CLAIMS.published[3].differs in page


def test_only_studies_that_were_not_planned_are_named_apart(page):
    assert "not planned to answer" not in page


def test_partners_and_severities_answer_the_claims_about_shift():
    row = experiment_row("ham10000", study="shift")
    clean = table(row, {("*", "ats"): {"ece": -0.06}}, noise=0.002, seed=1)
    same = {"kind": "corruption", "partner": "ham10000_corrupted"}
    shifted = pd.concat(
        [clean.assign(view="clean", severity=0, **same)]
        + [
            table(row, {}, noise=0.002, seed=2, view=f"blur {severity}", severity=severity, **same)
            for severity in (1, 2)
        ]
    )
    foreign = table(row, {}, noise=0.002, seed=3, kind="far_ood", partner="dtd10",
                    score="max_softmax").rename(columns={"accuracy": "auroc"})  # fmt: skip
    tables = {"runs": clean, "shift": shifted, "ood": foreign}
    held = Evidence(row=row, card=medical({})[0].card, epochs=1, tables=tables)
    page = findings_page(CLAIMS, ["medical"], [held])
    assert "ats − identity (gce); ham10000_corrupted" in page
    assert "gce − cross_entropy (identity); dtd10" in page
    damage = next(claim for claim in CLAIMS.claims if claim.key == "shifted_data")
    assert answer(damage, [held], CLAIMS.level).parts[0].verdict == "supported"
