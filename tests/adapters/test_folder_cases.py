from dataclasses import replace

import numpy as np
import pytest

from pipeline.adapters.case import Quarantined
from pipeline.adapters.folder_cases import (
    label_of,
    make_case,
    rows_without_files,
    screened,
    separated,
)
from pipeline.adapters.folder_index import FileFacts
from pipeline.adapters.label_table import Labelled
from pipeline.adapters.refused import Refused

FACTS = FileFacts(
    "a.dcm", "0", 0, "file", sop="sop", series="series", study="study", patient="patient",
    site="north", sex="female", age=50,
)  # fmt: skip
ILL, HEALTHY = Labelled("sop", label=1), Labelled("other", label=0)


def case(facts=FACTS, **labelled):
    return make_case("c", np.zeros(1), facts, replace(ILL, **labelled), sha256="0", spacing_mm=None)


def test_kept_and_left_out_each_keep_their_order():
    out = [Quarantined("a", "r", "x"), Quarantined("b", "r", "x")]
    assert separated([1, out[0], 2, out[1], 3]) == ([1, 2, 3], out)


def test_the_table_goes_before_the_header():
    stated = case(patient="other", site="south", sex="male", age=20)
    assert (stated.patient, stated.site, stated.sex, stated.age) == ("other", "south", "male", 20)


def test_the_header_fills_what_the_table_leaves_open():
    found = case()
    assert (found.patient, found.site, found.sex, found.age) == ("patient", "north", "female", 50)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [(("patient",), "study"), (("patient", "study"), "series"),
     (("patient", "study", "series"), "file")],
)  # fmt: skip
def test_what_comes_nearest_stands_for_an_unnamed_patient(missing, expected):
    found = case(replace(FACTS, **dict.fromkeys(missing, "")))
    assert (found.patient, found.patient_is) == (expected, expected)


def test_a_patient_that_the_table_or_the_header_names_is_one():
    assert (
        case().patient_is == case(replace(FACTS, patient=""), patient="p").patient_is == "patient"
    )


def test_a_label_is_looked_up_by_the_kind_of_key():
    assert label_of([FACTS], {"sop": ILL}, "sop") is ILL
    with pytest.raises(Refused, match="no label") as refused:
        label_of([FACTS], {"sop": ILL}, "series")
    assert refused.value.advice == "add its series to the table of labels, or take it out"


def test_one_label_among_a_cases_files_is_enough():
    assert label_of([FACTS, replace(FACTS, sop="unlabelled")], {"sop": ILL}, "sop") is ILL


def test_files_labelled_differently_conflict():
    files = [FACTS, replace(FACTS, sop="other")]
    with pytest.raises(Refused, match="conflicting labels"):
        label_of(files, {"sop": ILL, "other": HEALTHY}, "sop")


@pytest.mark.parametrize(
    "change", [{"site": "south"}, {"sex": "male"}, {"age": 51.0}, {"patient": "another"}]
)
def test_rows_of_a_cases_files_that_say_other_things_of_it_conflict(change):
    files = [FACTS, replace(FACTS, sop="other")]
    labels = {"sop": ILL, "other": replace(ILL, key="other", **change)}
    with pytest.raises(Refused, match="conflicting labels"):
        label_of(files, labels, "sop")


def test_a_fault_in_the_table_is_passed_on():
    faulty = Labelled("sop", fault="label outside the classes", advice="known: a, b")
    with pytest.raises(Refused, match="label outside the classes"):
        label_of([FACTS], {"sop": faulty}, "sop")


def test_a_row_whose_path_no_file_has_is_told_what_a_path_is():
    (found,) = rows_without_files([Labelled("a", row=2)], set(), "file")
    assert found.advice.startswith(
        "no readable file has its path below the folder (capitals count): add the file"
    )


def test_rows_whose_key_no_file_has_are_named_by_their_number():
    rows = [Labelled("c", row=7), Labelled("a", row=2), Labelled("b", row=3)]
    assert list(rows_without_files(rows, {"a"}, "sop")) == [
        Quarantined(
            f"row {number} of the labels",
            "no file for this row",
            "no readable file has its sop: add the file, correct the row or take it out",
        )
        for number in (3, 7)
    ]


SOUND = FileFacts(
    "a.dcm", "1", 0, "a", sop="one", num_rows=4, num_columns=5, num_frames=6, num_samples=1
)


def reasons(*files, max_pixels=120, **changes):
    found = screened(files, max_pixels=max_pixels, **changes)
    return [each.reason for each in found if isinstance(each, Quarantined)]


def test_a_sound_file_passes_as_it_is():
    assert list(screened([SOUND], max_pixels=120)) == [SOUND]


def test_the_limit_itself_is_allowed():
    assert reasons(SOUND, max_pixels=4 * 5 * 6) == []
    assert reasons(SOUND, max_pixels=4 * 5 * 6 - 1) == ["too large"]


def test_the_first_of_two_files_with_the_same_bytes_stays():
    assert reasons(SOUND, replace(SOUND, source="b.dcm", sop="two")) == ["duplicate file"]


def test_the_first_of_two_images_with_the_same_uid_stays():
    other = replace(SOUND, source="b.dcm", sha256="2")
    assert reasons(SOUND, other) == ["duplicate SOP instance UID"]


def test_a_duplicate_names_the_file_that_stays():
    third = replace(SOUND, source="c.dcm", sop="three")
    twin = replace(SOUND, source="b.dcm", sha256="2")
    advice = [
        each.advice
        for each in screened([SOUND, twin, third], max_pixels=120)
        if isinstance(each, Quarantined)
    ]
    assert advice == [
        "keep the right one of it and a.dcm, another image of that UID",
        "keep one copy: it has the bytes of a.dcm",
    ]


def test_files_without_a_uid_are_no_duplicates_of_each_other():
    files = [replace(SOUND, sha256=str(number), sop="") for number in range(3)]
    assert reasons(*files) == []


def test_a_file_that_is_left_out_makes_no_other_a_duplicate():
    assert reasons(replace(SOUND, fault="unreadable header"), SOUND) == ["unreadable header"]


@pytest.mark.parametrize(("allowed", "expected"), [(False, ["burned-in annotation"]), (True, [])])
def test_burned_in_text_is_left_out_unless_allowed(allowed, expected):
    assert reasons(replace(SOUND, burned_in=True), allow_burned_in=allowed) == expected
