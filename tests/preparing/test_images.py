import hashlib

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.preparing.images import ImageSpool, write_images


def write(tmp_path, images, rows):
    with ImageSpool(tmp_path / "spool", images.shape[1:]) as spool:
        digests = [spool.append(image) for image in images]
    write_images(spool, rows, tmp_path / "images.npy")
    return digests


@pytest.mark.parametrize("dtype", ["uint8", "int16", ">i2", "float32"])
def test_the_rows_asked_for_are_written_in_their_order(tmp_path, dtype):
    images = np.arange(5 * 12).reshape(5, 2, 3, 2).astype(dtype)
    write(tmp_path, images, rows=[4, 0, 2])
    read = np.load(tmp_path / "images.npy", mmap_mode="r")
    np.testing.assert_array_equal(read, images[[4, 0, 2]])
    assert read.dtype == np.dtype(dtype).newbyteorder("<")


def test_the_file_equals_numpys_own(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (3, 4, 4, 1), np.uint8)
    write(tmp_path, images, rows=range(3))
    np.save(tmp_path / "numpy.npy", images)
    assert (tmp_path / "images.npy").read_bytes() == (tmp_path / "numpy.npy").read_bytes()


def test_the_digest_is_that_of_the_pixels_bytes(tmp_path):
    images = np.arange(8, dtype=">i2").reshape(2, 2, 2, 1)
    digests = write(tmp_path, images[:, ::-1], rows=[0])
    assert digests[0] == hashlib.sha256(bytes([2, 0, 3, 0, 0, 0, 1, 0])).hexdigest()


def test_nothing_to_write_is_refused(tmp_path):
    with ImageSpool(tmp_path / "spool", (2, 2, 1)) as spool:
        pass
    with pytest.raises(InputError, match="no image to write"):
        write_images(spool, [], tmp_path / "images.npy")
