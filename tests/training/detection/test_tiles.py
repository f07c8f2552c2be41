import numpy as np
import pytest
import torch

from efficientad.model.cells import count_cells
from efficientad.model.pdn import build_pdn
from efficientad.training.detection.tiles import choose_tile


@pytest.mark.parametrize("parts", [2, 3])
def test_a_crop_has_the_features_of_the_whole_image_at_its_cells(parts):
    torch.manual_seed(0)
    network, image = build_pdn("S", 8), torch.rand(1, 3, 96, 120)
    whole = network(image)
    for seed in range(10):
        tile = choose_tile((96, 120), parts, np.random.default_rng(seed))
        torch.testing.assert_close(network(tile.crop_image(image)), tile.crop_features(whole), rtol=1e-4, atol=1e-5)
        array = image[0].permute(1, 2, 0).numpy()
        assert np.array_equal(tile.crop_array(array), tile.crop_image(image)[0].permute(1, 2, 0).numpy())


@pytest.mark.parametrize(("size", "parts"), [((256, 256), 2), ((256, 256), 3), ((64, 64), 4), ((96, 256), 3)])
def test_the_weighted_mean_is_right_on_average_over_all_tiles(size, parts):
    values = torch.rand(count_cells(size[0]), count_cells(size[1]), dtype=torch.float64)
    tiles = {choose_tile(size, parts, np.random.default_rng(seed)) for seed in range(500)}
    assert len(tiles) == parts**2
    means = [tile.weight * float(tile.crop_features(values).mean()) for tile in tiles]
    assert np.mean(means) == pytest.approx(float(values.mean()))
