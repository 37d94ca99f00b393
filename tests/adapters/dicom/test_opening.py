import tracemalloc
import zlib
from io import BytesIO

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from pipeline.adapters.dicom import opening
from pipeline.adapters.dicom.opening import bytes_allowed, parse, quiet
from pipeline.adapters.refused import Refused
from tests.dicom_files import write_image

PIXELS = np.zeros((8, 8), np.uint16)


def test_reads_the_elements_asked_for_and_stops_before_the_pixels(tmp_path):
    write_image(tmp_path / "a.dcm", PIXELS)
    header = parse(BytesIO((tmp_path / "a.dcm").read_bytes()), max_pixels=64, tags=["Rows"])
    assert header.Rows == 8
    assert "PatientName" not in header
    assert "PixelData" not in header


def test_a_deflated_bomb_is_refused_without_being_inflated(tmp_path, monkeypatch):
    zeros = np.zeros((512, 512), np.uint16)
    write_image(tmp_path / "a.dcm", zeros, syntax=DeflatedExplicitVRLittleEndian)
    content = (tmp_path / "a.dcm").read_bytes()
    assert len(content) < zeros.nbytes / 100
    assert parse(BytesIO(content), max_pixels=zeros.size).Rows == 512

    def never(*_):
        pytest.fail("the whole data set was inflated")

    monkeypatch.setattr(opening, "bytes_allowed", lambda _: zeros.nbytes // 2)
    monkeypatch.setattr(zlib, "decompress", never)
    with pytest.raises(Refused, match="too large") as refused:
        parse(BytesIO(content), max_pixels=1)
    assert "bytes and more when inflated" in refused.value.advice


def test_an_element_that_claims_gigabytes_sets_aside_no_more_than_the_file_holds(tmp_path):
    path = tmp_path / "a.dcm"
    write_image(path, PIXELS)
    length = PIXELS.nbytes.to_bytes(4, "little")
    pixels_start = path.read_bytes().rindex(length + PIXELS.tobytes())
    with path.open("r+b") as file:
        file.seek(pixels_start)
        file.write((2**32 - 2).to_bytes(4, "little"))
    tracemalloc.start()
    with path.open("rb") as file, quiet():
        parse(file, max_pixels=64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 a zip", b"<html>" * 100, b"\x00" * 200])
def test_what_is_no_dicom_file_is_refused(content):
    with pytest.raises(Refused, match="no DICOM file"):
        parse(BytesIO(content), max_pixels=64)


def test_a_damaged_header_is_refused():
    content = b"\x00" * 128 + b"DICM" + b"\x02\x00\x00\x00UL\xff\xff\x00"
    with quiet(), pytest.raises(Refused, match="unreadable header"):
        parse(BytesIO(content), max_pixels=64)


def test_the_limit_leaves_room_for_four_bytes_a_value_and_a_header():
    assert bytes_allowed(100) == 400 + 2**24


def test_a_deflated_data_set_of_nothing_but_zeros_is_not_inflated_to_its_end(tmp_path):
    zeros = np.zeros((4096, 4096), np.uint16)
    write_image(tmp_path / "a.dcm", zeros, syntax=DeflatedExplicitVRLittleEndian)
    content = (tmp_path / "a.dcm").read_bytes()
    assert len(content) < zeros.nbytes / 500
    with pytest.raises(Refused, match="compressed too far to hold an image"):
        parse(BytesIO(content), max_pixels=zeros.size)
