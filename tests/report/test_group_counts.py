import pandas as pd

from pipeline.tables.accepted_groups import group_counts
from tests.report.simulated_scores import handed_out


def of_groups(scores, answered_by_group):
    """Scores whose groups of 100 patients each are answered so often at three thresholds."""
    rows = [
        scores.headline
        | {"threshold": threshold, "column": "site", "group": group, "patients": 100}
        | {"answered": answered, "wrong": 1, "lower": 0.01, "upper": 0.2}
        for group, counts in answered_by_group.items()
        for threshold, answered in zip((0.9, 0.8, 0.7), counts, strict=True)
    ]
    return handed_out(scores.having(accepted_groups=pd.DataFrame(rows)))


def counted(scores):
    entries = group_counts(scores, [0.9, 0.8, 0.7])
    return {entry["label"]: entry["answered"] for entry in entries}


def test_fewer_than_ten_answered_are_hidden_with_the_next_smallest(screening):
    counts = {"A": (9, 10, 50), "B": (30, 40, 50), "C": (60, 70, 80)}
    assert counted(of_groups(screening, counts)) == {
        "site: A": [None, 10, 50],
        "site: B": [None, 40, 50],
        "site: C": [60, 70, 80],
    }


def test_a_small_group_has_its_name_alone(screening):
    scores = of_groups(screening, {"A": (50, 50, 50), "B": (50, 50, 50), "C": (50, 50, 50)})
    table = scores.frame("accepted_groups").copy()
    table.loc[table["group"] == "A", "patients"] = 9
    small = handed_out(scores.having(accepted_groups=table))
    entries = group_counts(small, [0.9, 0.8, 0.7])
    assert [set(entry) == {"label"} for entry in entries] == [True, True, False]


def test_without_groups_there_is_nothing_to_choose(digits):
    assert group_counts(digits, [0.9]) == []
