import json

from pipeline.calibrators import from_json
from pipeline.tables.calibrators import calibrators_table


def test_parameters_read_back_as_the_very_calibrator(runs):
    table = calibrators_table(runs)
    row = table[(table["loss"] == "sharp") & (table["calibrator"] == "temperature")].iloc[0]
    assert from_json(json.loads(row["parameters"])) == runs[0].calibrators["temperature"]


def test_a_temperature_changes_no_class_and_the_identity_no_rank(runs):
    table = calibrators_table(runs)
    assert (table["argmax_changed"] == 0).all()
    assert table["preserves_argmax"].all()
    identity = table[table["calibrator"] == "identity"]
    assert (identity["rank_inversions"] == 0).all()
