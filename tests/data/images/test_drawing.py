"""What people look at: colours and outlines."""

import numpy as np
import pytest

from efficientad.data.images.drawing import colour_map, outline
from efficientad.errors import DataError


def test_colour_map_goes_from_blue_to_red_and_clips():
    ramp = np.array([[-1.0, 0.15, 0.9, 2.0]], np.float32)
    coloured = colour_map(ramp).astype(int)
    assert coloured.shape == (1, 4, 3)
    assert coloured[0, 1, 2] > coloured[0, 1, 0]  # low is blue
    assert coloured[0, 2, 0] > coloured[0, 2, 2]  # high is red
    np.testing.assert_array_equal(coloured[0, [0, 3]], colour_map(np.array([[0.0, 1.0]], np.float32))[0])


def test_outline_draws_the_border_in_rgb_and_leaves_the_input_alone():
    image = np.zeros((12, 12, 3), np.uint8)
    mask = np.zeros((12, 12), bool)
    mask[3:9, 3:9] = True
    drawn = outline(image, mask, colour=(255, 0, 0))
    border = mask.copy()
    border[4:8, 4:8] = False
    np.testing.assert_array_equal(drawn, np.where(border[..., None], [255, 0, 0], [0, 0, 0]))
    assert not image.any()
    with pytest.raises(DataError, match="mask of size"):
        outline(image, mask[:6])
