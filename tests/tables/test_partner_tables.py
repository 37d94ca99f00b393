from pipeline.artifacts import ForeignPredictions
from pipeline.tables import TABLES
from pipeline.tables.parts.experiment import Experiment
from pipeline.tables.parts.partners import PartnerRun
from tests.tables.test_tables import CARD, ROW

COLUMNS = {
    "ood": "loss calibrator seed partner kind score known foreign auroc aupr_in aupr_out "
    "fpr_at_95_tpr",
    "ood_answered": "loss calibrator seed partner kind target threshold answered foreign rate "
    "lower upper",
    "ood_confidence": "calibrator partner kind left right cases share",
    "shift": "loss calibrator seed partner kind view corruption severity cases patients accuracy "
    "nll ece brier threshold answered wrong coverage risk risk_lower risk_upper",
    "site_recalibration": "loss calibrator seed partner correction cases accuracy nll ece brier "
    "num_draws",
}


def tables_of(runs, *kinds):
    partners = []
    for kind in kinds:
        for run in runs:
            test = run.test.predictions
            without = ForeignPredictions(test.logits, test.cases, test.patients)
            seen = without if kind.endswith("ood") else test
            partners.append(PartnerRun(run, f"a {kind}", kind, seen))
    experiment = Experiment(runs, ROW, CARD, partners)
    frames = {name: experiment.frame(TABLES[name]) for name in COLUMNS}
    return {name: frame for name, frame in frames.items() if len(frame)}


def test_every_kind_of_partner_has_its_tables_with_these_columns(runs):
    tables = tables_of(runs, "near_ood", "far_ood", "corruption", "site")
    assert {name: " ".join(table.columns) for name, table in tables.items()} == COLUMNS


def test_tables_that_these_partners_do_not_give_are_left_out(runs):
    assert set(tables_of(runs, "far_ood")) == {name for name in COLUMNS if "ood" in name}
    for kind in ("corruption", "site"):
        assert set(tables_of(runs, kind)) == {"shift", "site_recalibration"}


def test_the_shown_model_is_the_headlines_first_seed(runs):
    table = tables_of(runs, "far_ood")["ood_confidence"]
    known = table[(table["partner"] == "known") & (table["calibrator"] == "identity")]
    shown = next(run for run in runs if run.loss == ROW.headline_loss)
    assert known["cases"].sum() == len(shown.test.predictions)
    assert set(table["calibrator"]) == {"identity", "temperature"}
