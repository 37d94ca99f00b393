import numpy as np
import pandas as pd
import pytest

from pipeline.findings.summary import summary_table
from pipeline.findings.tidy import tidy

RUNS = pd.DataFrame(
    [("gce", "ats", 0, 0.25, 1.0), ("gce", "ats", 1, 0.75, np.nan), ("ce", "ats", 0, 0.5, 2.0)],
    columns=["loss", "calibrator", "seed", "accuracy", "nll"],
)


def test_a_row_is_mean_deviation_and_number_of_seeds_in_the_order_of_the_table():
    scores = tidy("s", "e", {"runs": RUNS}, {"runs": ["accuracy", "nll"]})
    found = summary_table(scores)
    assert found[["loss", "metric", "num_seeds"]].to_numpy().tolist() == [
        ["gce", "accuracy", 2], ["gce", "nll", 2], ["ce", "accuracy", 1], ["ce", "nll", 1],
    ]  # fmt: skip
    # Squares of -1/4 and 1/4 over 1.
    assert found["sd"][0] == pytest.approx((2 / 16) ** 0.5)
    assert found["mean"].fillna(-1).tolist() == [0.5, -1.0, 0.5, 2.0]
    assert found["sd"].isna().tolist() == [False, True, True, True]


def test_other_tables_have_no_part_in_it():
    tail = RUNS.assign(rule="count", group="few")
    tables = {"runs": RUNS, "long_tail": tail}
    both = tidy("s", "e", tables, {"runs": ["accuracy"], "long_tail": ["accuracy"]})
    alone = tidy("s", "e", {"runs": RUNS}, {"runs": ["accuracy"]})
    pd.testing.assert_frame_equal(summary_table(both), summary_table(alone))
