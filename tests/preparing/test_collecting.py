from dataclasses import replace

import numpy as np
import pytest

from pipeline.adapters import Case, Quarantined
from pipeline.errors import InputError
from pipeline.preparing.collecting import collect
from pipeline.preparing.images import ImageSpool
from tests.sources import make_dataset

CASE = Case(
    case="one",
    image=np.zeros((4, 4, 1), np.uint8),
    label=1,
    patient="p",
    source="f.npz",
    source_sha256="0" * 64,
)
BROKEN = Quarantined("b.dcm", "truncated", "export it again")


@pytest.fixture
def spool(tmp_path):
    with ImageSpool(tmp_path / "spool", (4, 4, 1)) as spool:
        yield spool


def test_rows_follow_the_source_and_what_is_left_out_is_listed(spool):
    cases = [CASE, BROKEN, replace(CASE, case="two", label=0, site="north", split="test", age=61)]
    collected = collect(cases, make_dataset(), spool)
    assert collected.cases["case"].tolist() == ["one", "two"]
    assert collected.cases["site"].tolist() == ["not recorded", "north"]
    assert collected.cases["official"].isna().tolist() == [True, False]
    assert collected.cases["age"].tolist()[1] == 61
    assert collected.quarantined == [BROKEN]


def test_files_are_counted_beside_cases(spool):
    cases = [
        replace(CASE, num_files=20),
        replace(CASE, case="frame 1"),
        replace(CASE, case="frame 2", num_files=0),
        replace(CASE, source="again.dcm", num_files=5),
    ]
    collected = collect(cases, make_dataset(), spool)
    assert (len(collected.cases), collected.num_files) == (3, 21)
    assert [each.num_files for each in collected.quarantined] == [5]


@pytest.mark.parametrize(("group", "expected"), [("patient", "p"), ("source", "f.npz")])
def test_the_grouping_column_is_the_configs(spool, group, expected):
    dataset = make_dataset(splits={"official": True, "group": group})
    assert collect([CASE], dataset, spool).cases["group"].tolist() == [expected]


def test_a_second_case_of_the_same_key_is_quarantined(spool):
    collected = collect([CASE, replace(CASE, source="g.npz")], make_dataset(), spool)
    assert len(collected.cases) == 1
    assert collected.quarantined[0].source == "g.npz"
    assert collected.quarantined[0].reason == "duplicate case key"


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_pixels_that_are_not_finite_are_quarantined(spool, value):
    image = np.full((4, 4, 1), value, np.float32)
    good = replace(CASE, case="good", image=np.zeros((4, 4, 1), np.float32))
    collected = collect([replace(CASE, image=image), good], make_dataset(), spool)
    assert [each.reason for each in collected.quarantined] == ["pixels are not finite"]


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (replace(CASE, label=2), r"case one of f\.npz: label must lie in \[0, 2\), got 2"),
        (replace(CASE, label=-1), r"label must lie in \[0, 2\), got -1"),
        (
            replace(CASE, image=np.zeros((4, 5, 1), np.uint8)),
            r"case one of f\.npz: image of shape \(4, 4, 1\) expected, got \(4, 5, 1\)",
        ),
        (
            replace(CASE, image=np.zeros((4, 4, 1))),
            "image of type uint8, int16, float32 expected, got float64",
        ),
    ],
)
def test_a_case_that_is_not_what_the_config_states_is_refused_by_name(spool, case, message):
    with pytest.raises(InputError, match=message):
        collect([case], make_dataset(), spool)


def test_images_of_two_types_are_refused(spool):
    other = replace(CASE, case="two", image=np.zeros((4, 4, 1), np.int16))
    with pytest.raises(InputError, match="case two .*image of type uint8 expected, got int16"):
        collect([CASE, other], make_dataset(), spool)


def test_on_error_fail_stops_at_the_first(spool):
    message = r"on_error: fail: b\.dcm: truncated \(export it again\)"
    with pytest.raises(InputError, match=message):
        collect([CASE, BROKEN], make_dataset(on_error="fail"), spool)


def test_an_image_of_one_colour_is_blank_and_one_of_two_values_is_not(tmp_path):
    colour = np.full((4, 4, 3), [10, 20, 30], np.uint8)
    dotted = colour.copy()
    dotted[3, 3, 0] += 1
    cases = [replace(CASE, case="blank", image=colour), replace(CASE, case="seen", image=dotted)]
    with ImageSpool(tmp_path / "coloured", (4, 4, 3)) as spool:
        collected = collect(cases, make_dataset(channels=3), spool)
    assert collected.blank == {collected.cases["pixel_sha256"][0]}


def test_what_stands_for_the_patient_is_kept_and_an_image_that_does_is_told(spool):
    cases = [
        CASE,
        replace(CASE, case="two", patient_is="study"),
        replace(CASE, case="three", patient="three"),
    ]
    collected = collect(cases, make_dataset(), spool)
    assert collected.cases["patient_is"].tolist() == ["patient", "study", "image"]
