"""MVTec 3D-AD: its colour images and their masks; depth is left alone."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from tiny_images import save_mask

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.mvtec_3d import MVTec3DProvider
from efficientad.data.images.reading import read_image
from efficientad.errors import DataError

CRACK = Sample("test/crack/rgb/001.png", "test", "crack")


def test_folders_are_the_splits_and_depth_is_no_image(mvtec_3d_path: Path):
    samples = MVTec3DProvider(mvtec_3d_path).list_samples()
    assert Counter((sample.split, sample.defect) for sample in samples) == {
        ("train", "good"): 5, ("validation", "good"): 2, ("test", "good"): 2, ("test", "crack"): 2,
    }  # fmt: skip
    assert {Path(sample.name).parent.name for sample in samples} == {"rgb"}


def test_image_and_mask_are_those_of_the_sample(mvtec_3d_path: Path):
    provider = MVTec3DProvider(mvtec_3d_path)
    np.testing.assert_array_equal(provider.load_image(CRACK), read_image(mvtec_3d_path / "test/crack/rgb/001.png"))
    expected = np.zeros((24, 30), bool)
    expected[4:10, 6:12] = True
    np.testing.assert_array_equal(provider.load_mask(CRACK), expected)


def test_good_images_have_an_empty_mask_whatever_their_file_holds(mvtec_3d_path: Path):
    save_mask(mvtec_3d_path / "test/good/gt/000.png")
    assert not MVTec3DProvider(mvtec_3d_path).load_mask(Sample("test/good/rgb/000.png", "test", "good")).any()


def test_a_defect_with_an_empty_mask_has_no_known_mask(mvtec_3d_path: Path):
    save_mask(mvtec_3d_path / "test/crack/gt/001.png", level=0)
    assert MVTec3DProvider(mvtec_3d_path).load_mask(CRACK) is None


def test_errors_name_the_file(mvtec_3d_path: Path):
    provider, mask = MVTec3DProvider(mvtec_3d_path), mvtec_3d_path / "test/crack/gt/001.png"
    save_mask(mask, size=(24, 31))
    with pytest.raises(DataError, match=r"\(24, 30\), got \(24, 31\) in .*crack.gt.001\.png"):
        provider.load_mask(CRACK)
    mask.unlink()
    with pytest.raises(DataError, match=r"gt.001\.png"):
        provider.load_mask(CRACK)
    (mvtec_3d_path / "validation").rename(mvtec_3d_path / "val")
    with pytest.raises(DataError, match=r"mvtec_3d with .*validation.good.rgb, found none; .*unpack it again"):
        MVTec3DProvider(mvtec_3d_path)
