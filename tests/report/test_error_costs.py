import pytest

from pipeline.report.panels.error_costs import cost_coverage_panel
from pipeline.tables.cost_points import cost_sentence, shown_cost_points
from pipeline.tables.cost_selection import shown_cost_selection
from pipeline.tables.parts.scores import pick

NAN = float("nan")


def test_a_found_threshold_has_its_mean_cost_and_limit(screening):
    row = pick(screening.frame("cost_points"), **screening.headline, target=0.05).iloc[0]
    assert row["status"] == "found"
    assert cost_sentence(screening) == (
        f"At 5%, {row['answered']} of 600 test cases ({100 * row['answered'] / 600:.1f}%) are "
        f"answered, at a mean cost of {100 * row['mean_cost']:.2f}% (one-sided 95% limit "
        f"{100 * row['one_sided_upper']:.2f}%)."
    )
    table = shown_cost_points(screening)
    assert [table.rows[place][0].text for place in table.marked] == ["5%"]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            "none",
            "None of the 3 thresholds tried, each answering at least 80 cases, could be shown to "
            "meet 5%: the lowest upper limit was",
        ),
        ("too_few", "Too few cases to tell: even with no costs 80 answered cases are needed;"),
    ],
)
def test_no_threshold_is_an_answer(screening, status, said):
    points = screening.frame("cost_points").assign(
        status=status, num_candidates=3, minimum_answered=80, threshold=NAN, mean_cost=NAN
    )
    assert cost_sentence(screening.having(cost_points=points)).startswith(said)
    table = shown_cost_points(screening.having(cost_points=points))
    assert {row[3].text for row in table.rows} == {"–"}


def test_the_figure_says_what_an_error_costs(screening):
    rows = pick(screening.frame("cost_coverage"), loss="gce", calibrator="ats")
    panel = cost_coverage_panel(screening)
    assert "malignant read as normal 20" in panel.sentence
    assert f"(gce) costs {100 * rows['risk_mean'].iloc[-1]:.2f}% of the largest" in panel.sentence
    assert "mean cost of the answered," in panel.svg


def test_scores_to_refer_by_are_averaged_over_seeds(screening):
    rows = pick(screening.frame("cost_selection"), loss="gce", calibrator="ats", score="margin")
    cells = next(row for row in shown_cost_selection(screening).rows if row[0].text == "margin")
    assert cells[2].text == f"{100 * rows['aurc'].mean():.2f} ±\u2009{100 * rows['aurc'].std():.2f}"


def test_without_stated_costs_there_is_nothing(digits):
    assert cost_coverage_panel(digits) is None
