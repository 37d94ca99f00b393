import pandas as pd

from pipeline.report.panels.decisions import cheapest_sentence, costs_panel, net_benefit_panels
from pipeline.tables.parts.scores import pick
from tests.report.simulated_extras import WEIGHTS


def costs(**policies):
    rows = [
        {"policy": policy, "weight": weight, "cost": cost}
        for policy, values in policies.items()
        for weight, cost in zip((1, 10, 100), values, strict=True)
    ]
    return pd.DataFrame(rows)


def test_the_cheapest_policy_is_named_with_the_weights_at_which_it_is():
    said = cheapest_sentence(
        costs(answer_all=(10, 100, 1000), model=(30, 40, 130), refer_all=(90, 90, 90))
    )
    assert "at 1, answer all; at 10, this model; at 100, refer all" in said


def test_one_policy_for_a_run_of_weights_is_said_once():
    said = cheapest_sentence(costs(model=(1, 2, 3), refer_all=(90, 90, 90)))
    assert "what costs least is: at 1 to 100, this model." in said


def test_the_table_holds_the_costs_that_the_metrics_compute(screening):
    n, point = (
        600,
        pick(screening.frame("operating_points"), **screening.headline, target=0.05).iloc[0],
    )
    table = costs_panel(screening).table
    model = next(cells for cells in table.rows if cells[0].text == "this model")
    expected = 1000 * (point["referred"] + WEIGHTS * point["wrong"]) / n
    assert [cell.text for cell in model[1:]] == [f"{cost:,.0f}" for cost in expected]


def test_each_critical_class_has_its_net_benefit(screening, digits):
    assert [panel.title for panel in net_benefit_panels(screening)] == ["Net benefit: malignant"]
    assert net_benefit_panels(digits) == []


def test_the_table_of_net_benefit_holds_what_the_curves_draw(screening):
    table = net_benefit_panels(screening)[0].table
    rows = pick(
        screening.frame("net_benefit"), policy="model", calibrator="ats", threshold_probability=0.2
    )
    shown = next(
        cells for cells in table.rows if cells[0].text == "Adaptive temperature scaling (ats)"
    )
    at = [column.label for column in table.columns].index("20%")
    assert shown[at].text == f"{1000 * rows['net_benefit'].item():.0f}"
    act_on_none = next(cells for cells in table.rows if cells[0].text == "act on none")
    assert {cell.text for cell in act_on_none[1:]} == {"0"}


def test_equal_costs_go_to_the_simpler_policy():
    said = cheapest_sentence(costs(model=(90, 90, 90), refer_all=(90, 90, 90)))
    assert "at 1 to 100, refer all." in said


def test_where_nothing_is_answered_there_are_no_costs_to_draw(screening):
    points = screening.frame("operating_points").assign(answered=0)
    assert costs_panel(screening.having(operating_points=points)) is None
