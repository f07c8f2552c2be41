"""What is particular to each data set's layout, and what is said when a layout is wrong."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_images import save_image, save_mask

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets import elpv
from efficientad.data.datasets.elpv import ElpvProvider
from efficientad.data.datasets.magnetic_tile import MagneticTileProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.errors import DataError


def _split_counts(samples: list[Sample]) -> Counter:
    return Counter((sample.split, sample.defect) for sample in samples)


def test_mvtec_folders_are_its_splits(mvtec_path: Path):
    provider = MVTecProvider(mvtec_path)
    expected = {("train", "good"): 8, ("test", "good"): 3, ("test", "bent"): 2, ("test", "crack"): 2}
    assert _split_counts(provider.list_samples()) == expected
    assert "test/crack/001.png" in {sample.name for sample in provider.list_samples()}


def test_mvtec_mask_is_that_of_the_sample(mvtec_path: Path):
    expected = np.zeros((24, 30), bool)
    expected[4:10, 6:12] = True
    mask = MVTecProvider(mvtec_path).load_mask(Sample("test/crack/001.png", "test", "crack"))
    np.testing.assert_array_equal(mask, expected)


def test_loco_validation_and_its_masks_in_parts(mvtec_path: Path):
    save_image(mvtec_path / "validation/good/000.png", 300)
    save_image(mvtec_path / "test/logical/000.png", 301)
    for part, row in ((0, 2), (1, 20)):
        mask = np.zeros((24, 30), np.uint8)
        mask[row, 5] = 255
        (mvtec_path / "ground_truth/logical/000").mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(mvtec_path / f"ground_truth/logical/000/{part:03d}.png")
    provider = MVTecProvider(mvtec_path)
    assert _split_counts(provider.list_samples())["validation", "good"] == 1
    mask = provider.load_mask(Sample("test/logical/000.png", "test", "logical"))
    assert np.argwhere(mask).tolist() == [[2, 5], [20, 5]]


def test_mvtec_errors_name_the_place(mvtec_path: Path):
    with pytest.raises(DataError, match=r"train.good.*check data\.root"):
        MVTecProvider(mvtec_path / "nothing")
    provider, sample = MVTecProvider(mvtec_path), Sample("test/crack/000.png", "test", "crack")
    save_mask(mvtec_path / "ground_truth/crack/000_mask.png", size=(24, 31))
    with pytest.raises(DataError, match=r"\(24, 30\).*\(24, 31\)"):
        provider.load_mask(sample)
    (mvtec_path / "ground_truth/crack/000_mask.png").unlink()
    with pytest.raises(DataError, match="expected a mask at"):
        provider.load_mask(sample)


def test_the_split_of_free_tiles_is_open(tile_path: Path):
    samples = MagneticTileProvider(tile_path).list_samples()
    assert _split_counts(samples) == {(None, "good"): 10, ("test", "crack"): 2, ("test", "uneven"): 1}


def test_a_tile_with_an_empty_mask_has_no_known_mask(tile_path: Path):
    provider = MagneticTileProvider(tile_path)
    assert provider.load_mask(Sample("MT_Uneven/Imgs/exp0.jpg", "test", "uneven")) is None


def test_tile_masks_count_from_half_coverage(tile_path: Path):
    provider, sample = (
        MagneticTileProvider(tile_path),
        Sample("MT_Crack/Imgs/exp0.jpg", "test", "crack"),
    )
    levels = np.zeros((24, 30), np.uint8)
    levels[3, 3:6] = [127, 128, 255]
    Image.fromarray(levels).save(tile_path / "MT_Crack/Imgs/exp0.png")
    assert np.argwhere(provider.load_mask(sample)).tolist() == [[3, 4], [3, 5]]


def test_files_beside_the_tiles_are_named(tile_path: Path):
    assert MagneticTileProvider(tile_path).list_left_out() == []
    save_image(tile_path / "MT_Crack/Imgs/more.tif", 1)
    (tile_path / "MT_Crack/notes.txt").touch()
    names = [finding.file for finding in MagneticTileProvider(tile_path).list_left_out()]
    assert names == ["MT_Crack/Imgs/more.tif", "MT_Crack/notes.txt"]


def test_tile_errors(tile_path: Path):
    with pytest.raises(DataError, match="MT_Free"):
        MagneticTileProvider(tile_path / "nothing")


@pytest.fixture
def cells_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the package's data folder."""
    rows = ["0.0"] * 10 + ["0.3333333333333333", "0.6666666666666666", "1.0", "1.0"]
    lines = []
    for n, probability in enumerate(rows):
        save_image(tmp_path / f"cells/images/cell{n:04d}.png", n)
        lines.append(f"images/cell{n:04d}.png  {probability}   mono")
    (tmp_path / "cells/labels.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.setattr(elpv, "_find_package", lambda: tmp_path / "cells")
    return tmp_path / "cells"


@pytest.mark.parametrize(
    ("minimum", "classes"),
    [
        (1.0, {"probability_1.00": 2}),
        (0.6667, {"probability_1.00": 2}),
        (0.66, {"probability_0.67": 1, "probability_1.00": 2}),
        (0.3, {"probability_0.33": 1, "probability_0.67": 1, "probability_1.00": 2}),
    ],
)
def test_cells_below_the_minimum_probability_are_left_out(cells_path: Path, minimum: float, classes: dict):
    samples = ElpvProvider(minimum).list_samples()
    assert Counter(s.defect for s in samples if s.label) == classes
    assert Counter(s.split for s in samples if not s.label) == {None: 10}


def test_a_missing_package_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(elpv, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="pip install elpv-dataset"):
        ElpvProvider(1.0)
    with pytest.raises(DataError, match="minimum_probability"):
        ElpvProvider(0.0)


@pytest.mark.skipif(find_spec("elpv_dataset") is None, reason="the package elpv-dataset is not installed")
def test_the_published_cells_are_counted():
    samples = ElpvProvider(1.0).list_samples()
    assert Counter(s.label for s in samples) == {0: 1508, 1: 715}


def test_nested_test_images_do_not_take_each_others_masks(mvtec_path: Path):
    save_image(mvtec_path / "test/crack/line 2/000.png", 400)
    provider, sample = MVTecProvider(mvtec_path), Sample("test/crack/line 2/000.png", "test", "crack")
    with pytest.raises(DataError, match=r"expected a mask at .*crack.line 2.000_mask\.png"):
        provider.load_mask(sample)
    mask = np.zeros((24, 30), np.uint8)
    mask[20, 20] = 255
    save_image(mvtec_path / "ground_truth/crack/line 2/000_mask.png", 0)
    Image.fromarray(mask).save(mvtec_path / "ground_truth/crack/line 2/000_mask.png")
    assert provider.load_mask(sample).sum() == 1
    assert provider.load_mask(Sample("test/crack/000.png", "test", "crack")).sum() == 36


def test_mvtec_names_the_files_that_it_does_not_read(mvtec_path: Path):
    assert MVTecProvider(mvtec_path).list_left_out() == []
    for name in ("license.txt", "train/good/a.gif", "train/bent/b.png", "test/c.png"):
        (mvtec_path / name).parent.mkdir(exist_ok=True)
        (mvtec_path / name).touch()
    save_mask(mvtec_path / "ground_truth/crack/009_mask.png")
    save_image(mvtec_path / "test/logical/000.png", 301)
    save_mask(mvtec_path / "ground_truth/logical/000/001.png")  # of MVTec LOCO
    names = [finding.file for finding in MVTecProvider(mvtec_path).list_left_out()]
    assert names == ["ground_truth/crack/009_mask.png", "test/c.png", "train/bent/b.png", "train/good/a.gif"]
