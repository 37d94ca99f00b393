import numpy as np
import pytest

from pipeline.adapters.matching import match, match_all
from pipeline.errors import InputError


def test_colour_becomes_its_luma_and_grey_three_equal_channels():
    colour = np.array([[[255, 0, 0], [0, 255, 0], [10, 10, 10]]], np.uint8)
    # 0.299 * 255 = 76.2 and 0.587 * 255 = 149.7
    assert match(colour, (1, 3), channels=1).ravel().tolist() == [76, 150, 10]
    grey = np.array([[[5], [9]]], np.uint8)
    assert match(grey, (1, 2), channels=3).tolist() == [[[5] * 3, [9] * 3]]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(3, 5), (9, 2)])
def test_every_image_gets_the_size_and_channels_asked_for(channels, size):
    images = [np.full((4, 6, 3), 80, np.uint8), np.full((7, 7, 1), 80, np.uint8)]
    matched = match_all(images, size, channels)
    np.testing.assert_array_equal(matched, np.full((2, *size, channels), 80, np.uint8))


def test_a_plane_is_no_partner_of_volumes():
    with pytest.raises(InputError, match="3 spatial axes expected, got 2"):
        match(np.zeros((4, 4, 1), np.uint8), (4, 4, 4), channels=1)
