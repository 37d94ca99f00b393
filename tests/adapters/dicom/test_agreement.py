from dataclasses import replace
from math import cos, radians, sin, sqrt

import pytest

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.agreement import agreeing
from pipeline.adapters.file_facts import FileFacts


def series(num_files, **common):
    stated = {"series": "s", "patient": "p", "study": "t", "num_rows": 4, "num_columns": 4}
    return [
        FileFacts(source=f"{n}.dcm", sha256=str(n), num_bytes=0, file=str(n), **(stated | common))
        for n in range(num_files)
    ]


def left_out(files, *, stacked=True):
    found = agreeing(files, stacked=stacked)
    return {each.source: each.reason for each in found if isinstance(each, Quarantined)}


def test_files_that_agree_all_stay_in_their_order():
    files = series(4)
    assert list(agreeing(files, stacked=True)) == files


def test_another_patients_file_in_a_series_is_left_out():
    files = series(3)
    files[0] = replace(files[0], patient="q")
    assert left_out(files) == {"0.dcm": "patient disagrees with the series"}


def test_another_geometry_matters_where_a_series_is_one_case():
    files = series(3)
    files[2] = replace(files[2], num_rows=5)
    assert left_out(files) == {"2.dcm": "geometry disagrees with the series"}
    assert left_out(files, stacked=False) == {}


def tilted(degrees):
    tilt = radians(degrees)
    return (1.0, 0.0, 0.0, 0.0, cos(tilt), sin(tilt))


def test_rounding_in_a_header_is_no_disagreement():
    files = series(3, pixel_spacing=(0.7, 0.7), orientation=(1.0, 0, 0, 0, 1, 0))
    turned = (1.00001, 0, 0, 0, 1, 0)
    files[1] = replace(files[1], pixel_spacing=(0.70001, 0.7), orientation=turned)
    assert left_out(files) == {}


@pytest.mark.parametrize("cosine", [0.9995, 0.9985, 0.70705, 0.5])
def test_slices_on_either_side_of_a_rounding_stay_together(cosine):
    """Rounded to three decimals, 0.9995 give or take 1e-7 would be two orientations."""
    files = []
    for number, facts in enumerate(series(6)):
        along = cosine + (-1) ** number * 1e-7
        orientation = (1.0, 0.0, 0.0, 0.0, along, sqrt(1 - along**2))
        spacing = (0.70005 + (-1) ** number * 1e-9, 0.7)
        files.append(replace(facts, orientation=orientation, pixel_spacing=spacing))
    assert left_out(files) == {}


@pytest.mark.parametrize(("degrees", "expected"), [(0.1, []), (0.2, ["2.dcm"]), (90, ["2.dcm"])])
def test_slices_may_be_turned_by_a_tenth_of_a_degree(degrees, expected):
    # SAME_DIRECTION is 2e-3 radians, 0.115 degrees.
    files = series(4, orientation=tilted(0))
    files[2] = replace(files[2], orientation=tilted(degrees))
    assert list(left_out(files)) == expected


@pytest.mark.parametrize(("share", "expected"), [(0.0009, []), (0.0011, ["2.dcm"])])
def test_spacings_may_differ_by_a_thousandth(share, expected):
    files = series(4, pixel_spacing=(0.5, 0.5))
    files[2] = replace(files[2], pixel_spacing=(0.5, 0.5 * (1 + share)))
    assert list(left_out(files)) == expected


@pytest.mark.parametrize("changes", [{"orientation": ()}, {"pixel_spacing": ()}])
def test_a_file_that_does_not_say_disagrees_with_those_that_do(changes):
    files = series(3, pixel_spacing=(1.0, 1.0), orientation=tilted(0))
    files[1] = replace(files[1], **changes)
    assert left_out(files) == {"1.dcm": "geometry disagrees with the series"}


@pytest.mark.parametrize(
    ("changes", "what"), [({"patient": "q"}, "patient"), ({"num_rows": 5}, "geometry")]
)
def test_without_a_majority_nobody_is_believed(changes, what):
    files = series(4)
    files[2:] = [replace(each, **changes) for each in files[2:]]
    reason = f"{what} disagrees with the series"
    assert left_out(files) == {f"{n}.dcm": reason for n in range(4)}


def test_files_without_a_series_stand_alone():
    files = series(2, series="")
    files[1] = replace(files[1], patient="q")
    assert left_out(files) == {}
