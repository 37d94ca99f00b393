import dataclasses
import posixpath
import re
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote

import pytest

from pipeline.report import overview_page, read_scores, study_files, study_line
from pipeline.report.overview import headings
from pipeline.tables.parts.scores import NOT_RECORDED
from tests.report.simulated_outcomes import Scenario
from tests.report.simulated_scores import enlarged, with_last_class_called, write_study

HOSTILE = "<script>alert(1)</script> & \"x\" 'y' $z$"


def decoded(contents):
    """What is text, as text."""
    return {
        name: content.decode()
        for name, content in contents.items()
        if not name.endswith(".parquet")
    }


@pytest.fixture(scope="module")
def contents(digits, screening):
    return study_files("quick", "Quick study", [digits, screening])


@pytest.fixture(scope="module")
def texts(contents):
    return decoded(contents)


def test_a_study_has_a_page_and_every_experiment_another(texts):
    pages = {name for name in texts if name.endswith(".html")}
    assert pages == {
        "index.html",
        "comparison.html",
        "experiments/digits-thin_resnet.html",
        "experiments/digits-thin_resnet-comparison.html",
        "experiments/phantom-thin_resnet.html",
        "experiments/phantom-thin_resnet-comparison.html",
        "experiments/phantom-thin_resnet-gallery.html",
    }


def test_every_page_is_under_two_megabytes(texts):
    assert all(len(text.encode()) < 2_000_000 for text in texts.values())


@pytest.mark.slow
def test_pages_of_a_thousand_runs_with_many_calibrators_are_under_two_megabytes(screening):
    every = [
        enlarged(
            screening, name=f"experiment-{number}", num_losses=10, num_seeds=10, num_calibrators=21
        )
        for number in range(10)
    ]
    pages = study_files("large", "A thousand runs", every)
    sizes = {name: len(page) for name, page in pages.items() if name.endswith(".html")}
    assert len(sizes) == 1 + 1 + 10 + 10 + 10
    assert max(sizes.values()) < 2_000_000, sizes


def test_no_page_refers_to_another_host(texts):
    for name, text in texts.items():
        addresses = re.findall(r"(?:src|href|action|url)\s*[=(]\s*[\"']?(\w+:[^\"') ]*)", text)
        assert all(address.startswith("data:") for address in addresses), name


@pytest.mark.slow
def test_equal_scores_give_equal_bits(contents, digits, screening):
    again = study_files("quick", "Quick study", [digits, screening])
    assert again == contents


def test_every_linked_file_is_written(texts, contents):
    for page in (name for name in texts if name.endswith(".html")):
        for link in re.findall(r"href=\"([^\"#:]+)\"", texts[page]):
            path = posixpath.normpath(PurePosixPath(page).parent / unquote(link))
            assert path in contents, f"{page} links {link}"


def test_every_figure_names_the_files_of_its_numbers(texts):
    for name in ("index.html", "experiments/phantom-thin_resnet.html"):
        captions = re.findall(r"<figcaption>.*?figures/.*?</figcaption>", texts[name], re.DOTALL)
        assert len(captions) > 3
        for caption in captions:
            assert re.search(r"tables/[^\"]+\.csv", caption), caption


def test_the_first_screen_says_what_was_fixed_beforehand_and_what_it_came_from(texts):
    for name in ("index.html", "experiments/phantom-thin_resnet.html"):
        assert "target 5%, δ 5% · code 0d9f0d9f0d9f · data 5d1c5d1c5d1c" in texts[name]


def test_no_two_elements_of_a_page_share_an_id(texts):
    for name, text in texts.items():
        ids = re.findall(r"\sid=\"([^\"]+)\"", text)
        assert len(ids) == len(set(ids)), name


def test_names_from_outside_are_text_and_never_markup(screening):
    texts = decoded(study_files("quick", HOSTILE, [with_last_class_called(HOSTILE, screening)]))
    for name, text in texts.items():
        assert "<script>alert" not in text or name.endswith(".csv")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in texts["index.html"]


def test_an_experiment_s_page_names_the_command_that_packs_it(texts, screening):
    command = "<code>python -m pipeline release quick phantom-thin_resnet --out FOLDER</code>"
    assert command in texts["experiments/phantom-thin_resnet.html"]
    odd = study_files("<b>&", "Quick study", [screening])
    page = odd["experiments/phantom-thin_resnet.html"].decode()
    assert "release &lt;b&gt;&amp; phantom-thin_resnet --out" in page


def test_of_a_model_that_was_brought_no_page_says_how_to_pack_it(screening):
    brought = dataclasses.replace(screening, record=screening.record | {"recipe": NOT_RECORDED})
    pages = decoded(study_files("given", "Given", [brought]))
    assert not any("pipeline release" in page for page in pages.values())


def test_the_only_script_is_the_one_that_the_policy_names(texts):
    for page in (text for name, text in texts.items() if name.endswith(".html")):
        kinds = re.findall(r"<script([^>]*)>", page)
        assert [kind for kind in kinds if "application/json" not in kind] == [""]
        assert re.search(r"default-src &#39;none&#39;|default-src 'none'", page)
        assert "script-src 'sha256-" in page


def test_every_opened_element_is_closed(texts):
    for name in ("index.html", "experiments/phantom-thin_resnet.html"):
        assert unclosed(texts[name]) == []


def unclosed(page):
    void = {"meta", "link", "br", "img", "input", "hr"}
    stack = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            if tag not in void:
                stack.append(tag)

        def handle_startendtag(self, tag, attrs):
            return

        def handle_endtag(self, tag):
            assert stack.pop() == tag

    Reader().feed(page)
    return stack


def test_the_first_screen_says_the_operating_point_in_a_sentence(texts, screening):
    row = (
        screening.frame("operating_points")
        .query("loss == 'gce' and calibrator == 'ats' and seed == 0 and target == 0.05")
        .iloc[0]
    )
    answered = round(100 * row["answered"] / row["num_test"])
    assert f"Reads {answered} of 100 cases alone" in texts["index.html"]


def test_a_table_shows_what_its_csv_holds(texts, screening):
    mean = (
        screening.frame("summary")
        .query("loss == 'gce' and calibrator == 'ats' and metric == 'ece'")["mean"]
        .item()
    )
    assert f"{100 * mean:.2f} ±" in texts["experiments/phantom-thin_resnet-comparison.html"]
    assert repr(mean) in texts["tables/phantom-thin_resnet/comparison.csv"]


def test_one_file_holds_the_differences_of_all_calibrators(screening):
    many = enlarged(screening, name="many", num_losses=3, num_seeds=3, num_calibrators=6)
    texts = decoded(study_files("quick", "Many", [many]))
    stems = {name.rsplit("/", 1)[-1] for name in texts if "/differences" in name}
    assert stems == {"differences.csv"}
    assert "calibrator_2" in texts["tables/many/differences.csv"]
    assert "The files hold the other calibrators too." in texts["comparison.html"]
    assert "../tables/many/differences.csv" in texts["experiments/many-comparison.html"]


def test_a_page_shows_classes_groups_sets_and_costs_only_where_they_were_computed(texts):
    names = ("class_risk", "cox", "prediction_sets", "group_scores", "cost_points")
    for scenario, there in (("phantom-thin_resnet", True), ("digits-thin_resnet", False)):
        page = texts[f"experiments/{scenario}.html"]
        assert [f'id="{scenario}-table-{name}"' in page for name in names] == [there] * len(names)


def test_the_front_page_links_every_study_and_experiment(screening, digits):
    lines = [study_line("quick", "Quick", [digits, screening])]
    page = overview_page(lines).decode()
    assert 'href="quick/index.html"' in page
    for scores in (digits, screening):
        assert f'href="quick/experiments/{scores.name}.html"' in page
        assert scores.dataset["title"] in page
    assert unclosed(page) == []
    assert "findings.md" not in page
    assert 'href="findings.md"' in overview_page(lines, findings="findings.md").decode()


def test_two_experiments_on_one_data_set_are_told_apart(screening, digits):
    record = screening.record | {"experiment": "phantom-wide"}
    every = [screening, dataclasses.replace(screening, record=record), digits]
    assert headings(every) == {
        screening.name: f"{screening.dataset['title']} · {screening.name}",
        "phantom-wide": f"{screening.dataset['title']} · phantom-wide",
        digits.name: digits.dataset["title"],
    }


def test_a_study_of_twenty_patients_says_that_they_are_too_few(tmp_path):
    tiny = Scenario(
        name="tiny",
        title="Tiny",
        classes=("normal", "malignant"),
        prevalence=(0.6, 0.4),
        critical=("malignant",),
        num_test=20,
        seeds=(0,),
        losses=("cross_entropy", "gce"),
        extras=False,
    )
    write_study(tmp_path, tiny)
    scores = read_scores(tmp_path / "data" / "scores" / "quick" / "tiny")
    page = study_files("quick", "Tiny", [scores])["experiments/tiny.html"].decode()
    assert "Too few cases to tell: even with no errors 59 answered cases are needed" in page
    assert "Explore the operating point" not in page
    assert unclosed(page) == []
