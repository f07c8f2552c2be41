"""Defects one by one in a prepared product: at the model's size, with their saturation areas."""

import json
from pathlib import Path

import numpy as np
import pytest
from tiny_images import save_box

from efficientad.data.arrays.annotations import Annotations
from efficientad.data.arrays.prepared import Prepared, load_prepared
from efficientad.data.arrays.rows import Rows
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.datasets.mvtec_loco import MVTecLocoProvider
from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.splits import SplitPlan
from efficientad.data.images.resizing import resize_mask
from efficientad.errors import DataError
from efficientad.evaluation.kinds import measure_kinds
from efficientad.evaluation.test_split import build_test_split, measure

FILES = {"images.npy", "masks.npy", "manifest.json", "raw"}


def _write(provider: DatasetProvider, folder: Path, size: tuple[int, int] = (12, 15), **changes: object) -> Prepared:
    return write_prepared(provider, folder, size, SplitPlan(0.8, 0.25, 1), raw_samples=4, workers=2, **changes)


def _find_row(prepared: Prepared, kind: str) -> int:
    return next(row for row, entry in enumerate(prepared.rows) if entry.defect == kind)


def test_defects_are_resized_one_by_one_and_overlap(loco_path: Path, tmp_path: Path):
    provider = MVTecLocoProvider(loco_path)
    prepared = _write(provider, tmp_path / "out")
    row = _find_row(prepared, "logical_anomalies")
    sample = next(sample for sample in provider.list_samples() if sample.name == prepared.rows[row].name)
    masks, _ = zip(*prepared.annotations.list_of(row), strict=True)
    for mask, defect in zip(masks, provider.load_defects(sample), strict=True):
        np.testing.assert_array_equal(mask, resize_mask(defect.mask, (12, 15)))
    assert (masks[0] & masks[1]).any()


def test_a_saturation_area_is_the_same_share_of_the_defect_at_every_size(loco_path: Path, tmp_path: Path):
    prepared = _write(MVTecLocoProvider(loco_path), tmp_path / "out")
    logical = prepared.annotations.list_of(_find_row(prepared, "logical_anomalies"))
    structural = prepared.annotations.list_of(_find_row(prepared, "structural_anomalies"))
    shares = [area / mask.sum() for mask, area in [*logical, *structural]]
    assert shares == pytest.approx([20 / 48, 0.5, 1])
    assert prepared.annotations.list_of(0) == []


def test_masks_cover_every_defect_however_small(loco_path: Path, tmp_path: Path):
    # Two pixels of the image make a third of one of the array's: alone, less than half of it.
    save_box(loco_path / "ground_truth/logical_anomalies/000/002.png", (0, 1, 0, 1), level=253)
    prepared = _write(MVTecLocoProvider(loco_path), tmp_path / "out")
    row = _find_row(prepared, "logical_anomalies")
    masks = [mask for mask, _ in prepared.annotations.list_of(row)]
    assert masks[2].sum() == 1
    np.testing.assert_array_equal(np.logical_or.reduce(masks), prepared.masks[row])
    assert prepared.annotations.list_of(row)[2][1] == 1


def test_a_region_of_interest_cuts_defects_and_drops_those_outside(loco_path: Path, tmp_path: Path):
    region = np.ones((48, 60), np.bool_)
    region[:12], region[38:] = False, False  # rows of 24 px: 0..5 and 19..23
    prepared = _write(MVTecLocoProvider(loco_path), tmp_path / "out", (48, 60), region=region)
    (first, area), (second, other) = prepared.annotations.list_of(_find_row(prepared, "logical_anomalies"))
    assert (first.sum(), second.sum()) == (4 * 4 * 8, 4 * 10 * 8)
    assert (area, other) == (80, 160)  # in px of the array, of the whole defects: 20 and 40 of the image's
    assert prepared.annotations.list_of(_find_row(prepared, "structural_anomalies")) == []


def test_other_data_sets_are_prepared_as_before(mvtec_path: Path, loco_path: Path, tmp_path: Path):
    _write(MVTecLocoProvider(loco_path), tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES | {"annotations.npy"}
    prepared = _write(MVTecProvider(mvtec_path), tmp_path / "out")
    assert prepared.annotations is None
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    assert list(json.loads((tmp_path / "out/manifest.json").read_text())) == ["size", "rows", "left_out", "raw"]


def test_every_file_repeats_byte_for_byte(loco_path: Path, tmp_path: Path):
    for name in "ab":
        _write(MVTecLocoProvider(loco_path), tmp_path / name)
    for name in ("annotations.npy", "masks.npy", "manifest.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_annotations_that_do_not_fit_are_refused(loco_path: Path, tmp_path: Path):
    _write(MVTecLocoProvider(loco_path), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    entries = manifest["annotations"]
    for broken, message in (
        (entries[1:], r"expected bool \(2, 12, 15\)"),
        (entries[::-1], "in the order of the images"),
        ([{"name": "unknown", "saturation_px": 1.0}] * 3, "in the order of the images"),
        ([{"name": entry["name"]} for entry in entries], "saturation_px"),
    ):
        (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"annotations": broken}))
        with pytest.raises(DataError, match=message):
            load_prepared(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "annotations.npy").unlink()
    with pytest.raises(DataError, match=r"annotations\.npy"):
        load_prepared(tmp_path)


def test_a_choice_of_images_keeps_their_defects_in_its_own_order():
    masks = np.arange(4)[:, None, None] == np.arange(6).reshape(2, 3)
    annotations = Annotations(Rows(masks), np.array([2, 2, 5, 7]), np.arange(1.0, 5))
    chosen = annotations.select(np.array([7, 3, 2]))
    assert [area for _, area in chosen.list_of(0)] == [4]
    assert chosen.list_of(1) == []
    assert [area for _, area in chosen.list_of(2)] == [1, 2]
    np.testing.assert_array_equal(chosen.list_of(0)[0][0], masks[3])


def test_a_prepared_product_is_measured_by_its_defects(loco_path: Path, tmp_path: Path):
    """Half of the swapped part and 20 px of the missing one are marked, and nothing elsewhere: all is found."""
    prepared = _write(MVTecLocoProvider(loco_path), tmp_path / "out", (24, 30))
    test = prepared.indices("test")
    maps = np.zeros((len(test), 24, 30), np.float32)
    logical, structural = (
        list(test).index(_find_row(prepared, f"{kind}_anomalies")) for kind in ("logical", "structural")
    )
    maps[logical, 4:10, 6:10] = maps[logical, 8:18, 14:18] = 1  # 24 px and 40 px of 48 and 80
    maps[structural, 20:22, 3:6] = 1
    split = build_test_split(prepared, Rows(maps), maps.max(axis=(1, 2)))
    metrics = measure(split, 0.3) | measure_kinds(split)
    assert metrics["au_spro_005_logical_anomalies"] == metrics["au_spro_005"] == pytest.approx(1)
    assert metrics["image_auroc_logical_anomalies"] == metrics["image_auroc_structural_anomalies"] == 1
    assert metrics["au_pro"] < 0.9  # which takes both for one region, of which 64 of 120 px are marked
