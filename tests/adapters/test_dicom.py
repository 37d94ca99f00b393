import logging

import numpy as np
import pytest
from pydicom import Dataset as Header
from pydicom import Sequence
from pydicom.uid import SegmentationStorage

from pipeline.adapters import dicom
from pipeline.adapters.case import Case
from pipeline.adapters.dicom.arguments import DicomArguments
from pipeline.config import read_dataset
from pipeline.config.reading import check_config
from pipeline.errors import InputError
from tests.dicom_files import (
    folder_dataset,
    patient_id,
    read_folder,
    revealed,
    uid,
    write_image,
    write_table,
)
from tests.projects import ROOT
from tests.sources import mirrored

RAMP = np.arange(16, dtype=np.uint16).reshape(4, 4)
WHOLE = {"WindowCenter": 8, "WindowWidth": 16}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """Work in a folder of its own, where the identity key is made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPELINE_IDENTITY_KEY", raising=False)
    return tmp_path


def read_images(project, images, *, table=None, columns=("key", "label"), **config):
    """Write images by file name, label all of them ill unless a table says otherwise, and read."""
    for name, elements in images.items():
        stated = {"pixels": RAMP, "name": name} | elements
        write_image(project / "in" / name, stated.pop("pixels"), **stated)
    rows = [(name, "ill") for name in images] if table is None else table
    path = write_table(project / "labels.csv", rows, columns)
    return read_folder(project / "raw", folder_dataset(project / "in", path, **config))


def only_case(project, config=None, **elements):
    """The only case of a folder with one file."""
    cases, quarantined = read_images(project, {"a.dcm": elements}, **(config or {}))
    assert quarantined == []
    assert len(cases) == 1
    return cases[0]


def reasons(quarantined):
    return {revealed(each.source): each.reason for each in quarantined}


def test_a_window_in_the_header_runs_from_black_to_white(project):
    # LINEAR: from 8 - 0.5 - (9 - 1) / 2 = 3.5 to 11.5, so value 5 is (5 - 3.5) / 8 of 255.
    case = only_case(project, WindowCenter=8, WindowWidth=9)
    assert case.image[0, 0, 0] == 0
    assert case.image[1, 1, 0] == round((5 - 3.5) / 8 * 255)
    assert case.image[3, 3, 0] == 255
    assert case.image.dtype == np.uint8


def test_low_values_bright_are_shown_mirrored(project):
    plain = only_case(project, **WHOLE).image
    mirror = only_case(project, PhotometricInterpretation="MONOCHROME1", **WHOLE).image
    np.testing.assert_array_equal(mirror, 255 - plain)


def test_a_hounsfield_window_goes_before_the_headers(project):
    config = {"window": {"centre": 0, "width": 10}}
    rescale = {"RescaleSlope": 1, "RescaleIntercept": -8}
    case = only_case(project, config, **WHOLE, **rescale)
    np.testing.assert_array_equal(case.image.ravel()[[3, 8, 13]], [0, 128, 255])


def test_physical_values_are_kept_where_they_are_asked_for(project):
    config = {"dtype": "int16", "window": "none"}
    case = only_case(project, config, RescaleSlope=2, RescaleIntercept=-1024)
    assert case.image.dtype == np.int16
    np.testing.assert_array_equal(case.image[..., 0], RAMP.astype(int) * 2 - 1024)


@pytest.mark.parametrize("channels", [1, 3])
def test_an_image_has_the_size_and_channels_of_the_config(project, channels):
    config = {"dataset": {"image_size": [2, 3], "channels": channels}}
    assert only_case(project, config, pixels=np.zeros((9, 7), np.uint8)).image.shape == (
        2, 3, channels,
    )  # fmt: skip


def test_colour_stays_colour_or_becomes_grey(project):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    coloured = only_case(project, {"dataset": {"channels": 3}}, pixels=red).image
    np.testing.assert_array_equal(coloured, red)
    grey = only_case(project, pixels=red).image
    np.testing.assert_array_equal(grey, np.full((4, 4, 1), round(0.299 * 255)))


def test_a_case_says_what_is_known_of_its_patient(project):
    known = {"PatientSex": "F", "PatientAge": "051Y", "InstitutionName": "Saint Test"}
    config = {"site_names": {"Saint Test": "north"}}
    case = only_case(project, config, PixelSpacing=[0.5, 0.25], **known)
    assert (case.sex, case.age, case.site, case.label) == ("female", 51, "north", 1)
    assert case.spacing_mm == (0.5, 0.25)
    assert revealed(case.source) == "a.dcm"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("sop", uid("image", "a.dcm")),
        ("series", uid("series", "a.dcm")),
        ("study", uid("study", "a.dcm")),
        ("accession", "ACC1"),
        ("patient", patient_id("a.dcm")),
        ("file", "deep/er/a.dcm"),
    ],
)
def test_labels_may_be_keyed_by_anything_that_identifies_a_case(project, key, value):
    images = {"deep/er/a.dcm": {"AccessionNumber": "ACC1", "name": "a.dcm"}}
    cases, quarantined = read_images(project, images, table=[(value, "ill")], key=key)
    assert quarantined == []
    assert [each.label for each in cases] == [1]


def test_a_patient_that_headers_and_table_spell_in_their_own_ways_is_one(project):
    images = {"a.dcm": {"PatientID": "0042"}, "b.dcm": {"PatientID": "X"}, "c.dcm": {}}
    table = [("a.dcm", "ill", ""), ("b.dcm", "ill", "42"), ("c.dcm", "ill", "42.0")]
    labels = {"patient_column": "who"}
    cases, out = read_images(
        project, images, table=table, columns=("key", "label", "who"), labels=labels
    )
    assert out == []
    assert len({each.patient for each in cases}) == 1


def test_a_table_that_lost_the_zeros_of_its_patients_still_labels_their_files(project):
    images = {"a.dcm": {"PatientID": "0042"}, "b.dcm": {"PatientID": "p-07"}}
    cases, out = read_images(project, images, table=[("42", "ill"), ("P-07", "ill")], key="patient")
    assert out == []
    assert [each.label for each in cases] == [1, 1]


def test_an_image_without_a_patient_has_the_one_that_its_study_names(project):
    study = {"StudyInstanceUID": uid("study", "a.dcm")}
    images = {"a.dcm": {"PatientID": "P1"}, "b.dcm": {"PatientID": None} | study}
    first, second = read_images(project, images)[0]
    assert first.patient == second.patient
    assert second.patient_is == "patient"


def test_a_study_of_two_patients_names_nobody(project):
    study = {"StudyInstanceUID": uid("study", "a.dcm")}
    images = {
        "a.dcm": {"PatientID": "P1"},
        "b.dcm": {"PatientID": "P2"} | study,
        "c.dcm": {"PatientID": None} | study,
    }
    cases, _ = read_images(project, images)
    assert [each.patient_is for each in cases] == ["patient", "patient", "study"]


def test_every_frame_is_a_case_of_its_patient(project):
    frames = np.stack([RAMP, RAMP[::-1]])
    elements = {"NumberOfFrames": 2, "PixelData": frames.tobytes(), **WHOLE}
    cases, _ = read_images(project, {"a.dcm": elements})
    assert len({each.case for each in cases}) == 2
    assert len({each.patient for each in cases}) == 1
    np.testing.assert_array_equal(cases[0].image, cases[1].image[::-1])


def stack(heights, **common):
    """Slices of one series by file name; all pixels of a slice are its place in the list."""
    return {
        f"{number}.dcm": {
            "pixels": np.full((4, 4), number, np.uint16),
            "SeriesInstanceUID": uid("series", "one"),
            "StudyInstanceUID": uid("study", "one"),
            "PatientID": "P1",
            "ImagePositionPatient": [0, 0, height],
            "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
            "PixelSpacing": [1, 1],
        }
        | common
        for number, height in enumerate(heights)
    }


SERIES = {"key": "series", "table": [(uid("series", "one"), "ill")]}
PHYSICAL = {"dtype": "int16", "window": "none"}


@pytest.mark.parametrize(("which", "expected"), [("middle", 3), (0, 1), (4, 2)])
def test_a_slice_of_a_series_is_chosen_by_its_place(project, which, expected):
    images = stack([8, 0, 16, 12, 4])
    expected_places = [1, 4, 0, 3, 2]
    cases, _ = read_images(project, images, case="series", slice=which, **SERIES, **PHYSICAL)
    position = 2 if which == "middle" else which
    assert cases[0].image[0, 0, 0] == expected_places[position]
    assert expected in {expected_places[position], 3}


def test_a_slice_that_a_series_lacks_is_quarantined(project):
    _, out = read_images(project, stack([0, 1]), case="series", slice=2, **SERIES)
    assert out[0].reason == "slice not in the series"
    assert revealed(out[0].source) == "0.dcm (and 1 more of its series)"


@pytest.mark.parametrize("heights", [[0, 2, 4, 6], [6, 4, 2, 0], [2, 6, 0, 4]])
def test_a_series_becomes_a_volume_from_feet_to_head(project, heights):
    config = {"dataset": {"image_size": [4, 4, 4]}, **SERIES, **PHYSICAL}
    cases, out = read_images(project, stack(heights), **config)
    assert out == []
    assert cases[0].image.shape == (4, 4, 4, 1)
    assert cases[0].spacing_mm == (1, 1, 2)
    np.testing.assert_array_equal(cases[0].image[1, 2, :, 0], np.argsort(heights))


def test_a_volume_is_resampled_to_a_spacing(project):
    config = {"dataset": {"image_size": [4, 4, 8]}, "spacing_mm": [1, 1, 1], **SERIES, **PHYSICAL}
    cases, _ = read_images(project, stack([0, 2, 4, 6]), **config)
    assert cases[0].spacing_mm == (1, 1, 1)
    # One index is 2 mm; 7 samples of 1 mm span the centres of the first and last slice.
    assert cases[0].image[1, 1, :, 0].max() == 3
    assert (np.diff(cases[0].image[1, 1, :7, 0]) >= 0).all()


def test_a_volume_has_one_window_that_of_its_middle_slice(project):
    images = stack([0, 1, 2])
    for number, centre in enumerate((100, 1, 300)):
        images[f"{number}.dcm"] |= {"WindowCenter": centre, "WindowWidth": 3}
    config = {"dataset": {"image_size": [4, 4, 3]}, **SERIES}
    cases, _ = read_images(project, images, **config)
    # 1 - 0.5 - 1 = -0.5 to 1.5: values 0, 1, 2 are at 0.25, 0.75 and beyond the window.
    expected = [round(0.25 * 255), round(0.75 * 255), 255]
    np.testing.assert_array_equal(cases[0].image[0, 0, :, 0], expected)


VOLUME = {"dataset": {"image_size": [4, 4, 3]}, **SERIES}
UPRIGHT = [1, 0, 0, 0, 0, -1]
"""How the columns and rows of a scout run."""


@pytest.mark.parametrize("config", [VOLUME, {"case": "series", **SERIES}])
@pytest.mark.parametrize(
    "changes",
    [
        {"pixels": np.zeros((5, 4), np.uint16)},
        {"PixelSpacing": [2, 2]},
        {"ImageOrientationPatient": [1, 0, 0, 0, 0.9998, 0.02]},
        {"PatientID": "P2"},
        {"BurnedInAnnotation": "YES"},
        {"SOPInstanceUID": uid("image", "1.dcm")},
        {"PixelSpacing": [0, 0]},
        {"ImagePositionPatient": [0, 0, "1e999"]},
    ],
)
def test_a_stack_that_would_lose_a_slice_is_left_out(project, changes, config):
    """At its end no gap would show: the patient would be shorter by a slice."""
    images = stack([0, 1, 2, 3])
    images["3.dcm"] |= changes
    cases, out = read_images(project, images, **config)
    assert cases == []
    whole = "0.dcm (and 2 more of its series)"
    assert reasons(out).keys() == {"3.dcm", whole}
    assert reasons(out)[whole] == "slices of the series left out"


@pytest.mark.parametrize(
    "extra",
    [
        {"ImageOrientationPatient": UPRIGHT, "ImagePositionPatient": [0, 0, 9]},
        {"ImageOrientationPatient": None, "ImagePositionPatient": None, "PixelSpacing": None},
        {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        {"SOPClassUID": SegmentationStorage},
        # Another copy of a slice, and another patient's image of a place that there is.
        {"SOPInstanceUID": uid("image", "1.dcm"), "ImagePositionPatient": [0, 0, 1]},
        {"PatientID": "P2", "ImagePositionPatient": [0, 0, 1]},
    ],
)
def test_what_is_no_slice_of_a_stack_costs_it_nothing(project, extra):
    images = stack([0, 1, 2, 3])
    images["3.dcm"] |= extra
    cases, out = read_images(project, images, **VOLUME)
    assert reasons(out).keys() == {"3.dcm"}
    assert cases[0].spacing_mm == (1, 1, 1)


@pytest.mark.parametrize("scout", ["0.dcm", "3.dcm"])
def test_a_scout_is_not_the_slice_of_a_series(project, scout):
    images = stack([0, 1, 2, 3])
    images[scout] |= {"ImageOrientationPatient": UPRIGHT, "pixels": RAMP}
    cases, out = read_images(project, images, case="series", slice=0, **SERIES, **PHYSICAL)
    assert reasons(out) == {scout: "geometry disagrees with the series"}
    assert cases[0].image[0, 0, 0] == (1 if scout == "0.dcm" else 0)


def test_image_types_to_leave_out_are_the_configs(project):
    images = {name: {"ImageType": ["ORIGINAL", name]} for name in ("LOCALIZER", "MPR")}
    cases, out = read_images(project, images, leave_out_image_types=["mpr"])
    assert (len(cases), reasons(out)) == (1, {"MPR": "image type left out"})


@pytest.mark.parametrize(
    "unknown", [{"PixelSpacing": None}, {"ImagePositionPatient": None}], ids=["pixels", "slices"]
)
def test_an_unknown_spacing_is_not_made_up(project, unknown):
    images = stack([0, 1, 2])
    for number, elements in enumerate(images.values()):
        elements |= unknown | {"InstanceNumber": number}
    cases, out = read_images(project, images, **VOLUME)
    assert (out, cases[0].spacing_mm) == ([], None)
    cases, out = read_images(project, images, spacing_mm=[1, 1, 1], **VOLUME)
    assert (cases, [each.reason for each in out]) == ([], ["spacing unknown"])


def test_a_spacing_that_images_of_two_axes_are_not_given_is_refused(project):
    with pytest.raises(InputError, match="'spacing_mm' needs an 'image_size' of three axes"):
        read_images(project, stack([0, 1, 2]), case="series", spacing_mm=[1, 1, 1], **SERIES)


@pytest.mark.parametrize("config", [VOLUME, VOLUME | PHYSICAL])
def test_a_stack_of_which_some_slices_alone_are_rescaled_is_left_out(project, config):
    """One without an intercept would be 1,024 hounsfield above its neighbours."""
    images = stack([0, 1, 2])
    for name in ("0.dcm", "2.dcm"):
        images[name] |= {"RescaleSlope": 1, "RescaleIntercept": -1024}
    cases, out = read_images(project, images, **config)
    assert (cases, [each.reason for each in out]) == ([], ["rescale of some slices only"])


def enhanced(orientations, positions, **common):
    """A multi-frame object whose frames have groups of their own; frame n is all n."""
    groups = []
    for orientation, position in zip(orientations, positions, strict=True):
        plane, turned, group = Header(), Header(), Header()
        plane.ImagePositionPatient = list(position)
        turned.ImageOrientationPatient = list(orientation)
        group.PlanePositionSequence = Sequence([plane])
        group.PlaneOrientationSequence = Sequence([turned])
        groups.append(group)
    frames = np.stack([np.full((4, 4), number, np.uint16) for number in range(len(groups))])
    measures, shared = Header(), Header()
    measures.PixelSpacing = [1, 1]
    shared.PixelMeasuresSequence = Sequence([measures])
    return {
        "NumberOfFrames": len(groups),
        "PixelData": frames.tobytes(),
        "PerFrameFunctionalGroupsSequence": Sequence(groups),
        "SharedFunctionalGroupsSequence": Sequence([shared]),
    } | common


@pytest.mark.parametrize("size", [[4, 4, 3], [4, 4]])
def test_an_object_of_which_some_frames_alone_are_rescaled_is_left_out(project, size):
    elements = enhanced([[1, 0, 0, 0, 1, 0]] * 3, [[0, 0, number] for number in range(3)])
    for group in elements["PerFrameFunctionalGroupsSequence"][:2]:
        mapping = Header()
        mapping.RescaleSlope, mapping.RescaleIntercept = 1, -1024
        group.PixelValueTransformationSequence = Sequence([mapping])
    config = {"dataset": {"image_size": size}, **PHYSICAL}
    cases, out = read_images(project, {"a.dcm": elements}, **config)
    assert (cases, [each.reason for each in out]) == ([], ["rescale of some slices only"])


def test_an_enhanced_file_is_a_volume(project):
    elements = enhanced([[1, 0, 0, 0, 1, 0]] * 3, [[0, 0, height] for height in (4, 0, 2)])
    config = {"dataset": {"image_size": [4, 4, 3]}, **PHYSICAL}
    cases, out = read_images(project, {"a.dcm": elements}, **config)
    assert out == []
    np.testing.assert_array_equal(cases[0].image[0, 0, :, 0], [1, 2, 0])


def test_frames_of_two_orientations_are_no_volume(project):
    places = [[0, 0, 0], [0, 0, 5], [0, 0, 10]]
    elements = enhanced([[1, 0, 0, 0, 1, 0]] * 2 + [UPRIGHT], places)
    _, out = read_images(project, {"a.dcm": elements}, dataset={"image_size": [4, 4, 3]})
    assert reasons(out) == {"a.dcm": "orientation differs between frames"}
    cases, out = read_images(project, {"a.dcm": elements}, **PHYSICAL)
    assert (out, [each.image[0, 0, 0] for each in cases]) == ([], [0, 1, 2])


@pytest.mark.parametrize("window", [{"percentile": [0, 100]}, "tag"])
def test_fill_leaves_a_volume_its_grey_levels(project, window):
    images = stack([0, 1, 2])
    for elements in images.values():
        elements["pixels"] = np.where(RAMP == 0, -2000, RAMP).astype(np.int16)
        elements["PixelPaddingValue"] = -2000
    cases, _ = read_images(project, images, window=window, **VOLUME)
    # Values 1 to 15 run from black to white, to the nearest level; the fill is black.
    levels = np.unique(cases[0].image)
    np.testing.assert_allclose(levels, np.arange(15) / 14 * 255, atol=0.51)


def test_slices_bright_where_others_are_dark_are_no_volume(project):
    images = stack([0, 1, 2])
    images["1.dcm"]["PhotometricInterpretation"] = "MONOCHROME1"
    _, out = read_images(project, images, **VOLUME)
    assert [each.reason for each in out] == ["slices of several grey scales"]


def test_colour_may_keep_its_values_in_another_type(project):
    red = np.zeros((4, 4, 3), np.uint8)
    red[..., 0] = 255
    grey = only_case(project, {"dtype": "float32", "window": "none"}, pixels=red).image
    np.testing.assert_array_equal(grey, np.full((4, 4, 1), round(0.299 * 255), np.float32))


def test_every_file_is_counted_once(project):
    frames = np.stack([RAMP, RAMP + 1])
    images = {"a.dcm": {"NumberOfFrames": 2, "PixelData": frames.tobytes()}, "b.dcm": {}}
    cases, _ = read_images(project, images)
    assert [each.num_files for each in cases] == [1, 0, 1]


@pytest.mark.parametrize("config", [VOLUME, {"case": "series", **SERIES}])
def test_a_series_counts_all_its_files_whether_read_or_left_out(project, config):
    images = stack([0, 1, 2, 3])
    cases, _ = read_images(project, images, **config)
    assert [each.num_files for each in cases] == [4]
    images["3.dcm"]["PixelSpacing"] = [2, 2]
    _, out = read_images(project, images, **config)
    assert [each.num_files for each in out] == [1, 3]
    del images["3.dcm"]
    images["1.dcm"]["ImagePositionPatient"] = [0, 0, 2]
    (project / "in/3.dcm").unlink()
    _, out = read_images(project, images, **config)
    assert [each.num_files for each in out] == [3]


def test_millions_of_frames_that_a_small_file_claims_are_not_planned(project):
    claim = {"NumberOfFrames": 4_000_000, "pixels": np.zeros((8, 8), np.uint8)}
    _, out = read_images(project, {"a.dcm": claim, "b.dcm": claim | {"NumberOfFrames": 60_000}})
    assert reasons(out) == {"a.dcm": "too large", "b.dcm": "fewer pixels than its header claims"}


def test_a_volume_beyond_the_limit_is_refused_before_it_is_read(project):
    config = {"dataset": {"image_size": [4, 4, 3]}, "max_pixels": 40, **SERIES}
    _, out = read_images(project, stack([0, 1, 2]), **config)
    assert [each.reason for each in out] == ["too large"]


def test_what_cannot_be_read_is_listed_with_its_reason(project):
    images = {name: {"name": name} for name in ("good.dcm", "label.dcm", "twice.dcm", "what.dcm")}
    images |= {
        "huge.dcm": {"Rows": 60000, "Columns": 60000},
        "burnt.dcm": {"BurnedInAnnotation": "YES"},
        "empty.dcm": {"PixelData": None},
        "same.dcm": {"name": "good.dcm", "PatientComments": "other bytes"},
    }
    rows = [(name, "ill") for name in images if name not in {"label.dcm", "twice.dcm", "what.dcm"}]
    rows += [("twice.dcm", "ill"), ("twice.dcm", "healthy"), ("what.dcm", "unclear")]
    rows += [("cut.dcm", "ill"), ("copy.dcm", "ill"), ("notes.txt", "ill")]
    write_image(project / "in/cut.dcm", RAMP, name="cut")
    content = (project / "in/cut.dcm").read_bytes()
    (project / "in/cut.dcm").write_bytes(content[:-8])
    write_image(project / "in/good.dcm", RAMP, name="good.dcm")
    (project / "in/copy.dcm").write_bytes((project / "in/good.dcm").read_bytes())
    (project / "in/notes.txt").write_text("remember the milk")
    (project / "in/.hidden").write_text("not listed")
    cases, out = read_images(project, images, table=rows)
    assert reasons(out) == {
        "label.dcm": "no label",
        "twice.dcm": "conflicting labels",
        "what.dcm": "label outside the classes",
        "huge.dcm": "too large",
        "burnt.dcm": "burned-in annotation",
        "empty.dcm": "no pixel data",
        # The first of two in the order of their names stays.
        "good.dcm": "duplicate file",
        "same.dcm": "duplicate SOP instance UID",
        "cut.dcm": "pixel data cannot be decoded",
        "notes.txt": "no DICOM file",
    }
    assert all(each.advice for each in out)
    assert [revealed(each.source) for each in cases] == ["copy.dcm"]


def test_a_slice_that_cannot_be_decoded_is_named_beside_its_series(project):
    images = stack([0, 1, 2])
    for name, elements in images.items():
        write_image(project / "in" / name, name=name, **elements)
    cut = project / "in/1.dcm"
    cut.write_bytes(cut.read_bytes()[:-8] + bytes(8))
    content = cut.read_bytes()
    length = (32).to_bytes(4, "little")
    cut.write_bytes(content[: content.rindex(length)] + bytes(4) + content[-32:])
    table = write_table(project / "t.csv", [(uid("series", "one"), "ill")])
    dataset = folder_dataset(project / "in", table, key="series", dataset={"image_size": [4, 4, 3]})
    _, (left_out,) = read_folder(project / "raw", dataset)
    assert revealed(left_out.source) == "0.dcm (and 2 more of its series)"
    assert left_out.reason == "pixel data cannot be decoded"
    named, _, advice = left_out.advice.partition(": ")
    assert (revealed(named), advice) == ("1.dcm", "it is truncated or damaged: export it again")


@pytest.mark.parametrize("key", ["sop", "series", "study", "accession", "patient", "file"])
def test_a_row_that_no_file_belongs_to_is_listed_by_its_number(project, key):
    dataset = write_image(project / "in/a.dcm", RAMP, name="a", AccessionNumber="A-1")
    own = {
        "sop": dataset.SOPInstanceUID, "series": dataset.SeriesInstanceUID,
        "study": dataset.StudyInstanceUID, "accession": "A-1", "patient": dataset.PatientID,
        "file": "a.dcm",
    }[key]  # fmt: skip
    table = write_table(project / "t.csv", [("gone", "ill"), (own, "ill"), ("", "ill")])
    cases, out = read_folder(project / "raw", folder_dataset(project / "in", table, key=key))
    assert len(cases) == 1
    rows = ["row 2 of the labels", "row 4 of the labels"]
    assert reasons(out) == dict.fromkeys(rows, "no file for this row")


def test_a_table_of_more_than_the_folder_may_be_allowed(project):
    write_image(project / "in/a.dcm", RAMP)
    table = write_table(project / "t.csv", [("a.dcm", "ill"), ("gone.dcm", "ill")])
    labels = {"allow_rows_without_files": True}
    config = folder_dataset(project / "in", table, labels=labels)
    cases, out = read_folder(project / "raw", config)
    assert (len(cases), out) == (1, [])


def test_a_file_left_out_for_another_reason_is_no_row_without_a_file(project):
    write_image(project / "in/burnt.dcm", RAMP, BurnedInAnnotation="YES")
    table = write_table(project / "t.csv", [("burnt.dcm", "ill")])
    _, out = read_folder(project / "raw", folder_dataset(project / "in", table))
    assert reasons(out) == {"burnt.dcm": "burned-in annotation"}


def test_the_table_may_lie_in_the_folder(project):
    write_image(project / "in/a.dcm", RAMP)
    table = write_table(project / "in/labels.csv", [("a.dcm", "ill")])
    cases, out = read_folder(project / "raw", folder_dataset(project / "in", table))
    assert (len(cases), out) == (1, [])


def test_two_workers_read_what_one_reads(project):
    images = {f"{n}.dcm": {"pixels": RAMP + n, **WHOLE} for n in range(9)}
    alone, _ = read_images(project, dict(images), workers=1)
    together, _ = read_images(project, dict(images), workers=2)
    assert [each.case for each in alone] == [each.case for each in together]
    np.testing.assert_array_equal([each.image for each in alone], [each.image for each in together])


DAMAGED = {"045Y": b"DOE^", "20200102": b"DOE JANE", "1234": b"DOE "}


def damage(path, changes):
    content = path.read_bytes()
    for value, damaged in changes.items():
        assert value.encode() in content
        content = content.replace(value.encode(), damaged)
    path.write_bytes(content)


def test_a_library_that_complains_is_not_heard(project, caplog, capfd):
    sound = {"PatientAge": "045Y", "StudyDate": "20200102", "InstanceNumber": "1234"}
    write_image(project / "in/a.dcm", RAMP, PixelSpacing=["1.25", "1.25"], **sound)
    damage(project / "in/a.dcm", DAMAGED)
    write_image(project / "in/b.dcm", RAMP, name="b", PixelSpacing=["1.25", "1.25"])
    damage(project / "in/b.dcm", {"1.25": b"DOE "})
    caplog.set_level(logging.DEBUG)
    table = write_table(project / "labels.csv", [("a.dcm", "ill"), ("b.dcm", "ill")])
    cases, out = read_folder(project / "raw", folder_dataset(project / "in", table))
    assert (len(cases), cases[0].age, cases[0].spacing_mm) == (1, None, (1.25, 1.25))
    assert reasons(out) == {"b.dcm": "unusable PixelSpacing"}
    told = caplog.text + "".join(capfd.readouterr()) + "".join(repr(vars(each)) for each in out)
    assert "DOE" not in told


def test_real_slices_are_a_volume_in_the_order_of_their_places(project):
    first = mirrored("dicom/mr_series/1-041.dcm")
    rows = [(path.name, "ill") for path in sorted(first.parent.iterdir())]
    table = write_table(project / "labels.csv", rows)
    config = folder_dataset(
        first.parent, table, dataset={"image_size": [32, 32, 8]}, window={"percentile": [1, 99]}
    )
    cases, out = read_folder(project / "raw", config)
    assert out == []
    assert [each.image.shape for each in cases] == [(32, 32, 8, 1)]
    assert 20 < cases[0].image.mean() < 120


def test_real_files_of_every_kind_are_read_or_listed(project):
    first = mirrored("dicom/syntaxes/CT2_J2KR.dcm")
    paths = list(first.parent.parent.rglob("*.dcm"))
    rows = [(path.relative_to(first.parent.parent).as_posix(), "ill") for path in paths]
    config = folder_dataset(first.parent.parent, write_table(project / "labels.csv", rows))
    cases, out = read_folder(project / "raw", config)
    num_frames = len(paths) + 1  # one file has two
    assert len(cases) + len(out) == num_frames
    assert {each.reason for each in out} == {"duplicate SOP instance UID", "no image in the file"}
    # A real image is neither black nor white.
    assert all(each.image.std() > 1 for each in cases if isinstance(each, Case))


def test_refuses_a_folder_that_is_not_there(project):
    table = write_table(project / "labels.csv", [("a", "ill")])
    with pytest.raises(InputError, match="nowhere: no such folder"):
        dicom.acquire(project, folder_dataset(project / "nowhere", table))


def test_refuses_an_empty_folder(project):
    table = write_table(project / "labels.csv", [("a", "ill")])
    (project / "in").mkdir()
    with pytest.raises(InputError, match="the folder holds no file"):
        dicom.acquire(project, folder_dataset(project / "in", table))


def test_refuses_to_read_what_was_not_acquired(project):
    config = folder_dataset(project / "in", project / "labels.csv")
    with pytest.raises(InputError, match="nothing acquired .* run acquire first"):
        list(dicom.read(project, config))


def test_refuses_a_folder_that_lost_a_file(project):
    config = folder_dataset(project / "in", project / "labels.csv")
    only_case(project)
    (project / "in/a.dcm").unlink()
    with pytest.raises(InputError, match=r"~\w+: no such file .* run acquire again"):
        list(dicom.read(project / "raw", config))


def test_a_file_that_changed_since_it_was_acquired_is_quarantined(project):
    only_case(project)
    write_image(project / "in/a.dcm", np.zeros((9, 9), np.uint16))
    (out,) = dicom.read(project / "raw", folder_dataset(project / "in", project / "labels.csv"))
    assert out.reason == "file changed since it was acquired"


def test_refuses_an_argument_it_does_not_know(project):
    config = folder_dataset(project / "in", project / "labels.csv", windows="tag")
    with pytest.raises(InputError, match="Small: arguments: unknown key 'windows'; known keys: "):
        dicom.acquire(project, config)


def test_the_example_config_is_one_that_the_reader_takes():
    example = read_dataset(ROOT / "configs", "example_dicom")
    arguments = check_config(example.arguments, DicomArguments, place="example")
    assert set(arguments.labels.label_names.values()) == set(example.classes)
