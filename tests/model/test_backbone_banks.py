"""The features that memory banks compare, written out plainly, and which pixels they see."""

import numpy as np
import pytest
import torch
from tiny_models import build_tiny

from efficientad.model.backbone_banks import (
    average_neighbours,
    choose_size,
    choose_window,
    equalise_exposure,
    resize_level,
    show,
)

BANKS = [("detail", 7), ("fine", 9), ("coarse", 5)]
CELL_PX = {"detail": 8, "fine": 16, "coarse": 16}


@pytest.fixture(scope="module")
def banks():
    return build_tiny("L", BANKS).backbone_banks


def average_plainly(level):
    """The mean over a cell's neighbours and itself, of (C, h, w), cell by cell."""
    out = np.empty_like(level)
    for row, column in np.ndindex(*level.shape[1:]):
        window = level[:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        out[:, row, column] = window.mean(axis=(1, 2))
    return out


def pool_plainly(level):
    """The mean of 2 x 2 cells of (C, h, w)."""
    return (level[:, ::2, ::2] + level[:, 1::2, ::2] + level[:, ::2, 1::2] + level[:, 1::2, 1::2]) / 4


def enlarge_plainly(level):
    """Bilinear, to twice the cells: 3/4 of the cell and 1/4 of its nearer neighbour, at the border of itself."""
    for axis in (1, 2):
        padded = np.concatenate([np.take(level, [0], axis), level, np.take(level, [-1], axis)], axis)
        count = level.shape[axis]
        before, here, behind = (np.take(padded, range(start, start + count), axis) for start in range(3))
        pair = np.stack([0.75 * here + 0.25 * before, 0.75 * here + 0.25 * behind], axis + 1)
        shape = list(level.shape)
        shape[axis] *= 2
        level = pair.reshape(shape)
    return level


def keep(level):
    return level


LEVELS = {  # the blocks whose outputs are put together, and how they come to the scale's cells
    "detail": [([3, 4], keep)],
    "fine": [([3, 4], pool_plainly), ([7, 9, 10], keep)],
    "coarse": [([7, 9, 10], keep), ([14, 15], enlarge_plainly)],
}


@pytest.mark.parametrize("scales", [["detail"], ["fine"], ["coarse", "detail"], ["detail", "fine", "coarse"]])
def test_features_are_the_means_of_the_blocks_outputs_on_each_scales_cells(banks, scales):
    size = (512, 384)
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0)) * 0.6
    pixels = image * 0.45 / (image.mean() + 0.02)
    with torch.inference_mode():
        outputs = [one[0].numpy() for one in banks.backbone(pixels)]
        found = banks.compute_features(image, scales)
    assert len(found) == len(scales)
    for scale, features in zip(scales, found, strict=True):
        levels = [
            to_cells(average_plainly(np.concatenate([outputs[block] for block in blocks])))
            for blocks, to_cells in LEVELS[scale]
        ]
        assert features.shape == (1, banks.count_channels(scale), *(side // CELL_PX[scale] for side in size))
        np.testing.assert_allclose(features[0].numpy(), np.concatenate(levels), rtol=1e-3, atol=1e-3)


def test_the_image_is_seen_once_and_no_block_is_computed_that_no_scale_needs(banks, monkeypatch):
    counts = []
    forward = banks.backbone.forward

    def count_blocks(view, count):
        counts.append(count)
        return forward(view, count)

    monkeypatch.setattr(banks.backbone, "forward", count_blocks)
    image = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        for scales in (["detail"], ["fine", "detail"], ["detail", "fine", "coarse"]):
            banks.compute_features(image, scales)
    assert counts == [5, 11, 16]


@pytest.mark.parametrize("weights", [[0.25, 0.5, 0.25], [0.1, 0.2, 0.7], [0.0, 0.0, 1.0]])
def test_maps_are_combined_to_their_weighted_geometric_mean_on_the_finest_cells(banks, weights):
    """A product of powers; coarser maps are enlarged as logarithms, with 2 % of the high quantile added."""
    rng = np.random.default_rng(0)
    high = np.array([0.5, 2.0, 1.25])
    maps = [rng.uniform(0, 3, (2, 1, *cells)) for cells in ((16, 24), (8, 12), (8, 12))]
    expected = np.ones((2, 16, 24))
    for one, unit, weight in zip(maps, high, weights, strict=True):
        logarithms = np.log(one[:, 0] / unit + 0.02)
        logarithms = logarithms if one.shape[-1] == 24 else enlarge_plainly(logarithms)
        expected *= np.exp(logarithms) ** weight
    banks.weights = torch.tensor(weights)
    found = banks.combine([torch.from_numpy(one).float() for one in maps], torch.from_numpy(high).float())
    assert found.shape == (2, 1, 16, 24)
    np.testing.assert_allclose(found[:, 0].numpy(), expected, rtol=1e-4)


@pytest.mark.parametrize("weights", [[0.25, 0.5, 0.25], [0.0, 0.0, 1.0]])
@pytest.mark.parametrize("share", [0.0, 0.1, 1.0, 7.0])
def test_maps_at_the_same_share_of_their_high_quantiles_give_that_share(banks, share, weights):
    """Whatever the weights are; all zeros give the least, from which on a distance is noise."""
    high = torch.tensor([0.5, 2.0, 1.25])
    banks.weights = torch.tensor(weights)
    maps = [torch.full((1, 1, *cells), share) * one for cells, one in zip(((8, 8), (4, 4), (4, 4)), high, strict=True)]
    torch.testing.assert_close(banks.combine(maps, high), torch.full((1, 1, 8, 8), share + 0.02))


def test_of_a_bank_alone_the_map_stays_on_its_own_cells():
    banks = build_tiny("L", [("coarse", 5)]).backbone_banks
    one = torch.rand(1, 1, 4, 6)
    torch.testing.assert_close(banks.combine([one], torch.tensor([0.5])), one / 0.5 + 0.02)


def test_fresh_banks_count_alike():
    assert build_tiny("L", BANKS).backbone_banks.weights.tolist() == pytest.approx([1 / 3] * 3)


def test_a_window_is_24_px_of_what_the_backbone_sees_and_fits_the_image():
    assert [choose_window(*size) for size in ((512, 512), (256, 256), (64, 64), (256, 128), (1024, 1024))] == [
        (24, 24), (12, 12), (3, 3), (12, 12), (24, 24),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    for size in rng.integers(64, 3000, (300, 2)).tolist():
        window = choose_window(*size)
        for side, part, seen in zip(size, window, choose_size(*size), strict=True):
            assert abs(part - 24 * side / seen) <= (2 if side > 256 else 0.5)
            assert side <= 256 or part % 4 == 0
            assert 1 <= part < side


def test_a_small_image_is_enlarged_and_a_large_one_is_brought_to_sides_that_64_px_divides():
    assert [choose_size(*size) for size in ((64, 64), (512, 512), (256, 128), (600, 1000), (2048, 40))] == [
        (512, 512), (512, 512), (512, 256), (576, 1024), (2048, 64),
    ]  # fmt: skip
    rng = np.random.default_rng(0)
    for height, width in rng.integers(64, 3000, (200, 2)).tolist():
        chosen = choose_size(height, width)
        assert not any(side % 64 for side in chosen)
        assert max(chosen) >= 512
        scale = max(1, 512 / max(height, width))
        assert all(abs(new - scale * old) <= 32 or new == 64 for new, old in zip(chosen, (height, width), strict=True))


def test_an_image_of_a_fitting_size_is_shown_as_it_is():
    image = torch.rand(1, 3, 512, 576)
    assert show(image) is image
    assert show(torch.rand(2, 3, 100, 50)).shape == (2, 3, 512, 256)


@pytest.mark.parametrize("gain", [0.5, 0.8, 1.3])
def test_a_longer_exposure_changes_little_and_the_pattern_stays(gain):
    torch.manual_seed(0)
    image = torch.rand(2, 3, 8, 8) * 0.7
    image[1] /= 3
    same, brighter = equalise_exposure(image), equalise_exposure(image * gain)
    torch.testing.assert_close(brighter, same, rtol=0.15, atol=0)
    assert (same.mean((1, 2, 3)) - 0.45).abs().max() < 0.1
    torch.testing.assert_close(same / same.mean((1, 2, 3), keepdim=True), image / image.mean((1, 2, 3), keepdim=True))


def test_a_black_image_stays_black():
    assert not equalise_exposure(torch.zeros(1, 3, 4, 4)).any()


def test_means_and_grids_keep_a_constant_up_to_the_border():
    ones = torch.ones(1, 2, 8, 12)
    torch.testing.assert_close(average_neighbours(ones), ones)
    for cells in ((8, 12), (4, 6), (16, 24)):
        torch.testing.assert_close(resize_level(ones, cells), torch.ones(1, 2, *cells))


@pytest.mark.parametrize("side", [64, 512])
@pytest.mark.parametrize("branch", [0, 1, 2])
def test_a_pixel_in_any_corner_changes_the_map_in_that_corner(banks, side, branch):
    """A white spot changes its corner of the map most, though the whole image is equalised."""
    rng = torch.Generator().manual_seed(0)
    image = 0.4 + 0.05 * torch.rand(1, 3, side, side, generator=rng)
    spot = side // 64
    with torch.inference_mode():
        before = banks.compute_raw_maps(image)[branch][0, 0]
        for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
            changed = image.clone()
            changed[
                ..., slice(spot) if row == 0 else slice(-spot, None), slice(spot) if column == 0 else slice(-spot, None)
            ] = 1
            difference = (banks.compute_raw_maps(changed)[branch][0, 0] - before).abs()
            half = len(difference) // 2
            assert difference[row, column] > 0
            corner = difference[:half] if row == 0 else difference[half:]
            corner = corner[:, :half] if column == 0 else corner[:, half:]
            assert corner.max() == difference.max()


def test_each_bank_leaves_out_what_is_excluded_of_it(banks):
    image = torch.rand(2, 3, 64, 64)
    excluded = [torch.rand(2, patches) > 0.5 for _, patches in BANKS]
    for one in excluded:
        one[:, 0] = False
    with torch.inference_mode():
        found = banks.compute_raw_maps(image, excluded)
        together = zip(found, banks.banks, banks.compute_features(image, banks.scales), excluded, strict=True)
        for maps, bank, features, left_out in together:
            vectors = bank.project(features).flatten(2).transpose(1, 2)  # (B, cells, D)
            for vector, one, out in zip(vectors, maps, left_out, strict=True):
                nearest = (vector[:, None] - bank.patches[~out]).square().mean(-1).amin(1)
                torch.testing.assert_close(one.flatten(), nearest, rtol=1e-3, atol=1e-3)
