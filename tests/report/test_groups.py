import pandas as pd
import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.report.panels import experiment_panels
from pipeline.tables.groups import groups_sentence, shown_groups
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import MASKED, interval


@pytest.fixture
def groups(screening):
    return pick(screening.frame("groups"), **screening.headline)


NAN = float("nan")


def rows_of(group, size="full", answered="full", lower=-0.1, upper=0.1):
    """What is referred of a group of some size, and what is wrong of its answered."""
    if answered != "full":
        lower = upper = NAN
    ends = {"difference": (lower + upper) / 2, "difference_lower": lower, "difference_upper": upper}
    name = {"column": "age_band", "group": group}
    return [
        name | {"quantity": "referred", "visibility": size, "difference": NAN},
        name | {"quantity": "wrong", "visibility": answered} | ends,
    ]


def said_of(*groups):
    return groups_sentence(pd.DataFrame([row for rows in groups for row in rows]))


def test_a_masked_group_shows_no_number_and_its_name_alone(screening, groups):
    hidden = groups["visibility"] == "masked"
    assert hidden.any()
    table = shown_groups(screening, groups)
    shown = {(cells[1].text, cells[2].text) for cells in table.rows}
    names = set(groups[hidden & (groups["quantity"] == "referred")]["group"])
    assert {(name, MASKED) for name in names} <= shown


def test_a_group_is_shown_in_counts_with_its_exact_interval(screening, groups):
    north = groups.query("group == 'north' and quantity == 'wrong'").iloc[0]
    cells = next(each for each in shown_groups(screening, groups).rows if each[1].text == "north")
    limits = proportion_interval(int(north["num_marked"]), int(north["num_patients"]))
    assert cells[4].text == f"{north['num_marked']:,.0f} of {north['num_patients']:,.0f}"
    assert interval(limits.lower, limits.upper) in cells[4].detail


def test_no_difference_is_not_called_equality():
    assert said_of(rows_of("F"), rows_of("M")) == (
        "2 groups examined; 0 too small or masked. Errors differ from the others' in none of the 2 "
        "groups compared by more than chance may do; that shows no equality."
    )


@pytest.mark.parametrize("ends", [(0.01, 0.2), (-0.2, -0.01)])
def test_a_group_whose_errors_differ_is_named(ends):
    said = said_of(rows_of("F"), rows_of("M", lower=ends[0], upper=ends[1]))
    assert said.endswith("Errors differ from the others' in age band M.")


def test_groups_too_small_are_counted():
    said = said_of(rows_of("F"), rows_of("X", "counts", "counts"), rows_of("Y", "masked", "masked"))
    assert said.startswith("3 groups examined; 2 too small or masked. ")


def test_groups_of_whom_nobody_is_answered_are_not_too_small():
    nobody = [rows_of(f"{age}", answered="masked") for age in range(150)]
    assert said_of(*nobody) == (
        "150 groups examined; 0 too small or masked, 150 with too few answered. No group's "
        "errors could be compared with the others'."
    )


def test_without_groups_there_is_no_forest(screening):
    without = screening.having(groups=None)
    assert "groups" not in {panel.name for panel in experiment_panels(without)}
