from pipeline.report.panels.long_tail import long_tail_curves_panel, long_tail_panel
from pipeline.tables.parts.scores import pick


def test_each_loss_and_size_of_class_has_its_mean_and_spread(screening):
    rows = pick(screening.frame("long_tail"), loss="gce", calibrator="ats", group="few")["accuracy"]
    table = long_tail_panel(screening).table
    cells = next(row for row in table.rows if (row[0].text, row[1].text) == ("gce", "few"))
    assert cells[3].text == f"{100 * rows.mean():.1f}% ±\u2009{100 * rows.std():.1f}%"


def test_a_data_set_without_a_tail_has_no_such_panel(digits):
    assert long_tail_panel(digits) is None


def test_the_sentence_and_the_table_hold_the_curves_last_points(screening):
    curves = pick(screening.frame("long_tail_curves"), loss="gce", calibrator="ats", group="few")
    last = curves["risk_mean"].iloc[-1]
    panel = long_tail_curves_panel(screening)
    assert f"few {100 * last:.1f}%" in panel.sentence
    row = next(each for each in panel.table.rows if (each[0].text, each[1].text) == ("few", "gce"))
    assert row[-1].text == f"{100 * last:.1f}%"


def test_a_share_of_fewer_than_thirty_has_no_risk(screening):
    rows = screening.frame("long_tail_curves")
    few = rows[(rows["group"] != "few") | (rows["coverage"] > 0.85)]
    table = long_tail_curves_panel(screening.having(long_tail_curves=few)).table
    cells = next(each for each in table.rows if (each[0].text, each[1].text) == ("few", "gce"))
    assert [cell.text for cell in cells[3:5]] == ["–", "–"]
    assert cells[5].text.endswith("%")


def test_without_curves_there_is_no_panel(digits):
    assert long_tail_curves_panel(digits) is None
