"""Images resized to the model's size, written, coloured and outlined."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from efficientad.data.files.images import (
    colour_map,
    correlate_block,
    encode_jpeg,
    encode_png,
    mark_defects,
    outline,
    resize_image,
    resize_mask,
    smooth_plane,
    write_png,
)
from efficientad.errors import DataError


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


def test_a_image_of_the_right_size_is_copied(gradient: np.ndarray):
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


def test_png_keeps_colour_grey_and_masks(tmp_path: Path, gradient: np.ndarray):
    path = tmp_path / "out.png"
    for image in (gradient, gradient[..., 0], gradient[..., 0] > 90):
        write_png(path, image)
        expected = image.astype(np.uint8) * 255 if image.dtype == bool else image
        np.testing.assert_array_equal(np.array(Image.open(path)), expected)


def test_png_refuses_other_arrays():
    with pytest.raises(DataError, match="float64"):
        encode_png(np.zeros((4, 4, 3)))
    with pytest.raises(DataError, match="expected uint8"):
        encode_png(np.zeros((4, 4, 4), np.uint8))


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


def test_a_plane_is_smoothed_by_a_gaussian_mirrored_at_the_border():
    plane = np.random.default_rng(0).standard_normal((30, 41)).astype(np.float32)
    expected = ndimage.gaussian_filter(plane.astype(np.float64), 2.0, mode="reflect", truncate=4.0)
    np.testing.assert_allclose(smooth_plane(plane, 2.0), expected, atol=2e-3)


def test_a_block_is_correlated_with_each_place():
    rng = np.random.default_rng(0)
    block, area = rng.standard_normal((4, 5)).astype(np.float32), rng.standard_normal((7, 9)).astype(np.float32)
    surface = correlate_block(block, area)
    assert surface.shape == (4, 5)
    for row in range(4):
        for column in range(5):
            place = area[row : row + 4, column : column + 5]
            assert surface[row, column] == pytest.approx(np.corrcoef(block.ravel(), place.ravel())[0, 1], abs=1e-5)


def test_what_is_flat_correlates_with_nothing():
    area = np.random.default_rng(0).standard_normal((7, 9)).astype(np.float32)
    assert not correlate_block(np.full((4, 5), 3.0, np.float32), area).any()
    assert not correlate_block(area[:4, :5], np.zeros((7, 9), np.float32)).any()


def test_around_a_clear_defect_only_the_half_of_its_height_is_marked():
    """A cone of height 8 that falls by 1 a pixel: above the threshold are 7 pixels on each side, marked are 4."""
    row = np.clip(8.0 - np.abs(np.arange(21) - 10.0), 0, None).astype(np.float32)[None]
    assert np.flatnonzero(mark_defects(row, 0.5)).tolist() == list(range(6, 15))
    assert np.flatnonzero(mark_defects(row, 5.0)).tolist() == list(range(8, 13))  # the threshold is the higher one


def test_each_region_is_measured_by_its_own_highest_value():
    """A weak defect beside a clear one keeps its marks; regions that touch at a corner are one."""
    row = np.array([[8, 3, 0, 1, 0.75]], np.float32)
    assert mark_defects(row, 0.5).tolist() == [[True, False, False, True, True]]
    corner = np.array([[8, 0], [0, 1]], np.float32)
    assert mark_defects(corner, 0.5).tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize("threshold", [-3.0, 0.0, 0.5])
def test_where_the_map_exceeds_the_threshold_something_is_marked_and_nowhere_else(threshold):
    anomaly_map = np.random.default_rng(0).normal(-1, 1, (40, 30)).astype(np.float32)
    marked = mark_defects(anomaly_map, threshold)
    regions, count = ndimage.label(anomaly_map > threshold, np.ones((3, 3)))
    assert count > 0
    for place in ndimage.maximum_position(anomaly_map, regions, range(1, count + 1)):
        assert marked[place]
    assert (anomaly_map[marked] > threshold).all()
    assert not mark_defects(anomaly_map, float(anomaly_map.max())).any()


def test_a_region_of_negative_values_is_marked_where_it_is_highest():
    row = np.array([[-1, -5, -2, -2.5]], np.float32)  # half of -1 and of -2 is higher than they are
    assert mark_defects(row, -3).tolist() == [[True, False, True, False]]


def test_a_jpeg_is_near_the_image_and_the_same_again(tmp_path):
    rows, columns = np.mgrid[:64, :96]
    image = np.stack([rows * 3, columns * 2, 255 - rows * 3], axis=-1).astype(np.uint8)
    (tmp_path / "image.jpg").write_bytes(encode_jpeg(image))
    with Image.open(tmp_path / "image.jpg") as file:
        assert file.format == "JPEG"
        assert np.abs(np.asarray(file).astype(int) - image).max() < 16
    assert encode_jpeg(image) == encode_jpeg(image)


def test_a_jpeg_of_something_else_is_an_error():
    with pytest.raises(DataError, match="RGB uint8"):
        encode_jpeg(np.zeros((4, 4), np.uint8))
