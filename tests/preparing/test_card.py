import numpy as np
import pandas as pd

from pipeline.adapters import Quarantined
from pipeline.cases import COLUMNS
from pipeline.preparing.card import cases_fingerprint, make_card
from pipeline.preparing.collecting import Collected
from tests.sources import make_cases, make_dataset


def cases(**columns):
    split = ["train"] * 3 + ["test"]
    return make_cases([0, 0, 1, 1], **({"split": split} | columns))[COLUMNS.names]


def card(table, blank=(), patient_is="patient", **changes):
    read = pd.concat([table, table.iloc[:2]], ignore_index=True).assign(patient_is=patient_is)
    left_out = [Quarantined("a", "truncated", "")]
    collected = Collected(read, left_out, num_files=6, blank=frozenset(blank))
    return make_card("small", make_dataset(**changes), table, np.dtype("uint8"), collected)


def test_counts_are_by_split_and_class_and_patients_by_split():
    made = card(cases(patient=["p", "p", "q", "r"]))
    assert made["counts"] == {"train": {"healthy": 2, "ill": 1}, "test": {"healthy": 0, "ill": 1}}
    assert made["patients"] == {"train": 2, "test": 1}
    assert (made["read"], made["left_out"], made["quarantined"]) == (6, 2, {"truncated": 1})


def test_spacing_is_a_range_a_axis_where_it_is_recorded():
    assert card(cases())["spacing_mm"] is None
    spacing = pd.Series([[1.0, 0.5], None, [3.0, 0.4], None], dtype=object)
    expected = {"smallest": [1.0, 0.4], "largest": [3.0, 0.5]}
    # Of the two others it is unknown: the range is not theirs.
    assert card(cases(spacing=spacing))["spacing_mm"] == expected | {"unknown": 2}
    known = pd.Series([[1.0, 0.5], [3.0, 0.4]] * 2, dtype=object)
    assert card(cases(spacing=known))["spacing_mm"] == expected


def test_known_label_probabilities_mark_a_simulation():
    assert not card(cases())["simulated"]
    truth = pd.Series([[0.5, 0.5]] * 4, dtype=object)
    assert card(cases(truth=truth))["simulated"]


def test_the_fingerprint_changes_with_a_label_a_split_and_a_pixel():
    table = cases()
    changed = [
        cases(label=np.array([1, 0, 1, 1], np.int32)),
        cases(split=["train"] * 2 + ["test"] * 2),
        cases(pixel_sha256=["f" * 64] * 4),
    ]
    prints = [cases_fingerprint(each) for each in (table, *changed)]
    assert cases_fingerprint(cases()) == prints[0]
    assert len(set(prints)) == 4


def test_a_patient_that_no_source_names_is_counted_by_what_stands_for_it():
    assert "unnamed_patients" not in card(cases())
    standing = ["study", "patient", "study", "file", "image", "image"]
    assert card(cases(), patient_is=standing)["unnamed_patients"] == {"file": 1, "study": 2}


def test_blank_images_are_counted_apart_from_equal_ones():
    first, second, third = (f"{number:064x}" for number in range(3))
    table = cases(pixel_sha256=[first, second, second, first])
    assert card(table)["equal_pixels"] == {
        "across": {"train/test": 1}, "within": {"train": 1}, "with_conflicting_labels": 2,
    }  # fmt: skip
    assert card(table, blank=[first, third])["equal_pixels"] == {
        "across": {}, "within": {"train": 1}, "with_conflicting_labels": 1, "blank": 2,
    }  # fmt: skip
