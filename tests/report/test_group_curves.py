import pandas as pd

from pipeline.report.panels.group_curves import group_curves_panel
from pipeline.tables.parts.scores import pick


def test_the_mark_is_what_the_groups_table_counts(screening):
    wrong = pick(screening.frame("groups"), quantity="wrong")
    rates = wrong.set_index("group")["share"].dropna()
    said = group_curves_panel(screening).sentence
    assert f"runs from {100 * rates.min():.1f}% (" in said
    assert f"to {100 * rates.max():.1f}% (" in said


def test_masked_groups_are_neither_drawn_nor_in_the_table(screening):
    panel = group_curves_panel(screening)
    masked = set(
        screening.frame("groups").query("visibility == 'masked' and quantity == 'referred'")[
            "group"
        ]
    )
    assert masked == {"M", "not recorded"}
    assert not masked & {row[1].text for row in panel.table.rows}
    assert "F (n = 346)" in panel.svg
    assert "M (n" not in panel.svg


def test_without_a_threshold_none_is_marked(screening):
    panel = group_curves_panel(screening.having(groups=None))
    assert "none is marked" in panel.sentence
    assert "approved threshold" not in panel.svg


def test_of_many_groups_the_six_largest_are_drawn_and_the_table_holds_all(screening):
    north = pick(screening.frame("group_curves"), group="north")
    many = pd.concat(
        [north.assign(group=f"ward {i}", patients=north["patients"] + i) for i in range(8)]
    )
    panel = group_curves_panel(screening.having(group_curves=many))
    assert ["ward 1 (" in panel.svg, "ward 2 (" in panel.svg] == [False, True]
    assert len({row[1].text for row in panel.table.rows}) == 8


def test_without_curves_there_is_no_panel(digits):
    assert group_curves_panel(digits) is None
