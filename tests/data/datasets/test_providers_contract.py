"""What every provider promises, whatever data set it reads."""

from importlib.util import find_spec

import numpy as np
import pytest

from efficientad.data.arrays.samples import Sample, hold_out
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.elpv import ElpvProvider
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.magnetic_tile import MagneticTileProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.datasets.mvtec_3d import MVTec3DProvider
from efficientad.data.datasets.mvtec_loco import MVTecLocoProvider
from efficientad.data.datasets.synthetic.provider import SyntheticProvider
from efficientad.data.datasets.visa import VisaProvider


def _make_elpv(request: pytest.FixtureRequest) -> DatasetProvider:
    if find_spec("elpv_dataset") is None:
        pytest.skip("the package elpv-dataset is not installed")
    return ElpvProvider(minimum_probability=1.0)


MAKERS = {
    "synthetic": lambda request: SyntheticProvider("washer", train=4, test_good=2, test_per_defect=1, seed=3),
    "mvtec": lambda request: MVTecProvider(request.getfixturevalue("mvtec_path")),
    "mvtec_loco": lambda request: MVTecLocoProvider(request.getfixturevalue("loco_path")),
    "mvtec_3d": lambda request: MVTec3DProvider(request.getfixturevalue("mvtec_3d_path")),
    "visa": lambda request: VisaProvider(request.getfixturevalue("visa_path")),
    "magnetic_tile": lambda request: MagneticTileProvider(request.getfixturevalue("tile_path")),
    "elpv": _make_elpv,
    "folder": lambda request: FolderProvider(request.getfixturevalue("folder_path")),
}


@pytest.fixture(params=MAKERS)
def providers(request: pytest.FixtureRequest) -> tuple[DatasetProvider, DatasetProvider]:
    """The same provider, opened twice."""
    maker = MAKERS[request.param]
    return maker(request), maker(request)


def _pick(samples: list[Sample]) -> list[Sample]:
    """The first sample of each split and class."""
    return list({(s.split, s.defect): s for s in reversed(samples)}.values())


def test_the_list_is_the_same_on_every_call(providers):
    first, second = providers
    assert first.list_samples() == first.list_samples() == second.list_samples()


def test_names_are_unique_posix_and_relative(providers):
    names = [sample.name for sample in providers[0].list_samples()]
    assert len(set(names)) == len(names)
    assert not any("\\" in name or name.startswith("/") or ".." in name for name in names)


def test_what_may_train_is_good_and_defects_test(providers):
    samples = providers[0].list_samples()
    assert {s.label for s in samples if s.split in ("train", None)} == {0}
    assert {s.split for s in samples if s.label} == {"test"}
    assert all(s.label == (s.defect != "good") for s in samples)


def test_images_are_rgb_uint8_and_repeat(providers):
    first, second = providers
    for sample in _pick(first.list_samples()):
        image = first.load_image(sample)
        assert image.dtype == np.uint8
        assert image.ndim == 3
        assert image.shape[2] == 3
        np.testing.assert_array_equal(image, second.load_image(sample))


def test_masks_are_bool_and_of_the_images_size(providers):
    provider = providers[0]
    for sample in _pick(provider.list_samples()):
        mask = provider.load_mask(sample)
        if mask is not None:
            assert mask.dtype == np.bool_
            assert mask.shape == provider.load_image(sample).shape[:2]
            assert mask.any() == sample.label


def test_defects_one_by_one_make_up_the_mask(providers):
    provider = providers[0]
    for sample in _pick(provider.list_samples()):
        defects = provider.load_defects(sample)
        if defects is not None:
            mask = provider.load_mask(sample)
            assert np.array_equal(sum((defect.mask for defect in defects), np.zeros_like(mask)), mask)
            assert all(0 < defect.saturation <= 1 for defect in defects)


def test_paths_exist_where_samples_come_from_files(providers):
    provider = providers[0]
    paths = [provider.image_path(sample) for sample in provider.list_samples()[:5]]
    assert all(path is None for path in paths) or all(path.is_file() for path in paths)


def test_hold_out_depends_on_the_set_of_names_only():
    names = [f"{n:03d}" for n in range(100)]
    chosen = hold_out(names, 0.1, seed=5)
    assert len(chosen) == 10
    assert chosen <= set(names)
    assert hold_out(names[::-1] + names[:3], 0.1, seed=5) == chosen
    assert hold_out(names, 0.1, seed=6) != chosen


@pytest.mark.parametrize(
    ("count", "fraction", "expected"),
    [(0, 0.5, 0), (1, 0.1, 0), (2, 0.1, 1), (9, 0.0, 0), (9, 1.0, 9), (30, 0.1, 3)],
)
def test_hold_out_rounds_but_takes_at_least_one_of_two(count: int, fraction: float, expected: int):
    assert len(hold_out([str(n) for n in range(count)], fraction, seed=0)) == expected
