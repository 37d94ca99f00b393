from dataclasses import replace
from math import cos, radians, sin

import pytest

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.completeness import complete
from pipeline.adapters.file_facts import FileFacts

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


def tilted(degrees):
    return (1.0, 0.0, 0.0, 0.0, cos(radians(degrees)), sin(radians(degrees)))


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
