from pipeline.tables.group_scores import shown_group_scores
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import MASKED


def cells_of(table, column, group):
    return next(row for row in table.rows if (row[0].text, row[1].text) == (column, group))


def test_a_metric_has_its_interval_beneath_it(screening):
    row = pick(screening.frame("group_scores"), group="north", metric="accuracy").iloc[0]
    cells = cells_of(shown_group_scores(screening), "site", "north")
    assert cells[3].text == f"{100 * row['value']:.1f}"
    assert cells[3].detail == f"{100 * row['lower']:.1f}–{100 * row['upper']:.1f}"


def test_masked_groups_have_no_number_and_their_partner_neither(screening):
    table = shown_group_scores(screening)
    hidden = {row[1].text for row in table.rows if row[2].text == MASKED}
    assert hidden == {"not recorded", "M"}
    own = table.frame[table.frame["group"].isin(hidden)]
    assert own[["num_patients", "num_wrong", "value", "lower", "upper"]].isna().all(axis=None)


def test_the_sentence_says_between_which_groups_accuracy_lies(screening):
    rows = pick(screening.frame("group_scores"), column="site", metric="accuracy").set_index(
        "group"
    )
    low, high = rows["value"].idxmin(), rows["value"].idxmax()
    said = (
        f"by site from {100 * rows.loc[low, 'value']:.1f}% ({low}) to "
        f"{100 * rows.loc[high, 'value']:.1f}% ({high})"
    )
    assert said in shown_group_scores(screening).caption
