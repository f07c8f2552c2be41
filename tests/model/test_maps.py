import numpy as np
import pytest
import torch

from efficientad.errors import MetricError
from efficientad.model.maps import (
    Levels,
    apply_quantiles,
    combine_maps,
    compute_distance_map,
    compute_score,
    fit_quantiles,
    upscale_map,
)


def test_distance_map_averages_squares_over_channels():
    a = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1)
    b = torch.tensor([4.0, 2.0]).view(1, 2, 1, 1)
    assert compute_distance_map(a, b).shape == (1, 1, 1, 1)
    assert float(compute_distance_map(a, b)) == pytest.approx(4.5)


def test_quantiles_are_over_all_pixels_of_all_maps():
    rng = np.random.default_rng(0)
    maps = [rng.random((5, 7)).astype(np.float32) for _ in range(9)]
    pixels = sorted(float(value) for one in maps for value in one.ravel())
    position = 0.9 * (len(pixels) - 1)
    below = int(position)
    expected = pixels[below] + (position - below) * (pixels[below + 1] - pixels[below])
    assert fit_quantiles(maps, Levels(0.9, 0.995)).low == pytest.approx(expected)


def test_the_high_quantile_may_be_of_the_largest_values():
    maps = [np.array([[0, 1], [2, value]], np.float32) for value in (6, 4, 9)]
    found = fit_quantiles(maps, Levels(0.9, 0.75, "images"))
    assert found.high == pytest.approx(7.5)
    assert found.low == fit_quantiles(maps, Levels(0.9, 0.995)).low


@pytest.mark.parametrize("high_of", ["images", "pixels"])
@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([], "got none"),
        ([np.array([[1.0, np.nan]], dtype=np.float32)], "got NaN"),
        ([np.ones((4, 4), dtype=np.float32)], "all alike"),
    ],
)
def test_quantiles_that_could_not_normalise_are_refused(maps, message, high_of):
    with pytest.raises(MetricError, match=message):
        fit_quantiles(maps, Levels(0.9, 0.995, high_of))


def test_normalised_map_is_zero_at_low_and_a_tenth_at_high_and_not_clamped():
    raw = torch.tensor([2.0, 4.0, 0.0, 40.0])
    normalised = apply_quantiles(raw, torch.tensor(2.0), torch.tensor(4.0))
    assert normalised.tolist() == pytest.approx([0.0, 0.1, -0.1, 1.9])


def test_combined_map_is_the_mean_of_the_branches():
    assert float(combine_maps([torch.tensor(1.0), torch.tensor(4.0)])) == 2.5


def test_upscaled_map_puts_a_cell_over_its_patch():
    cells = torch.zeros(1, 1, 56, 56)
    cells[0, 0, 10, 20] = 1
    image_map = upscale_map(cells, (256, 256))[0, 0]
    row, column = divmod(int(image_map.argmax()), 256)
    # The cell's patch is centred at pixel 16 + 4 * cell; four pixels of the image share the maximum's tile.
    assert abs(row - (16 + 40)) <= 2
    assert abs(column - (16 + 80)) <= 2


def test_score_is_the_largest_value_of_each_map():
    maps = torch.tensor([[[[1.0, 5.0]]], [[[-3.0, -2.0]]]])
    assert compute_score(maps).tolist() == [5.0, -2.0]
