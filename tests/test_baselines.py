"""A portion of a backbone lies in the image where the whole one does; names that are none are refused."""

import pytest
import torch
from baselines import Portion, choose_features

from efficientad.errors import ParamsError
from efficientad.teacher.backbones import Backbone, Level


class MeanColour(Backbone):
    """The mean colour of cells of 8 and of 16 px: their places follow from the pooling alone."""

    def forward(self, image):
        return [Level(torch.nn.functional.avg_pool2d(image, s), s, s / 2, 1) for s in (8, 16)]


def locate_spot(level):
    """Return the centre in px of the brightest cell of a level, row and column."""
    cells = level.features[0, 0]
    row, column = divmod(int(cells.argmax()), cells.shape[1])
    return [level.origin_px + level.stride_px * at for at in (row, column)]


@pytest.mark.parametrize("side_px", [512, 256])
@pytest.mark.parametrize("stride_px", [8, 16])
def test_a_portion_has_one_stride_and_its_cells_lie_in_the_image_of_512_px(side_px, stride_px):
    image = torch.zeros(1, 3, 512, 512)
    image[:, :, 64:96, 320:352] = 1  # one cell of 16 px of the reduced image
    (level,) = Portion(MeanColour(), side_px, stride_px)(image)
    cell_px = stride_px * 512 // side_px
    assert level.stride_px == cell_px
    assert level.features.shape[-1] == 512 // cell_px
    assert locate_spot(level) == [64 + cell_px / 2, 320 + cell_px / 2]


def test_without_a_stride_all_levels_are_kept():
    assert [level.stride_px for level in Portion(MeanColour(), 512, None)(torch.zeros(1, 3, 512, 512))] == [8, 16]


@pytest.mark.parametrize("name", ["efficientnet_lite0/4", "efficientnet_lite0@300", "efficientnet_lite0/x", "L"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ParamsError, match="expected"):
        choose_features(name)
