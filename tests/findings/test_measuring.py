import numpy as np
import pandas as pd
import pytest

from pipeline.config.claims import Rows
from pipeline.errors import InputError
from pipeline.findings import Evidence
from pipeline.findings.measuring import measure
from tests.findings.simulated_evidence import card, evidence, experiment_row, part

SHIFTED = Rows(table="shift", where={"kind": "corruption"}, without={"severity": 0})


def by_hand(values, *, dataset="hand", table="runs", columns=(), **changes):
    """Evidence from rows of loss, calibrator, seed, further columns and calibration error."""
    names = ["loss", "calibrator", "seed", *columns, "ece"]
    frame = pd.DataFrame(values, columns=names)
    row = experiment_row(dataset, **changes)
    return Evidence(row=row, card=card(), epochs=1, tables={table: frame})


def test_differences_are_taken_seed_by_seed_whatever_the_order_of_the_rows():
    rows = [
        ("gce", "identity", 2, 0.5),
        ("gce", "identity", 1, 0.25),
        ("cross_entropy", "identity", 1, 1.0),
        ("cross_entropy", "identity", 2, 1.0),
    ]
    (found,) = measure(part(), [by_hand(rows)])
    assert found.differences == (0.25 - 1.0, 0.5 - 1.0)
    assert found.experiment == "medical/hand-thin"
    assert found.compared == "gce − cross_entropy (identity)"


def test_a_seed_that_one_method_lacks_or_that_is_undefined_is_left_out():
    rows = [("gce", "identity", 1, 0.25), ("gce", "identity", 2, np.nan),
            ("gce", "identity", 3, 0.5), ("cross_entropy", "identity", 1, 1.0),
            ("cross_entropy", "identity", 2, 1.0)]  # fmt: skip
    (found,) = measure(part(), [by_hand(rows)])
    assert found.differences == (0.25 - 1.0,)


def test_an_experiment_without_one_of_the_methods_brings_nothing():
    assert measure(part(), [by_hand([("gce", "identity", 1, 0.25)])]) == []


def test_a_calibrator_is_compared_with_another_for_the_same_loss():
    rows = [("gce", "ats", 1, 0.25), ("gce", "identity", 1, 1.0), ("focal", "ats", 1, 9.0)]
    compared = part(calibrators=["ats"], against_losses=[], against_calibrators=["identity"])
    (found,) = measure(compared, [by_hand(rows)])
    assert found.differences == (0.25 - 1.0,)
    assert found.compared == "ats − identity (gce)"


def test_a_method_is_never_compared_with_itself():
    rows = [("gce", "identity", 1, 0.25), ("focal", "identity", 1, 1.0)]
    (found,) = measure(part(against_losses=["gce", "focal"]), [by_hand(rows)])
    assert found.compared == "gce − focal (identity)"


def test_rows_of_one_seed_are_averaged_and_partners_kept_apart():
    columns = ("partner", "kind", "severity")
    rows = [
        (loss, "identity", 1, partner, "corruption", severity, value)
        for loss, factor in (("gce", 1.0), ("cross_entropy", 2.0))
        for partner, base in (("noise", 1.0), ("blur", 4.0))
        for severity, value in ((0, 99.0), (1, factor * base), (2, 3 * factor * base))
    ]
    rows += [("gce", "identity", 1, "noise", "site", 1, 77.0)]
    found = measure(
        part(rows=SHIFTED, each=["partner"]), [by_hand(rows, table="shift", columns=columns)]
    )
    # The mean of b and 3b is 2b; gce less cross_entropy is therefore 2b - 4b.
    assert [(each.compared, each.differences) for each in found] == [
        ("gce − cross_entropy (identity); noise", (2.0 - 4.0,)),
        ("gce − cross_entropy (identity); blur", (8.0 - 16.0,)),
    ]


def test_a_difference_of_differences_subtracts_the_same_difference_in_other_rows():
    rows = [(loss, "identity", 1, group, value) for loss, group, value in (
        ("gce", "few", 1.0), ("gce", "many", 0.5),
        ("cross_entropy", "few", 4.0), ("cross_entropy", "many", 2.0))]  # fmt: skip
    compared = part(
        rows=Rows(table="long_tail", where={"group": "few"}),
        less=Rows(table="long_tail", where={"group": "many"}),
    )
    (found,) = measure(compared, [by_hand(rows, table="long_tail", columns=("group",))])
    assert found.differences == ((1.0 - 4.0) - (0.5 - 2.0),)


def test_one_method_can_be_compared_in_two_kinds_of_rows():
    rows = [("gce", "ats", 1, "few_shot_50", 0.25), ("gce", "ats", 1, "none", 1.0)]
    compared = part(
        against_losses=[],
        calibrators=["ats"],
        rows=Rows(table="site_recalibration", where={"correction": "few_shot_50"}),
        less=Rows(table="site_recalibration", where={"correction": "none"}),
    )
    held = by_hand(rows, table="site_recalibration", columns=("correction",))
    (found,) = measure(compared, [held])
    assert found.differences == (0.25 - 1.0,)
    assert found.compared == "gce with ats"


def test_the_difference_of_another_data_set_of_the_study_can_be_subtracted():
    def methods(one, other):
        return [("gce", "identity", 1, one), ("cross_entropy", "identity", 1, other)]

    steep = by_hand(methods(1.0, 4.0), dataset="lt100", study="longtail")
    flat = by_hand(methods(1.0, 2.0), dataset="lt10", study="longtail")
    elsewhere = by_hand(methods(1.0, 9.0), dataset="lt10", study="benchmark")
    compared = part(rows=Rows(datasets=["lt100"]), less=Rows(datasets=["lt10"]))
    (found,) = measure(compared, [steep, flat, elsewhere])
    assert found.differences == ((1.0 - 4.0) - (1.0 - 2.0),)
    assert found.experiment == "longtail/lt100-thin less lt10"


def test_the_same_training_in_two_studies_counts_once_with_the_most_seeds():
    short = evidence("busi", seeds=[0, 1, 2])
    long = evidence("busi", study="ablation")
    (found,) = measure(part(), [short, long])
    assert (found.experiment, len(found.differences)) == ("ablation/busi-thin", 5)
    (first,) = measure(part(), [evidence("busi"), long])
    assert first.experiment == "medical/busi-thin"


def test_another_recipe_is_another_training():
    pair = [evidence("busi"), evidence("busi", study="ablation", recipe="mixup")]
    assert len(measure(part(), pair)) == 2


def test_a_part_can_be_confined_to_data_sets():
    every = [evidence("busi"), evidence("bccd")]
    found = measure(part(rows=Rows(datasets=["busi"])), every)
    assert [each.experiment for each in found] == ["medical/busi-thin"]


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"metric": "easy_ece"}, "easy_ece"),
        ({"rows": Rows(where={"severty": 1})}, "severty"),
        ({"rows": Rows(without={"veiw": "clean"})}, "veiw"),
        ({"each": ["partner"]}, "partner"),
    ],
)
def test_a_column_that_the_table_lacks_is_an_error_and_not_a_silence(changes, column):
    with pytest.raises(InputError, match=rf"busi-thin, table runs: column '{column}' expected"):
        measure(part(**changes), [evidence("busi")])
