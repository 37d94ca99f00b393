import pytest
from pydicom import Dataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedMRImageStorage,
    MRSpectroscopyStorage,
    ParametricMapStorage,
    RTDoseStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
)

from pipeline.adapters.dicom.kinds import LEFT_OUT_IMAGE_TYPES, require_image_of_the_patient
from pipeline.adapters.refused import Refused


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
