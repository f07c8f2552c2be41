"""The synthetic products: believable, exact, and the same on every machine."""

import hashlib

import numpy as np
import pytest
from scipy import ndimage

from efficientad.data.datasets.synthetic.defects import DEFECTS
from efficientad.data.datasets.synthetic.provider import SyntheticProvider
from efficientad.data.datasets.synthetic.render import (
    PRODUCTS,
    draw_shot,
    generate_anomalous_image,
    generate_normal_image,
)
from efficientad.data.drawing.shapes import Box, Disc, Path, Pose, cover
from efficientad.errors import DataError

GOLDEN = {
    ("washer", "good"): "198b71e2de317068",
    ("washer", "scratch"): "6780c417d8f45df9",
    ("washer", "contamination"): "2a232ca03b2caaa8",
    ("washer", "misplaced"): "3195a70b0f6cb90b",
    ("fabric", "good"): "e92c142fe2b59e99",
    ("fabric", "scratch"): "75a6c84a89af1ca8",
    ("fabric", "contamination"): "f1d9c34be9314b7a",
    ("fabric", "misplaced"): "95c418a9bd3f3d98",
    ("circuit", "good"): "dbb37ddb6ebc66c3",
    ("circuit", "scratch"): "c502c390ecf593ac",
    ("circuit", "contamination"): "5eb7167fc0d737d4",
    ("circuit", "misplaced"): "1832759ac05f1da9",
}


def _fingerprint(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:16]


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("defect", ["good", *DEFECTS])
def test_bytes_never_change(product: str, defect: str):
    """A change of these hashes changes every user's data: it needs an entry in the changelog."""
    rng = np.random.default_rng([7, 11])
    if defect == "good":
        fingerprint = _fingerprint(generate_normal_image(product, rng))
    else:
        fingerprint = _fingerprint(*generate_anomalous_image(product, defect, rng))
    assert fingerprint == GOLDEN[product, defect]


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_mask_is_where_the_noise_free_images_differ_visibly(product: str, defect: str):
    """Recomputed from two independent renderings, in 8-bit levels rather than in fractions."""
    _, mask = generate_anomalous_image(product, defect, np.random.default_rng([3, 5]))
    shot = draw_shot(product, defect, np.random.default_rng([3, 5]))
    steps = np.stack([abs(255 * shot.defective[..., c] - 255 * shot.good[..., c]) for c in range(3)])
    assert steps.max() > 8
    np.testing.assert_array_equal(mask, steps.max(axis=0) >= 8 - 1e-9)


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_outside_the_mask_the_image_is_that_of_the_good_product(product: str, defect: str):
    """The good and the defective image share light, pose and noise."""
    image, mask = generate_anomalous_image(product, defect, np.random.default_rng([9, 1]))
    good = generate_normal_image(product, np.random.default_rng([9, 1]))
    difference = np.abs(image.astype(int) - good).max(axis=-1)
    assert difference[~mask].max() <= 9  # the visible step, and one level of rounding
    assert difference[mask].mean() > 8
    far = ndimage.distance_transform_edt(~mask) > 40
    assert (difference[far] > 0).mean() < 0.02


@pytest.mark.parametrize("product", PRODUCTS)
@pytest.mark.parametrize("defect", DEFECTS)
def test_defects_vary_in_size_place_and_contrast(product: str, defect: str):
    shots = [draw_shot(product, defect, np.random.default_rng([21, n])) for n in range(8)]
    areas = np.array([shot.mask.sum() for shot in shots])
    assert areas.min() >= 25
    assert areas.max() < 0.06 * 320 * 320
    assert areas.max() > 1.5 * areas.min()
    places = {tuple(int(i) // 20 for i in ndimage.center_of_mass(shot.mask)) for shot in shots}
    assert len(places) >= 4
    contrasts = np.array([np.abs(shot.defective - shot.good).max() for shot in shots])
    assert contrasts.max() > 1.25 * contrasts.min()


@pytest.mark.parametrize("defect", DEFECTS)
def test_defects_lie_on_the_washer(defect: str):
    """Not on the belt: at most the shadow of a foreign part reaches over the ring's edge."""
    for number in range(6):
        mask = draw_shot("washer", defect, np.random.default_rng([4, number])).mask
        rows, columns = np.nonzero(mask)
        radius = np.hypot(rows - 159.5, columns - 159.5)
        assert ((radius > 52 - 14) & (radius < 118 + 14)).mean() > 0.5


@pytest.mark.parametrize("product", PRODUCTS)
def test_good_products_differ_by_nuisance_only(product: str):
    first, second = (generate_normal_image(product, np.random.default_rng(n)) for n in (1, 2))
    assert first.shape == (320, 320, 3)
    assert first.dtype == np.uint8
    assert (first != second).mean() > 0.5
    assert abs(first.mean() - second.mean()) < 40
    assert 20 < first.mean() < 200
    assert (first == 255).mean() < 0.02  # the camera is not overexposed


def _provider(**changes: object) -> SyntheticProvider:
    options = {"product": "washer", "train": 3, "test_good": 2, "test_per_defect": 2, "seed": 1} | changes
    return SyntheticProvider(**options)


def test_samples_are_counted_and_named():
    samples = _provider().list_samples()
    assert [s.name for s in samples[:5]] == [
        "train/good/0000.png",
        "train/good/0001.png",
        "train/good/0002.png",
        "test/good/0000.png",
        "test/good/0001.png",
    ]
    assert [s.defect for s in samples if s.label] == [d for d in DEFECTS for _ in range(2)]


def test_a_image_does_not_depend_on_how_many_there_are():
    few, many = _provider(), _provider(train=9, test_good=5, test_per_defect=7)
    shared = {s.name for s in few.list_samples()} & {s.name for s in many.list_samples()}
    assert len(shared) == len(few.list_samples())
    for sample in few.list_samples():
        np.testing.assert_array_equal(few.load_image(sample), many.load_image(sample))


def test_seed_product_split_and_number_all_change_the_image():
    provider = _provider()
    images = [provider.load_image(sample) for sample in provider.list_samples()]
    images += [_provider(seed=2).load_image(provider.list_samples()[0])]
    images += [_provider(product="fabric").load_image(provider.list_samples()[0])]
    assert len({_fingerprint(image) for image in images}) == len(images)


def test_mask_belongs_to_the_image():
    provider = _provider(train=0, test_good=0)
    for sample in provider.list_samples():
        seed = [1, 0, 1, 1 + DEFECTS.index(sample.defect), int(sample.name[-8:-4])]
        image, mask = generate_anomalous_image("washer", sample.defect, np.random.default_rng(seed))
        np.testing.assert_array_equal(provider.load_image(sample), image)
        np.testing.assert_array_equal(provider.load_mask(sample), mask)


def test_unknown_names_and_negative_counts_are_refused():
    with pytest.raises(DataError, match=r"washer, fabric, circuit.*'bolt'"):
        _provider(product="bolt")
    with pytest.raises(DataError, match="zero or more"):
        _provider(train=-1)
    with pytest.raises(DataError, match=r"scratch.*'hole'"):
        generate_anomalous_image("washer", "hole", np.random.default_rng(0))


def test_distances_are_those_of_elementary_geometry():
    x, y = np.array([0.0, 3.0, 10.0]), np.array([0.0, 4.0, 0.0])
    np.testing.assert_allclose(Disc(0, 0, 5).distance(x, y), [-5, 0, 5])
    np.testing.assert_allclose(Box(0, 0, 3, 4).distance(x, y), [-3, 0, 7])
    np.testing.assert_allclose(Path([(0, 0), (10, 0)], 2).distance(x, y), [-1, 3, -1])
    np.testing.assert_allclose(cover(np.array([-2.0, 0.0, 0.25, 2.0])), [1, 0.5, 0.25, 0])


def test_a_turned_box_is_the_box_turned():
    x, y = np.random.default_rng(0).uniform(-9, 9, (2, 50))
    turned = Box(0, 0, 5, 2, angle=np.pi / 2, corner=1)
    np.testing.assert_allclose(turned.distance(-y, x), Box(0, 0, 5, 2, corner=1).distance(x, y), atol=1e-9)


def test_pose_and_its_inverse_agree():
    pose = Pose(3.0, -2.0, 0.4)
    column, row = pose.to_image(20.0, 7.0)
    x, y = pose.to_product(np.array([column]), np.array([row]))
    np.testing.assert_allclose([x[0], y[0]], [20.0, 7.0])
