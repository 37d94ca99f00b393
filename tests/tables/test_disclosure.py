import numpy as np
import pandas as pd

from pipeline.evaluation.disclosure import disclosed_card, disclosed_tables

MODEL = {"loss": "gce", "calibrator": "ats", "seed": 0}
SIZES = {"common": 60, "some": 20, "few": 12, "rare": 3, "absent": 0}
CARD = {
    "counts": {
        "test": SIZES,
        "train": {"common": 600, "some": 5, "few": 40, "rare": 30, "absent": 0},
    }
}


def per_class(sizes=SIZES):
    return pd.DataFrame(
        MODEL
        | {"target": 0.05, "class": name, "cases": size}
        | {"answered": size, "wrong": min(size, 1), "referred": 0}
        for name, size in sizes.items()
    )


def of_classes(**columns):
    return pd.DataFrame({**MODEL, "class": list(SIZES), **columns})


def groups_answered(answered):
    """Groups of some sizes, of whom so many are answered at two thresholds."""
    return pd.DataFrame(
        MODEL
        | {"threshold": threshold, "column": "site", "group": name, "patients": size}
        | {"answered": counts[place], "wrong": 0, "lower": 0.0, "upper": 0.5}
        for place, threshold in enumerate((0.9, 0.5))
        for name, (size, counts) in answered.items()
    )


def disclosed(card=CARD, **tables):
    return disclosed_tables({"per_class": per_class()} | tables, card)


def numbers_of(table, name, keys):
    return table[table["class"] == name].drop(columns=[*MODEL, "class", *keys])


def test_a_class_of_three_has_no_number_and_neither_has_the_one_that_would_give_it_away():
    table = disclosed()["per_class"]
    for name in ("rare", "few"):
        assert numbers_of(table, name, ["target"]).isna().all(axis=None)
    for name in ("common", "some", "absent"):
        assert numbers_of(table, name, ["target"]).notna().all(axis=None)


def test_what_is_masked_cannot_be_had_from_the_total():
    table = disclosed()["per_class"]
    hidden = sum(SIZES.values()) - int(table["cases"].sum())
    num_masked = int(table["cases"].isna().sum())
    # Of two classes together at least ten patients: neither's number follows.
    assert (hidden, num_masked) == (15, 2)


def test_counts_of_ten_to_twenty_nine_are_written_and_no_rate():
    risks = of_classes(score="confidence", cases=[*SIZES.values()], missed=1, aurc=0.1)
    table = disclosed(class_risk=risks)["class_risk"].set_index("class")
    assert table.loc["some", ["cases", "missed"]].tolist() == [20, 1]
    assert table.loc[["some", "few", "rare"], "aurc"].isna().all()
    assert table.loc["common", "aurc"] == 0.1


def test_a_class_that_is_few_in_one_table_is_masked_in_all():
    images = {"a": 50, "b": 60, "c": 70}
    patients = per_class({"a": 4, "b": 30, "c": 40})
    card = {"counts": {"test": images}}
    accepted = pd.DataFrame(
        MODEL | {"threshold": 0.5, "label": name, "prediction": "c", "cases": 5} for name in images
    )
    found = disclosed_tables({"per_class": patients, "accepted": accepted}, card)
    assert found["accepted"]["label"].tolist() == ["c"]
    found = disclosed_card({"per_class": patients}, card)
    assert found["counts"]["test"] == {"c": 70}
    assert found["images"] == {"test": 180}


def test_the_row_of_all_classes_keeps_its_numbers():
    sets = pd.DataFrame(
        MODEL
        | {"method": "marginal", "level": 0.9, "class": name, "cases": cases, "covered": 1}
        | {"coverage": 0.5, "lower": 0.1, "upper": 0.9}
        for name, cases in {"": 95, **SIZES}.items()
    )
    table = disclosed(prediction_sets=sets)["prediction_sets"].set_index("class")
    assert table.loc["", ["cases", "coverage", "upper"]].tolist() == [95, 0.5, 0.9]
    assert table.loc["rare", ["cases", "covered", "coverage", "lower", "upper"]].isna().all()


def test_curves_of_a_masked_class_are_not_written_at_all():
    benefit = of_classes(policy="model", threshold_probability=0.1, net_benefit=0.2)
    assert set(disclosed(net_benefit=benefit)["net_benefit"]["class"]) == {
        "common",
        "some",
        "absent",
    }
    only = benefit[benefit["class"] == "rare"]
    assert "net_benefit" not in disclosed(net_benefit=only)


def test_a_group_of_one_patient_tells_nothing_at_any_threshold():
    table = disclosed(
        accepted_groups=groups_answered(
            {"L0": (1, (1, 1)), "L1": (40, (35, 40)), "L2": (50, (30, 50))}
        )
    )["accepted_groups"].set_index(["group", "threshold"])
    numbers = ["patients", "answered", "wrong", "lower", "upper"]
    assert table.loc[["L0", "L1"], numbers].isna().all(axis=None)
    assert table.loc["L2", numbers].notna().all(axis=None)


def test_where_nine_are_answered_the_next_smallest_is_hidden_as_well():
    table = disclosed(
        accepted_groups=groups_answered(
            {"A": (40, (9, 40)), "B": (50, (30, 50)), "C": (60, (31, 60)), "D": (70, (0, 70))}
        )
    )["accepted_groups"].set_index(["group", "threshold"])
    at_nine = table.xs(0.9, level="threshold")
    assert at_nine["answered"].isna().to_dict() == {"A": True, "B": True, "C": False, "D": False}
    assert at_nine["patients"].tolist() == [40, 50, 60, 70]
    assert table.xs(0.5, level="threshold")["answered"].tolist() == [40, 50, 60, 70]


def shifted(**views):
    return pd.DataFrame(
        MODEL
        | {"partner": "elsewhere", "kind": "site", "view": view, "corruption": None, "severity": 0}
        | {"threshold": 0.5, "cases": patients, "patients": patients, "accuracy": 0.9}
        | {"answered": answered, "wrong": 1, "coverage": 0.5, "risk": 0.1}
        | {"risk_lower": 0.0, "risk_upper": 0.4}
        for view, (patients, answered) in views.items()
    )


def test_a_small_site_is_masked_and_what_few_are_answered_wrongly_is_not_said():
    views = shifted(clean=(90, 80), east=(7, 6), west=(20, 15), north=(50, 9), south=(60, 40))
    table = disclosed(shift=views)["shift"].set_index("view")
    numbers = ["cases", "patients", "accuracy", "answered", "wrong", "coverage", "risk"]
    assert table.loc[["east", "west"], numbers].isna().all(axis=None)
    assert table.loc["north", ["patients", "answered"]].tolist() == [50, 9]
    assert table.loc["north", ["wrong", "risk", "risk_lower", "risk_upper"]].isna().all()
    assert table.loc[["clean", "south"], numbers].notna().all(axis=None)


def test_scores_of_a_masked_class_keep_one_row_without_a_number():
    scores = pd.DataFrame(
        MODEL
        | {"column": "class", "group": name, "visibility": "full", "metric": metric}
        | {"num_patients": 40, "num_wrong": 2, "value": 0.1, "lower": 0.0, "upper": 0.2}
        for name in ("common", "rare")
        for metric in ("wrong_patients", "ece")
    )
    table = disclosed(group_scores=scores)["group_scores"]
    (hidden,) = table[table["group"] == "rare"].to_dict("records")
    assert hidden["visibility"] == "masked"
    assert np.isnan([hidden[name] for name in ("value", "lower", "upper")]).all()
    assert pd.isna(hidden["num_patients"])
    assert len(table[table["group"] == "common"]) == 2


def test_a_card_lacks_the_counts_of_small_classes_split_by_split_and_of_small_sites():
    card = CARD | {"sites": {"north": 100, "east": 4, "west": 11}}
    found = disclosed_card({"per_class": per_class()}, card)
    assert found["counts"] == {
        "test": {"common": 60, "some": 20, "absent": 0},
        "train": {"common": 600, "few": 40, "absent": 0},
    }
    assert found["images"] == {"test": 95, "train": 675}
    assert (found["sites"], found["masked_sites"]) == ({"north": 100}, ["east", "west"])


def test_tables_without_small_groups_pass_bit_for_bit():
    sizes = {"a": 40, "b": 50}
    tables = {"per_class": per_class(sizes), "runs": pd.DataFrame({"ece": [0.1]})}
    found = disclosed_tables(tables, {"counts": {"test": sizes}})
    for name, table in tables.items():
        pd.testing.assert_frame_equal(found[name], table)


def test_passing_twice_is_passing_once():
    tables = {
        "per_class": per_class(),
        "accepted_groups": groups_answered({"A": (9, (1, 9)), "B": (30, (9, 30))}),
    }
    once = disclosed_tables(tables, CARD)
    again = disclosed_tables(once, disclosed_card(tables, CARD))
    for name, table in once.items():
        pd.testing.assert_frame_equal(again[name], table)


METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "auroc", "calibration_in_the_large", "ece")


def of_metrics():
    """The tables that hold a metric a column or a row."""
    rows = pd.DataFrame(MODEL | {"metric": metric, "mean": 0.5, "value": 0.5} for metric in METRICS)
    groups = rows.assign(column="site", group="A", visibility="full", num_patients=40)
    runs = pd.DataFrame([MODEL | dict.fromkeys(METRICS, 0.5)])
    return {"runs": runs, "summary": rows, "comparisons": rows, "differences": rows} | {
        "group_scores": groups
    }


def test_metrics_to_which_a_masked_class_counts_as_much_as_others_are_not_written():
    # Of 3 + 12 patients with 2 errors, balanced accuracy fits one way to part them alone.
    found = disclosed(**of_metrics())
    runs = found.pop("runs")
    assert [name for name in METRICS if name in runs] == ["accuracy", "ece"]
    for table in (found[name] for name in of_metrics() if name in found):
        assert table["metric"].tolist() == ["accuracy", "ece"]


def test_without_a_masked_class_every_metric_is_written():
    sizes = {"a": 40, "b": 50}
    tables = {"per_class": per_class(sizes)} | of_metrics()
    found = disclosed_tables(tables, {"counts": {"test": sizes}})
    for name, table in tables.items():
        pd.testing.assert_frame_equal(found[name], table)


def test_what_was_stated_of_masked_classes_gives_no_number_of_all():
    workload = pd.DataFrame(
        MODEL
        | {"target": 0.05, "prevalence": prevalence, "policy": "model", "class": name}
        | {"patients": cases, "arriving": 1000.0, "wrong": 12.5}
        for prevalence in ("test", "stated")
        for name, cases in {"": 95, **SIZES}.items()
    )
    costs = pd.DataFrame([MODEL | {"mean_cost": 0.1}])
    found = disclosed(workload=workload, cost_points=costs, cost_selection=costs, costs=costs)
    assert "costs" in found
    assert not {"cost_points", "cost_selection"} & found.keys()
    table = found["workload"].set_index(["prevalence", "class"])
    assert table.loc[("stated", ""), ["patients", "arriving", "wrong"]].isna().all()
    assert table.loc[("test", ""), ["patients", "arriving", "wrong"]].tolist() == [95, 1000, 12.5]
    assert table.loc[("stated", "common"), "wrong"] == 12.5


def test_classes_and_sites_of_many_images_but_few_patients_have_no_count_on_the_card():
    card = {
        "counts": {"threshold": {"common": 400, "some": 300, "rare": 60}},
        "class_patients": {"threshold": {"common": 40, "some": 30, "rare": 3}},
        "sites": {"north": 740, "east": 60, "west": 700},
    }
    groups = pd.DataFrame(
        MODEL | {"column": "Site", "group": name, "visibility": visibility, "metric": "ece"}
        for name, visibility in {"north": "full", "east": "masked", "west": "masked"}.items()
    )
    found = disclosed_card({"per_class": per_class(), "group_scores": groups}, card)
    assert found["counts"]["threshold"] == {"common": 400}
    assert found["images"]["threshold"] == 760
    assert (found["sites"], found["masked_sites"]) == ({"north": 740}, ["east", "west"])
    assert "class_patients" not in found
