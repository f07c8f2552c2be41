import numpy as np
import pytest
import torch

from efficientad.networks.pdn import build_pdn
from efficientad.training.tiles import choose_tile, count_cells


@pytest.mark.parametrize("side", [64, 66, 96, 131])
def test_cells_are_the_networks(side):
    assert build_pdn("S", 8)(torch.rand(1, 3, side, side)).shape[-2:] == (count_cells(side), count_cells(side))


@pytest.mark.parametrize("parts", [2, 3])
def test_a_crop_has_the_features_of_the_whole_image_at_its_cells(parts):
    torch.manual_seed(0)
    network, image = build_pdn("S", 8), torch.rand(1, 3, 96, 96)
    whole = network(image)
    for seed in range(10):
        tile = choose_tile(96, parts, np.random.default_rng(seed))
        torch.testing.assert_close(network(tile.crop_image(image)), tile.crop_features(whole), rtol=1e-4, atol=1e-5)
        array = image[0].permute(1, 2, 0).numpy()
        assert np.array_equal(tile.crop_array(array), tile.crop_image(image)[0].permute(1, 2, 0).numpy())


@pytest.mark.parametrize(("side", "parts"), [(256, 2), (256, 3), (64, 4)])
def test_the_weighted_mean_is_right_on_average_over_all_tiles(side, parts):
    cells = count_cells(side)
    values = torch.rand(cells, cells, dtype=torch.float64)
    tiles = {choose_tile(side, parts, np.random.default_rng(seed)) for seed in range(500)}
    assert len(tiles) == parts**2
    means = [tile.weight * float(tile.crop_features(values).mean()) for tile in tiles]
    assert np.mean(means) == pytest.approx(float(values.mean()))
