import re

import pytest

from pipeline.errors import InputError
from pipeline.stages import overview, report
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


@pytest.fixture
def root(tmp_path):
    write_study(tmp_path, SMALL, study="quick", title="A <quick> look")
    return tmp_path


def links(page):
    return {link for link in re.findall(r"href=\"([^\"#:]+)\"", page.read_text()) if link != "data"}


def test_the_front_page_links_what_the_report_wrote_beside_it(root):
    report.run("quick", root=root)
    overview.run(root=root)
    page = root / "reports" / "index.html"
    assert len(links(page)) == 3
    assert all((page.parent / link).is_file() for link in links(page))
    assert "A &lt;quick&gt; look" in page.read_text()


def test_findings_are_linked_where_there_are_claims_to_answer(root):
    overview.run(root=root)
    assert "evidence/findings.md" not in links(root / "reports/index.html")
    (root / "configs/claims.yaml").touch()
    overview.run(root=root)
    assert "evidence/findings.md" in links(root / "reports/index.html")


def test_a_study_without_scores_is_refused_by_name_and_leaves_no_page(root):
    (root / "data/scores/quick/phantom/summary.csv").unlink()
    with pytest.raises(InputError, match=r"summary\.csv is missing, .*repro .* evaluate@quick-"):
        overview.run(root=root)
    assert not (root / "reports").exists()
