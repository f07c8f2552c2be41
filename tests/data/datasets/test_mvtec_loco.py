"""MVTec LOCO: its splits, its defects one by one, and what is said when a file is not as published."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_images import save_box

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.mvtec_loco import MVTecLocoProvider
from efficientad.errors import DataError

LOGICAL = Sample("test/logical_anomalies/000.png", "test", "logical_anomalies")
GOOD_TEST = Sample("test/good/000.png", "test", "good")


def test_folders_are_the_splits(loco_path: Path):
    samples = MVTecLocoProvider(loco_path).list_samples()
    assert Counter((sample.split, sample.defect) for sample in samples) == {
        ("train", "good"): 6, ("validation", "good"): 3, ("test", "good"): 3,
        ("test", "logical_anomalies"): 1, ("test", "structural_anomalies"): 1,
    }  # fmt: skip


def test_each_file_is_a_defect_with_its_saturation(loco_path: Path):
    first, second = MVTecLocoProvider(loco_path).load_defects(LOGICAL)
    assert (first.mask.sum(), second.mask.sum(), (first.mask & second.mask).sum()) == (48, 80, 8)
    assert first.saturation == pytest.approx(20 / 48)  # px of the defect's own
    assert second.saturation == 0.5


def test_a_defect_smaller_than_its_threshold_must_be_found_completely(loco_path: Path):
    save_box(loco_path / "ground_truth/logical_anomalies/000/000.png", (0, 3, 0, 5), level=255)
    assert MVTecLocoProvider(loco_path).load_defects(LOGICAL)[0].saturation == 1


def test_the_mask_unites_the_defects(loco_path: Path):
    provider = MVTecLocoProvider(loco_path)
    assert provider.load_mask(LOGICAL).sum() == 48 + 80 - 8
    assert provider.load_defects(GOOD_TEST) == []
    assert not provider.load_mask(GOOD_TEST).any()


@pytest.mark.parametrize("part", ["validation/good", "ground_truth", "defects_config.json"])
def test_a_missing_part_is_named(loco_path: Path, part: str):
    (loco_path / part).rename(loco_path / "elsewhere")
    with pytest.raises(DataError, match=rf"mvtec_loco with .*{part}, found none.*unpack it again"):
        MVTecLocoProvider(loco_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"relative_saturation": "true"}, "relative_saturation"),
        ({"relative_saturation": True, "saturation_threshold": 20}, "saturation_threshold"),
        ({"saturation_threshold": 0}, "saturation_threshold"),
        ({"pixel_value": 0}, "pixel_value"),
        ({"pixel_value": None}, "pixel_value"),
    ],
)
def test_a_kind_of_defect_that_makes_no_sense_is_refused(loco_path: Path, change: dict, message: str):
    kinds = json.loads((loco_path / "defects_config.json").read_text())
    (loco_path / "defects_config.json").write_text(json.dumps([kinds[0] | change, *kinds[1:]]))
    with pytest.raises(DataError, match=rf"defects_config\.json.*{message}.*restore the file"):
        MVTecLocoProvider(loco_path)


@pytest.mark.parametrize("content", ["", "[1]", '[{"pixel_value": 255}]', "3"])
def test_a_broken_list_of_kinds_is_one_clear_line(loco_path: Path, content: str):
    (loco_path / "defects_config.json").write_text(content)
    with pytest.raises(DataError, match=r"defects_config\.json: .*restore the file"):
        MVTecLocoProvider(loco_path)


def test_masks_that_are_not_as_published_are_named(loco_path: Path):
    provider, mask = MVTecLocoProvider(loco_path), loco_path / "ground_truth/logical_anomalies/000/001.png"
    save_box(mask, (1, 3, 1, 3), level=7)
    with pytest.raises(DataError, match=r"001\.png, and that among \[253, 254, 255\].*got \[7\]"):
        provider.load_defects(LOGICAL)
    save_box(mask, (1, 3, 1, 3), level=0)
    with pytest.raises(DataError, match=r"001\.png.*got \[\]"):
        provider.load_mask(LOGICAL)
    save_box(mask, (1, 3, 1, 3), size=(24, 31), level=254)
    with pytest.raises(DataError, match=r"\(24, 30\), got \(24, 31\)"):
        provider.load_defects(LOGICAL)


def test_a_defective_image_without_masks_is_an_error(loco_path: Path):
    for path in (loco_path / "ground_truth/logical_anomalies/000").iterdir():
        path.unlink()
    with pytest.raises(DataError, match=r"masks of test/logical_anomalies/000\.png.*found none"):
        MVTecLocoProvider(loco_path).load_mask(LOGICAL)


def test_only_what_nobody_reads_is_left_out(loco_path: Path):
    save_box(loco_path / "ground_truth/logical_anomalies/007/000.png", (1, 3, 1, 3))
    left_out = MVTecLocoProvider(loco_path).list_left_out()
    assert [finding.file for finding in left_out] == ["ground_truth/logical_anomalies/007/000.png"]


def test_a_mask_may_have_colour_channels(loco_path: Path):
    path = loco_path / "ground_truth/logical_anomalies/000/000.png"
    expected = MVTecLocoProvider(loco_path).load_defects(LOGICAL)[0]
    Image.open(path).convert("RGB").save(path)
    found = MVTecLocoProvider(loco_path).load_defects(LOGICAL)[0]
    assert np.array_equal(found.mask, expected.mask)
    assert found.saturation == expected.saturation
