from pipeline.report.panels.long_tail import long_tail_panel
from pipeline.report.scores import pick


def test_each_loss_and_size_of_class_has_its_mean_and_spread(screening):
    rows = pick(screening.long_tail, loss="gce", calibrator="ats", group="few")["accuracy"]
    table = long_tail_panel(screening).table
    cells = next(row for row in table.rows if (row[0].text, row[1].text) == ("gce", "few"))
    assert cells[3].text == f"{100 * rows.mean():.1f}% ± {100 * rows.std():.1f}%"


def test_a_data_set_without_a_tail_has_no_such_panel(digits):
    assert long_tail_panel(digits) is None
