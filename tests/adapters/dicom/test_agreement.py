from dataclasses import replace
from math import cos, radians, sin, sqrt

import pytest

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.agreement import agreeing, complete
from pipeline.adapters.folder_index import FileFacts


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


AXIAL, UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)


def stack(num_files, *, series="s", placed=True):
    return [
        FileFacts(
            source=f"{series}{n}.dcm", sha256=f"{series}{n}", num_bytes=0, file=f"{series}{n}",
            sop=f"{series}{n}", series=series, num_rows=4, num_columns=4, num_frames=1,
            positions=(0.0, 0.0, 2.0 * n) if placed else (), orientation=AXIAL if placed else (),
        )
        for n in range(num_files)
    ]  # fmt: skip


def dropped(kept, files):
    return [each.source for each in complete(kept, files) if isinstance(each, Quarantined)]


def test_series_that_lost_nothing_stay_as_they_are():
    files = [*stack(3), *stack(2, series="t")]
    assert list(complete(files, files)) == files


@pytest.mark.parametrize("lost", [0, 2, 4])
@pytest.mark.parametrize("placed", [True, False])
def test_a_stack_that_lost_a_slice_is_dropped_and_others_are_not(lost, placed):
    files = stack(5, placed=placed)
    other = stack(2, series="t")
    kept = [each for n, each in enumerate(files) if n != lost]
    (first, *rest) = complete([*kept, *other], [*files, *other])
    assert rest == other
    assert first.source == f"{kept[0].source} (and 3 more of its series)"
    assert first.reason == "slices of the series left out"
    assert first.advice.startswith("1 of its 5 slices cannot be used")


@pytest.mark.parametrize(
    ("changes", "costs"),
    [
        ({"positions": (0.0, 0.0, 6.0)}, True),
        ({"positions": (0.0, 0.0, 6.0), "num_rows": 8}, True),
        ({"positions": (0.0, 0.0, 6.0), "orientation": tilted(9)}, True),
        ({"positions": (0.0, 0.0, 6.0), "orientation": tilted(11)}, False),
        ({"positions": (0.0, 0.0, 6.0), "orientation": UPRIGHT}, False),
        # The place is there already: 2.4 mm is a fifth of a step from 2 mm, 2.6 mm is not.
        ({"positions": (0.0, 0.0, 2.4)}, False),
        ({"positions": (0.0, 0.0, 2.6)}, True),
        ({"positions": (), "orientation": ()}, False),
        ({"positions": (), "orientation": (), "fault": "unusable ImagePositionPatient"}, True),
        ({"positions": (), "orientation": (), "num_rows": 0, "fault": "no image"}, False),
        ({"positions": (0.0, 0.0, 6.0), "sop": "s1"}, True),
        ({"positions": (0.0, 0.0, 2.0), "sop": "s1"}, False),
        ({"positions": (0.0, 0.0, 6.0), "sha256": "s1"}, False),
        ({"positions": (0.0, 0.0, 6.0), "series": "t"}, False),
    ],
)
def test_what_was_left_out_costs_a_stack_what_it_would_have_added(changes, costs):
    files = stack(3)
    stated = {"source": "x.dcm", "sha256": "x", "sop": "x"} | changes
    assert bool(dropped(files, [*files, replace(files[0], **stated)])) is costs


def test_without_places_only_an_image_of_the_same_size_could_be_a_slice():
    files = stack(3, placed=False)
    other = replace(files[0], source="x.dcm", sha256="x", sop="x")
    assert dropped(files, [*files, other])
    assert not dropped(files, [*files, replace(other, num_rows=5)])
    assert not dropped(files, [*files, replace(other, sop="s1")])
