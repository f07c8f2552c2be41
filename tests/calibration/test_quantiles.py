"""Which values of which images set a map's quantiles."""

import numpy as np
import pytest
from tiny_models import build_tiny

from efficientad.calibration.coreset import fit_memory_banks
from efficientad.calibration.quantiles import compute_training_maps, fit_map_quantiles
from efficientad.model.inference import compute_raw_maps
from efficientad.model.maps import Levels

SIDE = 96
NORMALS = np.array([1, 2, 4])


def draw_images(count, side=SIDE):
    rng = np.random.default_rng(0)
    return np.kron(rng.integers(40, 200, (count, 8, 8, 3)), np.ones((1, side // 8, side // 8, 1))).astype(np.uint8)


@pytest.fixture(scope="module")
def fitted():
    """A detector of size S with a bank, so that one map has a border and one has none; of three of five images."""
    images, detector = draw_images(5), build_tiny("S")
    detector.add_backbone(build_tiny("L").backbone_banks.backbone)
    owners = fit_memory_banks(detector, images, NORMALS, {"coarse": 40}, seed=0)
    return images, detector, owners


def select_plainly(raw, region, border):
    """The values of those cells, one by one, that hold a pixel of the region."""
    height, width = (side + 2 * border for side in raw.shape)
    values = []
    for row, column in np.ndindex(*raw.shape):
        top, left = (row + border) * SIDE / height, (column + border) * SIDE / width
        rows = slice(int(top), int(np.ceil(top + SIDE / height)))
        if region[rows, int(left) : int(np.ceil(left + SIDE / width))].any():
            values.append(float(raw[row, column]))
    return values


def test_only_cells_in_the_region_count_of_training_images_alone(fitted):
    images, detector, owners = fitted
    region = np.zeros((SIDE, SIDE), bool)
    region[20:50, 40:90] = True
    raw = compute_raw_maps(detector, images, NORMALS, owners)
    found = compute_training_maps(detector, images, NORMALS, owners, region)
    assert [len(branch) for branch in found] == [3, 3, 3]
    for branch, expected, border in zip(found, raw, (4, 4, 0), strict=True):
        for one, whole in zip(branch, expected, strict=True):
            assert one.tolist() == pytest.approx(select_plainly(whole, region, border))
            assert 0 < one.size < whole.size
    whole = compute_training_maps(detector, images, NORMALS, owners, None)
    for branch, expected in zip(whole, raw, strict=True):
        np.testing.assert_array_equal(np.stack(branch), np.stack(expected).reshape(3, -1))


def test_no_image_is_compared_with_its_own_patches(fitted):
    images, detector, owners = fitted
    (_, _, others) = compute_training_maps(detector, images, NORMALS, owners, None)
    (_, _, own) = compute_raw_maps(detector, images, NORMALS)
    assert all((np.ravel(one) <= other).all() for one, other in zip(own, others, strict=True))
    assert np.mean(others) > 1.01 * np.mean(own)


def test_of_many_images_64_are_taken_in_their_order_and_always_the_same(monkeypatch):
    asked = []

    def record(_detector, _images, indices, _owners):
        asked.append(indices.tolist())
        return [[np.zeros((1, 1), np.float32)] * len(indices)]

    monkeypatch.setattr("efficientad.calibration.quantiles.compute_raw_maps", record)
    detector, normals = build_tiny("L", [("coarse", 4)]), np.arange(100, 300, 2)
    for _ in range(2):
        compute_training_maps(detector, None, normals, [], None)
    assert asked[0] == asked[1] == sorted(asked[0])
    assert len(set(asked[0])) == 64
    assert set(asked[0]) < set(normals.tolist())
    assert asked[0] != normals[:64].tolist()


def test_each_branch_has_quantiles_of_its_own():
    maps = [[np.arange(5, dtype=np.float32)], [np.arange(10, 15, dtype=np.float32)]]
    assert [(one.low, one.high) for one in fit_map_quantiles(maps, Levels(0.5, 1.0))] == [(2, 4), (12, 14)]
