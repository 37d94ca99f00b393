"""What DICOM cannot write as one text is refused, or is not what a class is called there."""

import pytest
from pydicom.dataelem import DataElement

from pipeline.config.reading import check_config
from pipeline.errors import InputError
from pipeline.releasing.codes import Code, private_code
from tests.made_releases import CLASSES, make_release

CODE = {"scheme": "SCT", "value": "30807003", "meaning": "Benign"}


@pytest.mark.parametrize("key", CODE)
@pytest.mark.parametrize("text", ["", " ", "be\\nign", "be\nign", "\x00", "benign ", "x" * 65])
def test_refuses_text_that_a_report_could_not_write(key, text):
    with pytest.raises(InputError, match=f"^codes: key '{key}': "):
        check_config(CODE | {key: text}, Code, place="codes")


@pytest.mark.parametrize(
    "name",
    ["left\\right", "\x1b", "\\", " x", "a\tb", "x" * 99, "x" * 63 + " yy", "ό" * 99, "\x85", ""],
)
def test_every_class_has_a_private_code_that_dicom_can_write(name):
    code = private_code(name)
    written = DataElement("CodeMeaning", "LO", code.meaning)
    assert (written.value, written.VM) == (code.meaning, 1)
    assert 1 <= len(code.meaning) <= 64


def test_refuses_one_code_for_two_classes():
    codes = {name: CODE | {"value": str(min(number, 1))} for number, name in enumerate(CLASSES)}
    with pytest.raises(ValueError, match="'codes' needs another for each of the 'classes'"):
        make_release(codes=codes)
