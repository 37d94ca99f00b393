import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.claims import TableName
from pipeline.errors import InputError
from pipeline.findings.tidy import (
    KEYS,
    SCHEMA,
    TABLES,
    read_tidy,
    require_columns,
    tidy,
    wide,
    write_tidy,
)
from tests.findings.simulated_evidence import experiment_row, table
from tests.findings.simulated_study import partner_tables

ROW = experiment_row("busi")
EVERY = {"runs": table(ROW, {}, noise=0.01, seed=0), **partner_tables(ROW)}
METRICS = {
    "runs": ["accuracy", "ece"], "long_tail": ["ece"], "ood": ["auroc"], "shift": ["ece"],
    "site_recalibration": ["ece", "nll"],
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    write_tidy(tidy("medical", "busi-thin", EVERY, METRICS), tmp_path / "scores.parquet")
    return tmp_path / "scores.parquet"


def test_the_tables_are_those_that_claims_may_name():
    assert set(TABLES) == set(TableName.__args__)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_comes_back_with_its_rows_in_order_and_every_digit(path, name):
    stored = read_tidy(path)
    found = wide(stored[stored["table"] == name], name, place="here")
    columns = [*KEYS, *TABLES[name], *METRICS[name]]
    expected = EVERY[name][columns].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)


@given(st.lists(st.floats(allow_infinity=False), min_size=1, max_size=9))
def test_no_bit_of_a_value_is_lost_and_what_is_undefined_stays_so(tmp_path_factory, values):
    runs = pd.DataFrame({"loss": "gce", "calibrator": "ats", "seed": range(len(values)),
                         "ece": values})  # fmt: skip
    file = tmp_path_factory.mktemp("bits") / "scores.parquet"
    write_tidy(tidy("s", "e", {"runs": runs}, {"runs": ["ece"]}), file)
    found, expected = read_tidy(file)["value"].to_numpy(), np.array(values)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    defined = ~np.isnan(expected)
    assert found[defined].tobytes() == expected[defined].tobytes()


def test_equal_tables_give_equal_bytes(path, tmp_path):
    write_tidy(read_tidy(path), tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == path.read_bytes()


def test_a_value_takes_little_more_than_its_own_bytes(tmp_path):
    row = experiment_row("busi", losses=[f"loss_{i}" for i in range(40)], seeds=list(range(50)))
    runs = table(row, {}, noise=0.1, seed=0)
    write_tidy(tidy("s", "e", {"runs": runs}, {"runs": ["ece", "nll"]}), tmp_path / "x.parquet")
    # Eight bytes each, of which signs and exponents compress; what tells the rows apart repeats.
    assert (tmp_path / "x.parquet").stat().st_size < 8 * 2 * len(runs)


def test_a_metric_that_a_table_lacks_is_named():
    with pytest.raises(InputError, match=r"medical/busi-thin, ood.csv: column 'fpr' expected"):
        tidy("medical", "busi-thin", EVERY, METRICS | {"ood": ["fpr"]})
    with pytest.raises(InputError, match=r"here: column 'b' expected, got: a"):
        require_columns(pd.DataFrame({"a": [1]}), ["a", "b"], place="here")


def test_metrics_of_other_rows_and_rows_that_stand_twice_are_refused(path):
    stored = read_tidy(path)
    runs = stored[stored["table"] == "runs"]
    with pytest.raises(InputError, match="here: table runs: other rows of ece than"):
        wide(runs.iloc[:-1], "runs", place="here")
    with pytest.raises(InputError, match="here: table runs: a row stands there twice"):
        wide(pd.concat([runs, runs]), "runs", place="here")
    with pytest.raises(InputError, match="table runs: at least one row expected, got none"):
        wide(runs.iloc[:0], "runs", place="here")


def test_a_file_that_is_absent_broken_or_another_table_is_refused(path, tmp_path):
    with pytest.raises(InputError, match=r"gone.parquet: no such file"):
        read_tidy(tmp_path / "gone.parquet")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"scores.parquet: no Parquet file any more"):
        read_tidy(path)
    pd.DataFrame({"study": ["a"]}).to_parquet(path)
    with pytest.raises(
        InputError, match=rf"columns {', '.join(SCHEMA.names)} expected, got: study"
    ):
        read_tidy(path)
