"""Whatever speaks of the model shown is the same, whatever other models a table holds."""

import pandas as pd
import pytest

from pipeline.report.explorer import explorer
from pipeline.report.model_card import model_card
from pipeline.report.views import experiment_view
from pipeline.tables.class_calibration import shown_class_calibration
from pipeline.tables.group_scores import shown_group_scores
from pipeline.tables.levels import shown_levels
from pipeline.tables.parts.scores import pick
from pipeline.tables.prediction_sets import shown_prediction_sets, shown_prediction_sets_by_class
from pipeline.tables.workload import shown_workload
from tests.report.test_explorer import FRAME

OF_ONE_MODEL = (
    "accepted", "accepted_groups", "class_calibration", "class_risk", "costs", "group_curves",
    "group_scores", "groups", "levels", "net_benefit", "prediction_sets", "referral_benefit",
    "workload",
)  # fmt: skip
"""Tables that the simulation has of the first loss alone."""

OTHERS = ({"loss": "cross_entropy"}, {"seed": 1}, {"target": 0.02})
"""Another loss, another seed, another target; another calibrator where a table has but one."""


def is_whole(values):
    return (values.dropna() % 1 == 0).all()


def changed(table):
    """Every number another: counts and rates shrink, differences lie far from zero."""
    numbers = table.select_dtypes("number").columns.difference(
        ["seed", "target", "threshold", "level", "weight", "threshold_probability"]
    )
    smaller = {
        name: table[name] // 3 if is_whole(table[name]) else table[name] / 3 for name in numbers
    }
    table = table.assign(**smaller)
    ends = table.columns.intersection(["difference", "difference_lower", "difference_upper"])
    return table.assign(**dict.fromkeys(ends, 0.3))


def with_other_models(scores):
    """The same scores with rows of other models before and after those of the one shown."""
    tables = {}
    for name in OF_ONE_MODEL:
        table = scores.frame(name)
        others = [
            changed(table).assign(**other) for other in OTHERS if set(other) <= set(table.columns)
        ]
        if set(table["calibrator"]) == {"ats"}:
            others.append(changed(table).assign(calibrator="temperature"))
        tables[name] = pd.concat([*others[::2], table, *others[1::2]], ignore_index=True)
    return scores.having(**tables)


@pytest.fixture(scope="module")
def more(screening):
    return with_other_models(screening)


def rows_of(table):
    return table.caption, table.rows


def test_the_model_card_counts_every_group_once(screening, more):
    assert model_card(more) == model_card(screening)
    card = {item.question: item.answer for item in model_card(more)}
    groups = pick(screening.frame("groups"), **screening.headline, quantity="referred")
    assert f" {len(groups)} groups examined" in card["Subgroups and fairness"]


@pytest.mark.parametrize(
    "make",
    [
        shown_class_calibration, shown_group_scores, shown_levels, shown_workload,
        shown_prediction_sets, shown_prediction_sets_by_class,
    ],
)  # fmt: skip
def test_a_table_is_of_the_model_shown(screening, more, make):
    assert rows_of(make(more)) == rows_of(make(screening))


def test_the_explorer_is_of_the_model_shown(screening, more):
    assert explorer(more, FRAME).data == explorer(screening, FRAME).data


@pytest.mark.slow
def test_every_sentence_table_and_figure_is_of_the_model_shown(screening, more):
    before, after = experiment_view(screening), experiment_view(more)
    assert after.screen == before.screen
    assert after.cards == before.cards
    assert [rows_of(table) for table in after.all_tables] == [
        rows_of(table) for table in before.all_tables
    ]
    assert [(panel.sentence, panel.svg) for panel in after.panels] == [
        (panel.sentence, panel.svg) for panel in before.panels
    ]
