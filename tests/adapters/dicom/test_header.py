from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.data import get_testdata_file
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    MRSpectroscopyStorage,
    ParametricMapStorage,
    RTDoseStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

from pipeline.adapters.dicom.header import (
    LEFT_OUT_IMAGE_TYPES,
    HeaderScanner,
    require_image_of_the_patient,
)
from pipeline.adapters.identity import Pseudonyms
from pipeline.adapters.refused import Refused
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


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ({"PixelSpacing": [0, 0]}, "unusable PixelSpacing"),
        ({"PixelSpacing": [0.5, -0.5]}, "unusable PixelSpacing"),
        ({"ImagerPixelSpacing": [0.1]}, "unusable ImagerPixelSpacing"),
        # What is unusable is not made good by what stands beside it.
        ({"PixelSpacing": [0, 0], "ImagerPixelSpacing": [1, 1]}, "unusable PixelSpacing"),
        ({"ImageOrientationPatient": [0, 0, 0, 0, 0, 0]}, "unusable ImageOrientationPatient"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "unusable ImageOrientationPatient"),
        ({"ImageOrientationPatient": [1, 0, 0]}, "unusable ImageOrientationPatient"),
        ({"ImagePositionPatient": [0, 0]}, "unusable ImagePositionPatient"),
        ({"ImagePositionPatient": [0, 0, 1e300]}, "unusable ImagePositionPatient"),
        ({"PixelSpacing": [1e-9, 1e-9]}, "unusable PixelSpacing"),
        ({"PixelSpacing": [1e300, 1]}, "unusable PixelSpacing"),
        ({"SamplesPerPixel": 2}, "unusable SamplesPerPixel"),
        ({"NumberOfFrames": 0}, "unusable NumberOfFrames"),
        ({"NumberOfFrames": 65_536}, "too large"),
        ({"Rows": 60_000, "Columns": 60_000}, "too large"),
        ({"SOPClassUID": SegmentationStorage}, "no image of the patient"),
    ],
)
def test_what_is_present_but_unusable_is_a_fault(tmp_path, elements, reason):
    facts = scan(tmp_path, **elements)
    assert facts.fault == reason
    # Who it is stays known: the row of the table that names it is no row without a file.
    assert facts.patient
    assert facts.advice


def test_what_is_absent_is_no_fault(tmp_path):
    facts = scan(tmp_path)
    assert (facts.fault, facts.positions, facts.orientation, facts.pixel_spacing) == (
        "",
        (),
        (),
        (),
    )


def test_a_number_in_the_series_that_cannot_be_read_orders_nothing(tmp_path):
    write_image(tmp_path / "in/a.dcm", PIXELS, InstanceNumber="1234")
    path = tmp_path / "in/a.dcm"
    path.write_bytes(path.read_bytes().replace(b"1234", b"12A4"))
    facts = scanner(tmp_path)("a.dcm")
    assert (facts.fault, facts.instance_number) == ("", None)


@pytest.mark.parametrize("tag", ["MAYBE", "YES", "UNKNOWN"])
def test_pixels_are_free_of_text_where_the_header_says_no_or_nothing(tmp_path, tag):
    assert scan(tmp_path, BurnedInAnnotation=tag).burned_in


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


def header(sop_class=None, image_type=None):
    dataset = Dataset()
    if sop_class is not None:
        dataset.SOPClassUID = sop_class
    if image_type is not None:
        dataset.ImageType = image_type
    return dataset


@pytest.mark.parametrize(
    "sop_class",
    [SegmentationStorage, RTDoseStorage, MRSpectroscopyStorage, "1.2.840.10008.5.1.4.1.1.66.7"],
)
def test_an_object_without_an_image_of_the_patient_is_refused(sop_class):
    with pytest.raises(Refused, match="no image of the patient") as refused:
        require_image_of_the_patient(header(sop_class), ())
    assert refused.value.advice.startswith("it holds ")


@pytest.mark.parametrize(
    "sop_class",
    [
        None,
        CTImageStorage,
        EnhancedMRImageStorage,
        ParametricMapStorage,
        SecondaryCaptureImageStorage,
        "1.2.3.4.5",
    ],
)
def test_all_other_objects_may_be_images(sop_class):
    require_image_of_the_patient(
        header(sop_class, ["ORIGINAL", "PRIMARY", "AXIAL"]), ("LOCALIZER",)
    )


@pytest.mark.parametrize(
    "image_type",
    [
        ["ORIGINAL", "PRIMARY", "LOCALIZER"],
        ["ORIGINAL", "PRIMARY", "LOCALIZER", "CT_SOM5 TOP"],
        ["DERIVED", "SECONDARY", "SCREEN SAVE"],
        ["DERIVED", "SECONDARY", "SCREENSAVE"],
        ["DERIVED", "SECONDARY", "DOSE_INFO"],
        ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"],
        ["ORIGINAL", "PRIMARY", "LABEL", "NONE"],
    ],
)
def test_scouts_and_pages_of_text_are_left_out_unless_wanted(image_type):
    with pytest.raises(Refused, match="image type left out") as refused:
        require_image_of_the_patient(header(image_type=image_type), LEFT_OUT_IMAGE_TYPES)
    assert "'leave_out_image_types'" in refused.value.advice
    require_image_of_the_patient(header(image_type=image_type), ())


def test_a_type_is_a_whole_value():
    require_image_of_the_patient(header(image_type=["DERIVED", "LABELLED"]), LEFT_OUT_IMAGE_TYPES)
