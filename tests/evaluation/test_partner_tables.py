import pytest

from pipeline.artifacts import ForeignPredictions
from pipeline.evaluation.operating_points import operating_points_table
from pipeline.evaluation.partner_tables import partner_tables
from pipeline.evaluation.partners import PartnerRun
from tests.evaluation.test_tables import ROW

COLUMNS = {
    "ood": "loss calibrator seed partner kind score known foreign auroc aupr_in aupr_out "
    "fpr_at_95_tpr",
    "ood_summary": "loss calibrator partner kind score metric mean sd num_seeds",
    "ood_answered": "loss calibrator seed partner kind target threshold answered foreign rate "
    "lower upper",
    "ood_confidence": "calibrator partner kind left right cases share",
    "shift": "loss calibrator seed partner kind view corruption severity cases patients accuracy "
    "nll ece brier threshold answered wrong coverage risk risk_lower risk_upper",
    "site_recalibration": "loss calibrator seed partner correction cases accuracy nll ece brier "
    "num_draws",
}


@pytest.fixture(scope="module")
def points(runs):
    return operating_points_table(runs, targets=ROW.risk_targets, delta=ROW.delta)


def tables_of(runs, points, *kinds):
    partners = []
    for kind in kinds:
        for run in runs:
            test = run.test.predictions
            without = ForeignPredictions(test.logits, test.cases, test.patients)
            seen = without if kind.endswith("ood") else test
            partners.append(PartnerRun(run, f"a {kind}", kind, seen))
    return partner_tables(partners, ROW, points, closely=["identity", "temperature"], seed=0)


def test_every_kind_of_partner_has_its_tables_with_these_columns(runs, points):
    tables = tables_of(runs, points, "near_ood", "far_ood", "corruption", "site")
    assert {name: " ".join(table.columns) for name, table in tables.items()} == COLUMNS


def test_tables_that_these_partners_do_not_give_are_left_out(runs, points):
    assert set(tables_of(runs, points, "far_ood")) == {name for name in COLUMNS if "ood" in name}
    assert set(tables_of(runs, points, "corruption")) == {"shift"}
    assert set(tables_of(runs, points, "site")) == {"shift", "site_recalibration"}


def test_the_shown_model_is_the_headlines_first_seed(runs, points):
    table = tables_of(runs, points, "far_ood")["ood_confidence"]
    known = table[(table["partner"] == "known") & (table["calibrator"] == "identity")]
    shown = next(run for run in runs if run.loss == ROW.headline_loss)
    assert known["cases"].sum() == len(shown.test.predictions)
    assert set(table["calibrator"]) == {"identity", "temperature"}
