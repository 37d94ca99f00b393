from pipeline.report.panels.training import training_panel
from pipeline.tables.parts.scores import pick


def test_the_table_says_where_each_loss_ended(screening):
    table = training_panel(screening).table
    assert [cells[0].text for cells in table.rows] == screening.record["losses"]
    last = screening.frame("history")["epoch"].max()
    means = pick(screening.frame("history"), loss="gce", epoch=last).mean(numeric_only=True)
    row = next(cells for cells in table.rows if cells[0].text == "gce")
    columns = [name for name in ("train_loss", "val_loss", "val_accuracy") if name in means]
    assert [cell.text for cell in row[1:]] == [
        f"{last}",
        *(f"{means[name]:.3f}" for name in columns),
    ]
