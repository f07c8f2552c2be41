"""Images, masks and maps brought to the model's size, and back to the camera's."""

import numpy as np
import pytest
from scipy import ndimage

from efficientad.data.images.resizing import resize_bands, resize_image, resize_map, resize_mask


@pytest.mark.parametrize("shape", [(8, 8), (64, 32), (12, 400), (5, 3), (16, 12)])
def test_resized_image_has_the_asked_size_and_repeats(shape: tuple[int, int]):
    image = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    first, second = resize_image(image, (16, 12)), resize_image(image, (16, 12))
    assert first.shape == (16, 12, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, second)


def test_shrinking_takes_the_mean_of_each_area():
    image = np.random.default_rng(2).integers(0, 256, (64, 32, 3), dtype=np.uint8)
    means = image.reshape(16, 4, 16, 2, 3).mean(axis=(1, 3))
    assert np.abs(resize_image(image, (16, 16)) - means).max() <= 0.51


def test_enlarging_one_axis_interpolates_between_pixel_centres():
    image = np.zeros((2, 8, 3), np.uint8)
    image[1] = 200
    np.testing.assert_array_equal(resize_image(image, (4, 4))[:, 0, 0], [0, 50, 150, 200])


@pytest.mark.parametrize(("shape", "size"), [((9, 40), (30, 7)), ((40, 9), (7, 30))])
def test_where_one_axis_shrinks_and_the_other_grows_both_are_interpolated(
    shape: tuple[int, int], size: tuple[int, int]
):
    """Bilinear by hand: each output pixel of the two that its centre lies between, along each axis."""
    image = np.random.default_rng(3).integers(0, 256, (*shape, 3), dtype=np.uint8)
    expected = image.astype(float)
    for axis, (side, new) in enumerate(zip(shape, size, strict=True)):
        at = np.clip((np.arange(new) + 0.5) * side / new - 0.5, 0, side - 1)
        below = np.minimum(at.astype(int), side - 2)
        share = np.expand_dims(at - below, tuple({0, 1, 2} - {axis}))
        low, high = expected.take(below, axis), expected.take(below + 1, axis)
        expected = low + share * (high - low)
    assert np.abs(resize_image(image, size) - expected).max() <= 1


def test_an_image_of_the_right_size_is_copied(gradient: np.ndarray):
    square = np.ascontiguousarray(gradient[:, :40])
    resized = resize_image(square, square.shape[:2])
    np.testing.assert_array_equal(resized, square)
    assert not np.shares_memory(resized, square)


def test_mask_pixels_need_half_of_their_area():
    mask = np.zeros((4, 4), bool)
    mask[0, :2] = True  # exactly half of the first output pixel
    mask[1, 2] = True  # a quarter of the second one, of the same region
    np.testing.assert_array_equal(resize_mask(mask, (2, 2)), [[True, False], [False, False]])


def test_half_of_its_area_is_enough_for_a_pixel_beside_others_of_its_region():
    mask = np.zeros((4, 6), bool)
    mask[:2, :3] = True  # all of the first output pixel and half of the second
    mask[2, 1] = True  # a quarter of the one below
    np.testing.assert_array_equal(resize_mask(mask, (2, 3)), [[True, True, False], [False, False, False]])


def test_a_defect_never_vanishes_from_a_mask():
    mask = np.zeros((100, 70), bool)
    mask[57, 33] = True
    expected = np.zeros((10, 10), bool)
    expected[5, 4] = True
    np.testing.assert_array_equal(resize_mask(mask, (10, 10)), expected)
    assert not resize_mask(np.zeros((100, 70), bool), (10, 10)).any()


def test_a_small_region_beside_a_large_one_does_not_vanish():
    mask = np.zeros((80, 80), bool)
    mask[:40, :40] = True
    mask[61, 3:20] = True  # a scratch, one pixel wide
    mask[75, 75] = mask[76, 76] = True  # touches at a corner: one region
    expected = np.zeros((8, 8), bool)
    expected[:4, :4] = expected[6, :2] = expected[7, 7] = True
    np.testing.assert_array_equal(resize_mask(mask, (8, 8)), expected)


@pytest.mark.parametrize("size", [(4, 3), (16, 5), (24, 31), (20, 17)])
def test_each_region_leaves_a_pixel_where_it_was_and_none_where_there_was_nothing(size: tuple[int, int]):
    rng = np.random.default_rng(size[0])
    for share in (0.02, 0.1, 0.4):
        mask = rng.random((20, 17)) < share
        resized = resize_mask(mask, size)
        regions, count = ndimage.label(mask, np.ones((3, 3)))
        covered = [slow_coverage(regions == region, size) > 0 for region in range(1, count + 1)]
        half = slow_coverage(mask, size) >= 0.5
        lost = [cells for cells in covered if not (cells & half).any()]
        np.testing.assert_array_equal(resized, np.any([half, *lost], axis=0))


def slow_coverage(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The share of each cell's area: every pixel repeated so often that cells have whole borders."""
    height, width = mask.shape
    fine = mask.repeat(size[0], axis=0).repeat(size[1], axis=1)
    return fine.reshape(size[0], height, size[1], width).mean(axis=(1, 3))


def test_a_mask_is_enlarged_by_area():
    np.testing.assert_array_equal(
        resize_mask(np.array([[True, False]]), (4, 4)), np.repeat([[True, True, False, False]], 4, axis=0)
    )


@pytest.mark.parametrize(
    ("small", "large"),
    [((64, 64), (700, 900)), ((64, 48), (30, 500)), ((7, 9), (7, 9)), ((64, 64), (30, 20)), ((1, 1), (300, 5))],
)
def test_bands_of_a_map_are_the_resized_map(small, large):
    anomaly_map = np.random.default_rng(0).random(small, dtype=np.float32)
    bands = [*resize_bands(anomaly_map, *large)]
    assert np.concatenate([np.arange(large[0])[band] for band, _ in bands]).tolist() == [*range(large[0])]
    together = np.concatenate([values for _, values in bands])
    assert together.dtype == np.float32
    assert np.abs(together - resize_map(anomaly_map, *large)).max() < 1e-6
