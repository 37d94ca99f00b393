import dataclasses

import pytest

from pipeline.tables.derived.published import published_table
from pipeline.tables.parts.scores import pick


def named(scores, name):
    record = scores.record | {"dataset": scores.dataset | {"name": name}}
    return dataclasses.replace(scores, record=record)


def test_a_data_set_without_published_figures_has_no_such_table(screening):
    assert published_table(named(screening, "phantom")) is None


def test_published_figures_stand_beside_ours(screening):
    table = published_table(named(screening, "cifar10"))
    rows = {tuple(cell.text for cell in cells[:3]): cells for cells in table.rows}
    published, ours = (cell.text for cell in rows["gce", "ats", "ECE"][3:5])
    assert published == "0.66"
    row = pick(screening.frame("summary"), loss="gce", calibrator="ats", metric="ece").iloc[0]
    assert ours == f"{100 * row['mean']:.2f} ±\u2009{100 * row['sd']:.2f}"


def test_a_method_that_was_not_run_is_said_to_be(screening):
    table = published_table(named(screening, "cifar10"))
    assert {cells[4].text for cells in table.rows if cells[0].text == "brier"} == {"not run"}


@pytest.mark.parametrize(
    ("name", "error"), [("cifar10", 4.95), ("cifar100", 23.3), ("tiny_imagenet", 49.81)]
)
def test_published_errors_are_turned_into_accuracies(screening, name, error):
    frame = published_table(named(screening, name)).frame
    row = frame.query("loss == 'cross_entropy' and metric == 'accuracy'").iloc[0]
    assert row["value"] == pytest.approx(1 - error / 100, abs=1e-9)


def test_what_differs_is_said(screening):
    caption = published_table(named(screening, "breastmnist")).caption
    assert "not to be compared digit for digit" in caption
    assert "Ours: thin_resnet, recipe short, 3 seeds" in caption
