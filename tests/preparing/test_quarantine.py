import pandas as pd
import pytest

from pipeline.adapters import Quarantined
from pipeline.errors import InputError
from pipeline.preparing.quarantine import require_few_quarantined, summarise, write_quarantine
from tests.sources import make_dataset

LEFT_OUT = [
    Quarantined("a.dcm", "truncated", "export it again, whole"),
    Quarantined("b.dcm", "no label", "add a row"),
    Quarantined("c.dcm", "no label", "add a row"),
]


def test_the_list_names_file_reason_and_advice(tmp_path):
    write_quarantine(LEFT_OUT, tmp_path / "quarantine.csv")
    read = pd.read_csv(tmp_path / "quarantine.csv")
    assert read.columns.tolist() == ["file", "reason", "advice"]
    assert read.iloc[0].tolist() == ["a.dcm", "truncated", "export it again, whole"]


def test_an_empty_list_has_its_header(tmp_path):
    write_quarantine([], tmp_path / "quarantine.csv")
    assert (tmp_path / "quarantine.csv").read_text() == "file,reason,advice\n"


def test_the_summary_counts_by_reason_most_frequent_first():
    assert summarise(97, LEFT_OUT) == "97 cases read, 3 quarantined: 2 no label, 1 truncated"


def test_exactly_the_allowed_share_passes_and_one_more_does_not():
    dataset = make_dataset(max_quarantined_share=0.03)
    require_few_quarantined(97, LEFT_OUT, dataset)  # 3 of 100
    message = (
        r"96 cases read, 3 quarantined: .*: more than max_quarantined_share 0\.03 allows; "
        r"first: a\.dcm: truncated \(export it again, whole\)"
    )
    with pytest.raises(InputError, match=message):
        require_few_quarantined(96, LEFT_OUT, dataset)
