import dataclasses

import pandas as pd
import pytest

from pipeline.metrics.intervals import proportion_interval
from pipeline.report.groups import groups_sentence, groups_table
from pipeline.report.panels import experiment_panels
from pipeline.report.scores import pick
from pipeline.report.wording import MASKED, interval


@pytest.fixture
def groups(screening):
    return pick(screening.groups, **screening.headline)


def row(group, visibility="full", lower=-0.1, upper=0.1):
    return {"quantity": "wrong", "group": group, "visibility": visibility,
            "difference_lower": lower, "difference_upper": upper}  # fmt: skip


def test_a_masked_group_shows_no_number_and_its_name_alone(screening, groups):
    hidden = groups["visibility"] == "masked"
    assert hidden.any()
    table = groups_table(screening, groups)
    shown = {(cells[1].text, cells[2].text) for cells in table.rows}
    names = set(groups[hidden & (groups["quantity"] == "referred")]["group"])
    assert {(name, MASKED) for name in names} <= shown


def test_a_group_is_shown_in_counts_with_its_exact_interval(screening, groups):
    north = groups.query("group == 'north' and quantity == 'wrong'").iloc[0]
    cells = next(each for each in groups_table(screening, groups).rows if each[1].text == "north")
    limits = proportion_interval(int(north["num_marked"]), int(north["num_patients"]))
    assert cells[4].text == f"{north['num_marked']:,.0f} of {north['num_patients']:,.0f}"
    assert interval(limits.lower, limits.upper) in cells[4].detail


def test_no_difference_is_not_called_equality():
    said = groups_sentence(pd.DataFrame([row("F"), row("M")]))
    assert said.startswith("2 groups examined; 0 too small. No group's errors differ")
    assert said.endswith("that shows no equality.")


@pytest.mark.parametrize("ends", [(0.01, 0.2), (-0.2, -0.01)])
def test_a_group_whose_errors_differ_is_named(ends):
    said = groups_sentence(pd.DataFrame([row("F"), row("M", lower=ends[0], upper=ends[1])]))
    assert said.endswith("Errors differ from the others' in M.")


def test_groups_too_small_are_counted():
    rows = [row("F"), row("X", "counts"), row("Y", "masked", float("nan"), float("nan"))]
    assert groups_sentence(pd.DataFrame(rows)).startswith("3 groups examined; 2 too small.")


def test_without_groups_there_is_no_forest(screening):
    without = dataclasses.replace(screening, groups=None)
    assert "groups" not in {panel.name for panel in experiment_panels(without)}
