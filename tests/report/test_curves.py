import pandas as pd
import pytest

from pipeline.report.curves import curve_tables
from pipeline.tables.parts.scores import pick


@pytest.fixture(scope="module")
def curves(screening):
    return curve_tables(screening)


def test_risk_and_coverage_are_those_of_the_scores_in_percent(screening, curves):
    table = pick(curves["risk_coverage"], series="flsd53")
    row = pick(
        screening.frame("risk_coverage"), loss="flsd53", calibrator="ats", coverage=0.8
    ).iloc[0]
    wrong = table[table["answered"] == 80]["wrong"].item()
    assert wrong == pytest.approx(100 * row["risk_mean"], abs=0.5e-4)


def test_fewer_than_thirty_answered_give_no_point(curves):
    # 600 test cases: 30 of them are 5 %.
    assert curves["risk_coverage"]["answered"].min() == pytest.approx(5)


def test_reliability_is_drawn_before_and_after_calibration(screening, curves):
    table = curves["reliability"]
    assert set(table["series"]) == {"identity", "ats"}
    bins = pick(screening.frame("reliability"), loss="gce", calibrator="ats")
    assert len(pick(table, series="ats")) == (bins["count"] >= 30).sum()


def test_training_is_the_mean_over_seeds(screening, curves):
    first = pick(screening.frame("history"), loss="gce", epoch=1)["val_accuracy"].mean()
    shown = pick(curves["training"], series="gce", epoch=1)["validation_accuracy"].item()
    assert shown == pytest.approx(100 * first, abs=0.5e-4)


def test_a_training_that_nobody_recorded_has_a_head_and_no_row(screening):
    history = screening.frame("history").drop(columns="val_accuracy")
    table = curve_tables(screening.having(history=history))["training"]
    assert list(table) == ["experiment", "series", "epoch", "validation_accuracy"]
    assert table.empty


def test_every_curve_names_its_experiment(screening, curves):
    names = pd.concat(curves.values())["experiment"]
    assert set(names) == {screening.name}
