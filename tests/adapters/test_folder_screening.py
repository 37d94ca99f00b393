from dataclasses import replace

import pytest

from pipeline.adapters.case import Quarantined
from pipeline.adapters.file_facts import FileFacts
from pipeline.adapters.folder_screening import screened

FACTS = FileFacts(
    "a.dcm", "1", 0, "a", sop="one", num_rows=4, num_columns=5, num_frames=6, num_samples=1
)


def reasons(*files, max_pixels=120, **changes):
    found = screened(files, max_pixels=max_pixels, **changes)
    return [each.reason for each in found if isinstance(each, Quarantined)]


def test_a_sound_file_passes_as_it_is():
    assert list(screened([FACTS], max_pixels=120)) == [FACTS]


def test_the_limit_itself_is_allowed():
    assert reasons(FACTS, max_pixels=4 * 5 * 6) == []
    assert reasons(FACTS, max_pixels=4 * 5 * 6 - 1) == ["too large"]


def test_the_first_of_two_files_with_the_same_bytes_stays():
    assert reasons(FACTS, replace(FACTS, source="b.dcm", sop="two")) == ["duplicate file"]


def test_the_first_of_two_images_with_the_same_uid_stays():
    other = replace(FACTS, source="b.dcm", sha256="2")
    assert reasons(FACTS, other) == ["duplicate SOP instance UID"]


def test_a_duplicate_names_the_file_that_stays():
    third = replace(FACTS, source="c.dcm", sop="three")
    twin = replace(FACTS, source="b.dcm", sha256="2")
    advice = [
        each.advice
        for each in screened([FACTS, twin, third], max_pixels=120)
        if isinstance(each, Quarantined)
    ]
    assert advice == [
        "keep the right one of it and a.dcm, another image of that UID",
        "keep one copy: it has the bytes of a.dcm",
    ]


def test_files_without_a_uid_are_no_duplicates_of_each_other():
    files = [replace(FACTS, sha256=str(number), sop="") for number in range(3)]
    assert reasons(*files) == []


def test_a_file_that_is_left_out_makes_no_other_a_duplicate():
    assert reasons(replace(FACTS, fault="unreadable header"), FACTS) == ["unreadable header"]


@pytest.mark.parametrize(("allowed", "expected"), [(False, ["burned-in annotation"]), (True, [])])
def test_burned_in_text_is_left_out_unless_allowed(allowed, expected):
    assert reasons(replace(FACTS, burned_in=True), allow_burned_in=allowed) == expected
