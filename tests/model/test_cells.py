import numpy as np
import pytest
import torch

from efficientad.model.cells import count_cells, split_cells
from efficientad.model.pdn import build_pdn


@pytest.mark.parametrize("side", [64, 66, 96, 131])
def test_cells_are_the_networks(side):
    assert build_pdn("S", 8)(torch.rand(1, 3, side, side)).shape[-2:] == (count_cells(side), count_cells(side))


@pytest.mark.parametrize("size", [(256, 256), (260, 500), (1024, 300), (3000, 4000)])
@pytest.mark.parametrize("most", [20, 248])
def test_tiles_hold_each_cell_once(size, most):
    seen = np.zeros([count_cells(side) for side in size], int)
    for tile in (tile for row in split_cells(*size, most) for tile in row):
        cells = seen[tile.top : tile.bottom, tile.left : tile.right]
        assert 0 < cells.size <= most**2
        cells += 1
    assert (seen == 1).all()


def test_features_of_tiles_fit_together_without_a_seam():
    torch.manual_seed(0)
    network, image = build_pdn("S", 8), torch.rand(1, 3, 140, 200)
    rows = [[network(tile.crop_image(image)) for tile in row] for row in split_cells(140, 200, most=10)]
    assert len(rows) > 1
    assert len(rows[0]) > 1
    together = torch.cat([torch.cat(row, dim=-1) for row in rows], dim=-2)
    torch.testing.assert_close(together, network(image), rtol=1e-4, atol=1e-5)
