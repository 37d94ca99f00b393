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


def verdicts_on(page):
    rows = re.findall(r"^\| \[(.+?)\]\(#(.+?)\) \| \*\*(.+?)\*\* \|", page, flags=re.MULTILINE)
    return {key.replace("-", "_"): verdict for _, key, verdict in rows}


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
    for study in ("longtail", "shift", "ablation", "benchmark"):
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
    assert set(verdicts_on(page).values()) == {"not tested"}
    assert "None of the planned studies." in page
    assert "Published, but not planned to answer the claims: quick." in page
    assert "No loss is recommended" in page


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
