"""The pages in a real browser: what a reader sees, presses and hears."""

import re

import numpy as np
import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.metrics.workload import AnswerCounts, workload
from pipeline.report import overview_page, study_files, study_line
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import interval, percent
from tests.report.chromium import chromium, launched
from tests.report.screenshots import MOST_BYTES, WIDTH, shots, take
from tests.report.simulated_scores import SCREENING, enlarged, with_last_class_called

HOSTILE = "<script>document.title = 'taken'</script><img src=x onerror=alert(1)>"

PATIENCE_MS = 120_000
"""A busy machine is no fault of a page; what is timed is timed by the page itself."""
PAPER_WIDTH, PAPER_HEIGHT = round((210 - 26) / 25.4 * 96), round((297 - 31) / 25.4 * 96)
"""Pixels of an A4 sheet within the margins that the style sheet states in mm."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium: `make browser` installs it"),
]
pytest.importorskip("playwright.sync_api", reason="playwright is not installed")


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def folder(screening, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    write(study_files("quick", "Quick study", [screening]), folder)
    (folder / "overview.html").write_bytes(
        overview_page([study_line("quick", "Quick study", [screening])])
    )
    return folder


def write(contents, folder):
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.fixture
def visit(browser, folder):
    """Open a page of the report; what it asks for and complains of is kept on it."""
    contexts = []

    def visit(name=f"experiments/{SCREENING.name}.html", fragment="", folder=folder, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(f"{(folder / name).as_uri()}{fragment}")
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def band(screening):
    return pick(screening.frame("exact_band"), **screening.headline).reset_index(drop=True)


PAGES = [
    "index.html",
    "overview.html",
    "comparison.html",
    f"experiments/{SCREENING.name}-comparison.html",
    f"experiments/{SCREENING.name}-gallery.html",
    f"experiments/{SCREENING.name}.html",
]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_complains_of_nothing_and_asks_for_nothing_but_itself(visit, name):
    page = visit(name)
    assert page.complaints == []
    assert [url.split("#")[0] for url in page.requests] == [page.url.split("#")[0]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_fault_that_axe_can_find(visit, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is missing")
    results = axe.Axe().run(visit(name, color_scheme=scheme))
    assert results.violations_count == 0, results.generate_report()


def said(page):
    return page.locator("#said").inner_text()


def expected(row, total):
    limits = proportion_interval(int(row["wrong"]), int(row["answered"]))
    return (
        f"At confidence {percent(row['threshold'], 2)} or more: answers {row['answered']:,.0f} of "
        f"{total:,} cases ({percent(row['answered'] / total)}), wrong in {row['wrong']:,.0f} of "
        f"{row['answered']:,.0f} ({percent(row['wrong'] / row['answered'])}; "
        f"95% CI {interval(limits.lower, limits.upper)})."
    )


def test_arrow_keys_move_the_threshold_to_the_next_attained_one(visit, band):
    page = visit(fragment="#at=57")
    assert said(page) == expected(band.iloc[57], SCREENING.num_test)
    page.locator("#at").focus()
    page.keyboard.press("ArrowRight")
    assert said(page) == expected(band.iloc[58], SCREENING.num_test)
    page.keyboard.press("End")
    assert said(page) == expected(band.iloc[-1], SCREENING.num_test)


def test_every_threshold_reads_as_the_metrics_have_it(visit, band):
    page = visit()
    for at in range(0, len(band), 20):
        page.locator("#at").fill(str(at))
        assert said(page) == expected(band.iloc[at], SCREENING.num_test)


@pytest.mark.parametrize(("field", "number"), [("confidence", "81.3"), ("coverage", "64")])
def test_a_typed_number_moves_to_the_nearest_attained_threshold(visit, band, field, number):
    page = visit()
    values = band["threshold"] if field == "confidence" else band["answered"] / SCREENING.num_test
    at = int((100 * values - float(number)).abs().argmin())
    page.locator(f"#{field}").fill(number)
    assert said(page) == expected(band.iloc[at], SCREENING.num_test)
    page.keyboard.press("Tab")
    digits = 2 if field == "confidence" else 1
    assert page.locator(f"#{field}").input_value() == f"{100 * values[at]:.{digits}f}"


def test_stepping_a_number_by_key_keeps_the_focus(visit):
    page = visit()
    page.locator("#coverage").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "coverage"


def test_the_guard_stays_in_sight_while_the_explorer_is_read(visit):
    page = visit(viewport={"width": 1240, "height": 800})
    page.locator("#confusion-0-0").scroll_into_view_if_needed()
    box = page.locator(".guard").bounding_box()
    assert 0 <= box["y"] < 800
    assert page.locator(".guard").inner_text().startswith("Exploring test data: a threshold picked")


def test_the_explorer_opens_at_the_approved_threshold(visit, screening, band):
    target = screening.record["headline_target"]
    point = pick(screening.frame("operating_points"), **screening.headline, target=target).iloc[0]
    nearest = band[band["threshold"] >= point["threshold"]].iloc[-1]
    assert said(visit()) == expected(nearest, SCREENING.num_test)


def test_errors_per_thousand_stand_beside_referring_at_random(visit, band):
    page = visit(fragment="#at=120")
    row, everyone = band.iloc[120], band.iloc[-1]
    n = SCREENING.num_test
    assert page.locator("#thousand-model").inner_text() == f"{1000 * row['wrong'] / n:.1f}"
    at_random = 1000 * everyone["wrong"] / n * row["answered"] / n
    assert page.locator("#thousand-random").inner_text() == f"{at_random:.1f}"


def test_a_fragment_brings_the_same_state_back(visit):
    page = visit(fragment="#at=57")
    page.locator("#weight").fill("7")
    page.locator("#share-0").fill("90")
    page.locator("#at").focus()
    page.keyboard.press("ArrowLeft")
    again = visit(fragment=f"#{page.url.split('#')[1]}")
    for place in ("#said", "#cost-model", "#prevalence"):
        assert again.locator(place).inner_text() == page.locator(place).inner_text()
    assert again.locator("#at").input_value() == "56"


@pytest.mark.parametrize("fragment", ["#at=9999", "#at=-3&weight=x", "#%00", "#shares=a b"])
def test_a_fragment_that_means_nothing_does_no_harm(visit, fragment):
    page = visit(fragment=fragment)
    assert page.complaints == []
    assert said(page).startswith("At confidence")


def test_other_prevalences_are_weighed_as_the_metrics_weigh_them(visit, screening, band):
    page = visit(fragment="#at=120&shares=90 8 2")
    rows = pick(screening.frame("accepted"), threshold=band["threshold"][120])
    everything = pick(screening.frame("accepted"), threshold=band["threshold"].iloc[-1])

    def by_class(table):
        counts = table.groupby("label")["cases"].sum()
        return np.array([counts.get(name, 0) for name in SCREENING.classes])

    point = AnswerCounts(
        cases=by_class(everything),
        answered=by_class(rows),
        wrong=by_class(rows[rows["label"] != rows["prediction"]]),
        wrong_if_all_answered=by_class(everything[everything["label"] != everything["prediction"]]),
    )
    expected = {
        row.policy: row
        for row in workload(point, level=0.95, prevalence=np.array([0.90, 0.08, 0.02]))
        if row.label is None
    }
    model, random = expected["threshold"], expected["refer_at_random"]
    assert page.locator("#prevalence").inner_text() == (
        f"With these shares of images arriving: {percent(model.answered / 1000)} answered, "
        f"{percent(model.wrong / model.answered)} of them wrong, {model.wrong:.1f} wrong per "
        f"1,000 arriving (referring as many at random: {random.wrong:.1f}), if the images of each "
        "class stay as they are."
    )


def test_a_group_is_explored_in_its_own_counts(visit, screening, band):
    page = visit(fragment="#at=120")
    page.get_by_label("Group", exact=True).select_option(label="site: north (438)")
    rows = pick(screening.frame("accepted_groups"), group="north", threshold=band["threshold"][120])
    row = rows.iloc[0]
    limits = proportion_interval(int(row["wrong"]), int(row["answered"]))
    assert said(page).endswith(
        f"answers {row['answered']:.0f} of 438 site: north ({percent(row['answered'] / 438)}), "
        f"wrong in {row['wrong']:.0f} of {row['answered']:.0f} "
        f"({percent(row['wrong'] / row['answered'])}; "
        f"95% CI {interval(limits.lower, limits.upper)})."
    )


def test_a_group_too_small_to_show_cannot_be_chosen_and_has_no_number_in_the_page(visit):
    page = visit()
    masked = page.locator("#group option:disabled")
    assert masked.count() == 2
    names = [text.removesuffix(", masked") for text in masked.all_inner_texts()]
    groups = page.evaluate(
        "JSON.parse(document.getElementById('explorer-data').textContent).groups"
    )
    assert all(set(group) == {"label"} for group in groups if group["label"] in names)


def test_few_answered_of_a_group_give_counts_and_no_rate(visit, screening, band):
    rows = pick(screening.frame("accepted_groups"), group="80+").reset_index(drop=True)
    at = int(rows.index[rows["answered"].between(10, 29)][0])
    index = list(dict.fromkeys(screening.frame("accepted_groups")["group"])).index("80+")
    page = visit(fragment=f"#at={at}&group={index}")
    row = rows.iloc[at]
    counts = f"{row['wrong']:.0f} of {row['answered']:.0f}"
    assert said(page).endswith(f"wrong in {counts}; too few for a rate.")


def test_the_confusion_of_the_answered_is_that_of_the_scores(visit, screening, band):
    page = visit(fragment="#at=120")
    rows = pick(screening.frame("accepted"), threshold=band["threshold"][120])
    for i, label in enumerate(SCREENING.classes):
        for j, prediction in enumerate(SCREENING.classes):
            count = pick(rows, label=label, prediction=prediction)["cases"].sum()
            assert page.locator(f"#confusion-{i}-{j}").inner_text() == f"{count:,}"


def test_every_control_has_a_name_that_a_screen_reader_says(visit):
    page = visit()
    for role, name in (
        ("slider", "Threshold, from strict to lenient"),
        ("spinbutton", "Confidence from, %"),
        ("spinbutton", "Answered, %"),
        ("combobox", "Target: wrong among the answered at most"),
        ("button", "Go to the approved threshold"),
    ):
        assert page.get_by_role(role, name=name).count() == 1
    assert page.get_by_role("img").count() >= 5


def test_without_scripts_the_thresholds_are_a_table_and_no_dead_control_is_shown(visit):
    page = visit(java_script_enabled=False)
    assert not page.locator("#at").is_visible()
    assert page.get_by_text("Workload: what is answered").is_visible()
    page.get_by_text("All thresholds of the slider (").click()
    assert page.locator(f"#{SCREENING.name}-table-thresholds").is_visible()


@pytest.mark.parametrize("name", [PAGES[0], PAGES[-1]])
def test_a_dark_reader_gets_a_dark_page_with_light_lines(visit, name):
    page = visit(name, color_scheme="dark")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(int(channel) for channel in re.findall(r"\d+", colour)) < 64
    text = page.evaluate("getComputedStyle(document.querySelector('svg text')).fill")
    assert min(int(channel) for channel in re.findall(r"\d+", text)) > 150


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_screen_scrolls_down_and_never_sideways(visit, name):
    page = visit(name, viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


def test_paper_gets_the_tables_unfolded_and_no_controls(visit):
    page = visit()
    page.emulate_media(media="print")
    assert not page.locator("#at").is_visible()
    assert page.locator(f"#{SCREENING.name}-table-workload").is_visible()
    pages = len(re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True)))
    # Every panel with its numbers unfolded: partners, sites, classes, groups, sets and costs.
    assert 3 <= pages <= 22


def test_the_first_screen_and_each_card_fit_a_sheet_of_paper(visit):
    page = visit(viewport={"width": PAPER_WIDTH, "height": 1000})
    page.emulate_media(media="print")
    heights = page.evaluate(
        "['section[aria-label=Answer]', 'section.card', 'section.card ~ section.card'].map("
        "(each) => document.querySelector(each).getBoundingClientRect().height)"
    )
    top = page.evaluate("document.querySelector('section[aria-label=Answer]').offsetTop")
    assert max(top + heights[0], *heights[1:]) < PAPER_HEIGHT


def test_a_class_named_like_a_script_shows_as_text(visit, screening, tmp_path):
    hostile = with_last_class_called(HOSTILE, screening)
    name = f"experiments/{SCREENING.name}.html"
    write({name: study_files("s", HOSTILE, [hostile])[name]}, tmp_path)
    page = visit(name, folder=tmp_path)
    assert page.complaints == []
    assert page.title() != "taken"
    assert page.get_by_role("rowheader", name=HOSTILE).count() >= 2


def test_pictures_for_the_readme_show_what_they_name_and_are_small(visit, folder):
    for shot in shots(folder):
        page = visit(shot.page, viewport={"width": WIDTH, "height": 800})
        picture = take(page, shot)
        assert picture.startswith(b"\x89PNG")
        assert len(picture) <= MOST_BYTES


@pytest.mark.slow
def test_the_page_of_a_thousand_runs_loads_in_two_seconds(visit, screening, tmp_path):
    every = [
        enlarged(screening, name=f"e{number}", num_losses=10, num_seeds=10, num_calibrators=21)
        for number in range(10)
    ]
    write(study_files("large", "A thousand runs", every), tmp_path)
    for name in ("index.html", "comparison.html", "experiments/e0.html"):
        page = visit(name, folder=tmp_path)
        page.wait_for_load_state("load")
        milliseconds = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        assert page.complaints == []
        assert 0 < milliseconds < 2000, name
