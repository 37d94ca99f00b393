from dataclasses import replace

from pipeline.adapters.case import Quarantined
from pipeline.adapters.dicom.agreement import agreeing
from pipeline.adapters.file_facts import FileFacts


def series(num_files, **common):
    stated = {"series": "s", "patient": "p", "study": "t", "num_rows": 4, "num_columns": 4}
    return [
        FileFacts(source=f"{n}.dcm", sha256=str(n), num_bytes=0, file=str(n), **(stated | common))
        for n in range(num_files)
    ]


def left_out(files, *, volumes=True):
    found = agreeing(files, volumes=volumes)
    return {each.source: each.reason for each in found if isinstance(each, Quarantined)}


def test_files_that_agree_all_stay_in_their_order():
    files = series(4)
    assert list(agreeing(files, volumes=True)) == files


def test_another_patients_file_in_a_series_is_left_out():
    files = series(3)
    files[0] = replace(files[0], patient="q")
    assert left_out(files) == {"0.dcm": "patient disagrees with the series"}


def test_another_geometry_matters_to_a_volume_alone():
    files = series(3)
    files[2] = replace(files[2], num_rows=5)
    assert left_out(files) == {"2.dcm": "geometry disagrees with the series"}
    assert left_out(files, volumes=False) == {}


def test_rounding_in_a_header_is_no_disagreement():
    files = series(3, pixel_spacing=(0.7, 0.7), orientation=(1.0, 0, 0, 0, 1, 0))
    turned = (1.00001, 0, 0, 0, 1, 0)
    files[1] = replace(files[1], pixel_spacing=(0.70001, 0.7), orientation=turned)
    assert left_out(files) == {}


def test_the_first_file_wins_a_tie():
    files = series(2)
    files[1] = replace(files[1], patient="q")
    assert left_out(files) == {"1.dcm": "patient disagrees with the series"}


def test_files_without_a_series_stand_alone():
    files = series(2, series="")
    files[1] = replace(files[1], patient="q")
    assert left_out(files) == {}
