from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, Sequence
from pydicom.data import get_testdata_file

from pipeline.adapters.dicom.header import HeaderScanner
from pipeline.adapters.identity import Pseudonyms
from tests.dicom_files import write_image

PIXELS = np.zeros((6, 4), np.uint16)
PSEUDONYMS = Pseudonyms(b"a key for the tests")


def scan(tmp_path, pixels=PIXELS, **elements):
    write_image(tmp_path / "in/a.dcm", pixels, **elements)
    return scanner(tmp_path)("a.dcm")


def scanner(tmp_path, **changes):
    stated = {"pseudonyms": PSEUDONYMS, "site_names": {"Saint Test": "north"}, "max_pixels": 2**20}
    return HeaderScanner(folder=tmp_path / "in", **(stated | changes))


def test_states_the_size_and_place_of_an_image(tmp_path):
    facts = scan(
        tmp_path,
        PixelSpacing=[0.5, 0.75],
        ImagePositionPatient=[1, 2, 3],
        ImageOrientationPatient=[1, 0, 0, 0, 1, 0],
        InstanceNumber=7,
    )
    assert (facts.num_rows, facts.num_columns, facts.num_frames, facts.num_samples) == (6, 4, 1, 1)
    assert facts.num_pixels == 6 * 4
    assert facts.pixel_spacing == (0.5, 0.75)
    assert facts.positions == (1, 2, 3)
    assert facts.orientation == (1, 0, 0, 0, 1, 0)
    assert facts.instance_number == 7
    assert facts.fault == ""


def test_identifiers_leave_as_keyed_hashes_alone(tmp_path):
    facts = scan(tmp_path, PatientID="P7", AccessionNumber="A9", PatientName="Doe^Jane")
    assert facts.patient == PSEUDONYMS("patient", "P7")
    assert facts.accession == PSEUDONYMS("accession", "A9")
    for text in ("P7", "A9", "Doe", "Jane"):
        assert text not in repr(facts)


def test_a_site_has_the_name_that_the_config_gives_it(tmp_path):
    assert scan(tmp_path, InstitutionName="Saint Test").site == "north"


def test_a_site_without_a_name_is_a_keyed_hash(tmp_path):
    site = scan(tmp_path, InstitutionName="Elsewhere Clinic").site
    assert site == f"site-{PSEUDONYMS('site', 'Elsewhere Clinic')[:8]}"
    assert scan(tmp_path, InstitutionName=None).site == "not recorded"


@pytest.mark.parametrize(
    ("elements", "age"),
    [
        ({"PatientAge": "045Y"}, 45),
        ({"PatientBirthDate": "19700630", "StudyDate": "20200629"}, 49),
        ({"PatientAge": "018M", "PatientBirthDate": "19700630"}, 1.5),
        ({"PatientBirthDate": "19700630"}, None),
        ({"PatientAge": "097Y"}, 90),
    ],
)
def test_the_age_is_stated_or_counted_from_the_dates(tmp_path, elements, age):
    assert scan(tmp_path, **elements).age == age


@pytest.mark.parametrize(("tag", "expected"), [("YES", True), ("NO", False), (None, False)])
def test_a_burned_in_annotation_is_noted(tmp_path, tag, expected):
    assert scan(tmp_path, BurnedInAnnotation=tag).burned_in is expected


def frame_groups(positions, orientation=(1, 0, 0, 0, 1, 0)):
    groups = []
    for position in positions:
        plane, turned, group = Dataset(), Dataset(), Dataset()
        plane.ImagePositionPatient = list(position)
        turned.ImageOrientationPatient = list(orientation)
        group.PlanePositionSequence = Sequence([plane])
        group.PlaneOrientationSequence = Sequence([turned])
        groups.append(group)
    return Sequence(groups)


def test_an_enhanced_file_states_a_position_for_every_frame(tmp_path):
    frames = np.zeros((2, 6, 4), np.uint16)
    groups = frame_groups([(0, 0, 5), (0, 0, 2)])
    measures, shared = Dataset(), Dataset()
    measures.PixelSpacing = [0.5, 0.5]
    shared.PixelMeasuresSequence = Sequence([measures])
    facts = scan(
        tmp_path,
        NumberOfFrames=2,
        PixelData=frames.tobytes(),
        PerFrameFunctionalGroupsSequence=groups,
        SharedFunctionalGroupsSequence=Sequence([shared]),
    )
    assert facts.positions == (0, 0, 5, 0, 0, 2)
    assert facts.orientation == (1, 0, 0, 0, 1, 0)
    assert facts.pixel_spacing == (0.5, 0.5)


def test_frames_without_a_place_of_their_own_have_none(tmp_path):
    frames = np.zeros((2, 6, 4), np.uint16)
    position = {"ImagePositionPatient": [0, 0, 5], "PixelData": frames.tobytes()}
    facts = scan(tmp_path, NumberOfFrames=2, **position)
    assert facts.positions == ()


def test_a_spacing_of_zero_is_none(tmp_path):
    assert scan(tmp_path, PixelSpacing=[0, 0]).pixel_spacing == ()


def test_a_file_without_an_image_says_so():
    report = Path(get_testdata_file("reportsi.dcm"))
    facts = HeaderScanner(report.parent, PSEUDONYMS, {}, 2**20)(report.name)
    assert facts.fault == "no image in the file"


def test_a_file_larger_than_the_limit_is_not_read(tmp_path):
    path = tmp_path / "in/a.dcm"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.truncate(2**24 + 5)
    facts = scanner(tmp_path, max_pixels=1)("a.dcm")
    assert (facts.fault, facts.sha256) == ("too large", "")


def test_a_file_that_cannot_be_opened_says_so(tmp_path):
    assert scanner(tmp_path)("gone.dcm").fault == "unreadable file"
