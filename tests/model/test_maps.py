import math

import numpy as np
import pytest
import torch
from slow_score import find_largest_mean, find_starts

from efficientad.errors import MetricError
from efficientad.model.maps import (
    Levels,
    apply_quantiles,
    compute_distance_map,
    compute_score,
    enlarge_map,
    fit_quantiles,
    resize_cells,
    select_cells,
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


def test_upscaled_map_puts_a_cell_over_its_patch():
    cells = torch.zeros(1, 1, 56, 56)
    cells[0, 0, 10, 20] = 1
    image_map = upscale_map(cells, (256, 256))[0, 0]
    row, column = divmod(int(image_map.argmax()), 256)
    # The cell's patch is centred at pixel 16 + 4 * cell; four pixels of the image share the maximum's tile.
    assert abs(row - (16 + 40)) <= 2
    assert abs(column - (16 + 80)) <= 2


@pytest.mark.parametrize(
    ("cells", "size"), [((64, 64), (512, 512)), ((32, 16), (256, 128)), ((36, 64), (600, 1000)), ((8, 8), (5, 7))]
)
def test_an_enlarged_map_is_the_bilinear_one(cells, size):
    maps = torch.rand(2, 1, *cells, generator=torch.Generator().manual_seed(0))
    expected = torch.nn.functional.interpolate(maps, size, mode="bilinear", align_corners=False)
    torch.testing.assert_close(enlarge_map(maps, size), expected, rtol=1e-4, atol=1e-5)


def read_plainly(values, at, axis):
    """Read an array between its places, linearly, at the border as at the border itself."""
    at = np.clip(at, 0, values.shape[axis] - 1)
    below = np.minimum(at.astype(int), values.shape[axis] - 2)
    share = np.expand_dims(at - below, 1 - axis)
    return values.take(below, axis) * (1 - share) + values.take(below + 1, axis) * share


@pytest.mark.parametrize(("have", "want"), [((56, 56), (24, 40)), ((10, 18), (32, 12)), ((9, 7), (9, 7))])
def test_cells_of_another_size_stand_for_the_same_places(have, want):
    """Of both maps the first cell is the fifth of the image; what lies outside of the given ones is 0."""
    cells = np.random.default_rng(0).random(have)
    expected = np.pad(cells, 4)
    for axis in (0, 1):
        middles = (np.arange(want[axis]) + 4.5) * (have[axis] + 8) / (want[axis] + 8) - 0.5
        expected = read_plainly(expected, middles, axis)
    found = resize_cells(torch.from_numpy(cells)[None, None], want)
    torch.testing.assert_close(found[0, 0], torch.from_numpy(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (65, 73), (1, 9)])
def test_score_is_the_largest_value_wherever_it_lies(size):
    places = np.random.default_rng(0).permutation(size[0] * size[1])[:40]
    maps = torch.zeros(len(places), size[0] * size[1])
    maps[range(len(places)), places] = torch.arange(1.0, len(places) + 1)
    assert compute_score(maps.view(-1, 1, *size)).tolist() == list(range(1, len(places) + 1))


def test_score_is_the_largest_value_of_each_map():
    maps = torch.tensor([[[[1.0, 5.0]]], [[[-3.0, -2.0]]]])
    assert compute_score(maps).tolist() == [5.0, -2.0]


@pytest.mark.parametrize(
    ("size", "window"), [((64, 64), (3, 3)), ((64, 96), (24, 24)), ((260, 272), (12, 16)), ((50, 61), (50, 6))]
)
def test_score_of_a_window_is_its_largest_mean_and_never_above_the_largest_value(size, window):
    maps = torch.rand(3, 1, *size, generator=torch.Generator().manual_seed(0))
    found = compute_score(maps, window)
    expected = [find_largest_mean(one[0].numpy(), window) for one in maps]
    assert found.tolist() == pytest.approx(expected, rel=1e-5)
    assert (found < maps.amax(dim=(1, 2, 3))).all()


@pytest.mark.parametrize(("size", "window"), [((512, 512), (24, 24)), ((70, 90), (5, 8)), ((260, 1120), (24, 24))])
def test_windows_touch_every_border_and_are_a_few_pixels_apart(size, window):
    """A spot as large as a window counts in full in each corner, and in most of it anywhere."""
    for side, part in zip(size, window, strict=True):
        assert (find_starts(side, part)[0], find_starts(side, part)[-1] + part) == (0, side)
    height, width = (side - part for side, part in zip(size, window, strict=True))
    for row, column in ((0, 0), (0, width), (height, 0), (height, width), (height // 3, width // 2)):
        spot = torch.zeros(1, 1, *size)
        spot[..., row : row + window[0], column : column + window[1]] = 1
        at_corner = row in (0, height) and column in (0, width)
        score = float(compute_score(spot, window))
        assert score == pytest.approx(1) if at_corner else 0.6 < score <= 1.00001


@pytest.mark.parametrize(
    ("size", "cells", "border"), [((80, 96), (12, 16), 4), ((80, 96), (5, 6), 0), ((70, 90), (4, 6), 0)]
)
def test_only_cells_that_hold_some_of_the_region_are_selected(size, cells, border):
    """By the pixels of each cell; with a border, the first cell is the fifth of its row."""
    region = np.zeros(size, bool)
    region[:23, 35:39] = True
    region[-1, -1] = True
    raw = np.arange(np.prod(cells), dtype=np.float32).reshape(cells)
    expected = []
    step = [side / (count + 2 * border) for side, count in zip(size, cells, strict=True)]
    for row, column in np.ndindex(*cells):
        top, left = ((place + border) * one for place, one in zip((row, column), step, strict=True))
        pixels = region[int(top) : math.ceil(top + step[0]), int(left) : math.ceil(left + step[1])]
        if pixels.any():
            expected.append(raw[row, column])
    assert 0 < len(expected) < raw.size
    assert (raw[-1, -1] in expected) == (border == 0)  # no map of a patch description network sees the last pixel
    assert select_cells(raw, region, border).tolist() == expected
    assert select_cells(raw, None, border).tolist() == raw.ravel().tolist()
