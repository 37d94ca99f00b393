from pipeline.metrics.intervals import proportion_interval
from pipeline.tables.operating_points import shown_operating_points
from pipeline.tables.parts.scores import pick
from pipeline.tables.parts.wording import MASKED, interval
from pipeline.tables.per_class import shown_per_class
from tests.report.simulated_scores import handed_out


def small_class(scores, cases):
    per_class = scores.frame("per_class").copy()
    where = per_class["class"] == "malignant"
    per_class.loc[where, ["cases", "answered", "wrong", "referred"]] = [cases, cases - 1, 1, 1]
    return handed_out(scores.having(per_class=per_class))


def test_a_class_of_nine_is_masked_with_another_in_page_and_csv(screening):
    table = shown_per_class(small_class(screening, 9))
    hidden = [cells for cells in table.rows if cells[2].text == MASKED]
    assert len(hidden) == 2
    assert table.frame[table.frame["cases"].isna()]["class"].tolist() == [
        cells[0].text for cells in hidden
    ]


def test_a_class_of_twenty_shows_counts_and_no_rate(screening):
    table = shown_per_class(small_class(screening, 20))
    cells = next(row for row in table.rows if row[0].text == "malignant")
    assert [cell.text for cell in cells[2:]] == ["20", "19", "1", "1"]
    assert [cell.detail for cell in cells[2:]] == ["", "", "", ""]


def test_critical_classes_come_first_and_the_others_by_their_training_cases(screening):
    rows = shown_per_class(screening).rows
    assert [(row[0].text, row[0].detail, row[1].text) for row in rows] == [
        ("malignant", "critical", "192"),
        ("normal", "", "1,680"),
        ("benign", "", "528"),
    ]


def test_the_caption_says_who_is_referred_more(screening):
    assert "malignant is referred" in shown_per_class(screening).caption


def test_a_rate_carries_its_exact_interval(screening):
    row = pick(screening.frame("per_class"), **screening.headline, target=0.05).set_index("class")
    normal = row.loc["normal"]
    cells = next(each for each in shown_per_class(screening).rows if each[0].text == "normal")
    limits = proportion_interval(int(normal["wrong"]), int(normal["answered"]))
    assert interval(limits.lower, limits.upper) in cells[4].detail


def test_every_target_and_seed_has_its_row_whether_or_not_a_threshold_was_found(screening):
    targets, seeds = screening.record["risk_targets"], screening.record["seeds"]
    table = shown_operating_points(screening, targets)
    assert len(table.rows) == len(targets) * len(seeds)
    shown = {(cells[0].text, cells[1].text) for cells in table.rows}
    assert ("1%", "0") in shown


def test_without_a_threshold_every_case_is_referred(screening):
    table = shown_operating_points(screening, [0.01])
    for cells in table.rows:
        assert cells[2].text == "No threshold shown to meet 1%"
        assert [cell.text for cell in cells[3:]] == ["–", "0", "600", "–", "0"]
