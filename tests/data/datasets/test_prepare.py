"""From a provider to arrays: complete, leak-free, repeatable, and refused when broken."""

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_images import save_image

from efficientad.data.arrays.prepared import PreparedRow, load_prepared
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.datasets.prepare import choose_raw, write_prepared
from efficientad.data.datasets.splits import SplitPlan
from efficientad.data.files.decoding import hash_pixels
from efficientad.data.files.images import read_image, resize_image, resize_mask
from efficientad.errors import DataError


def _write(provider: DatasetProvider, folder: Path, **changes: object):
    options = {"size": (16, 16), "plan": SplitPlan(0.8, 0.25, 1), "raw_samples": 4, "workers": 2} | changes
    return write_prepared(provider, folder, **options)


def test_rows_arrays_and_provider_agree(mvtec_path: Path, tmp_path: Path):
    provider = MVTecProvider(mvtec_path)
    prepared = _write(provider, tmp_path / "out")
    samples = provider.list_samples()
    assert [row.name for row in prepared.rows] == [sample.name for sample in samples]
    assert prepared.images.shape == (15, 16, 16, 3)
    assert prepared.masks.dtype == np.bool_
    for index, (row, sample) in enumerate(zip(prepared.rows, samples, strict=True)):
        image, mask = provider.load_image(sample), provider.load_mask(sample)
        np.testing.assert_array_equal(prepared.images[index], resize_image(image, (16, 16)))
        np.testing.assert_array_equal(prepared.masks[index], resize_mask(mask, (16, 16)))
        assert (row.height, row.width, row.mask) == (24, 30, True)
        assert (row.label, row.defect, row.sha256) == (sample.label, sample.defect, hash_pixels(image))


def test_a_row_names_the_part_that_it_shows(mvtec_path: Path, tmp_path: Path):
    provider = MVTecProvider(mvtec_path)
    groups = {sample.name: f"part {index // 2}" for index, sample in enumerate(provider.list_samples())}
    assert {
        row.name: row.part for row in _write(provider, tmp_path / "out", groups=groups).rows
    }.items() <= groups.items()
    assert {row.part for row in _write(provider, tmp_path / "alone").rows} == {""}


def test_indices_part_the_rows(mvtec_path: Path, tmp_path: Path):
    prepared = _write(MVTecProvider(mvtec_path), tmp_path / "out")
    parts = [prepared.indices(split) for split in ("train", "validation", "test")]
    assert [len(part) for part in parts] == [6, 2, 7]
    assert all(part.dtype == np.intp for part in parts)
    assert sorted(np.concatenate(parts)) == list(range(15))


def test_a_planted_copy_is_left_out_even_when_encoded_anew(mvtec_path: Path, tmp_path: Path):
    original = Image.open(mvtec_path / "test/good/001.png")
    original.save(mvtec_path / "train/good/003a.bmp")
    prepared = _write(MVTecProvider(mvtec_path), tmp_path / "out")
    assert prepared.left_out == ("train/good/003a.bmp",)
    assert len(prepared.rows) == len(prepared.images) == len(prepared.masks) == 15
    hashes = {s: {prepared.rows[i].sha256 for i in prepared.indices(s)} for s in ("train", "validation", "test")}
    assert not hashes["train"] & hashes["test"]
    assert not hashes["validation"] & (hashes["train"] | hashes["test"])
    for index, row in enumerate(prepared.rows):
        image = read_image(mvtec_path / row.name)
        np.testing.assert_array_equal(prepared.images[index], resize_image(image, (16, 16)))


def test_every_file_repeats_byte_for_byte(mvtec_path: Path, tmp_path: Path):
    for name, workers in (("a", 1), ("b", 4)):
        _write(MVTecProvider(mvtec_path), tmp_path / name, workers=workers)
    first = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    second = sorted(path.relative_to(tmp_path / "b") for path in (tmp_path / "b").rglob("*") if path.is_file())
    assert first == second
    assert len(first) == 3 + 4
    for path in first:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes()


def test_unknown_masks_are_marked_and_empty(folder_path: Path, tmp_path: Path):
    prepared = _write(FolderProvider(folder_path), tmp_path / "out")
    known = {row.name: row.mask for row in prepared.rows if row.label}
    assert known == {"dent/0.png": True, "dent/1.png": True, "dent/2.png": False}
    assert not prepared.masks[[row.name for row in prepared.rows].index("dent/2.png")].any()


def test_a_region_where_nothing_is_judged_is_refused(mvtec_path: Path, tmp_path: Path):
    """The outermost 16 px; one pixel further is enough."""
    region = np.zeros((64, 64), np.bool_)
    region[:16] = True
    with pytest.raises(DataError, match="expected a region of interest beyond the outermost 16"):
        _write(MVTecProvider(mvtec_path), tmp_path / "out", size=(64, 64), region=region)
    region[16] = True
    _write(MVTecProvider(mvtec_path), tmp_path / "out", size=(64, 64), region=region)


def test_raw_images_are_native_and_half_of_them_defective(mvtec_path: Path, tmp_path: Path):
    stale = tmp_path / "out/raw/0099.png"
    save_image(stale, 1)
    prepared = _write(MVTecProvider(mvtec_path), tmp_path / "out", raw_samples=4)
    assert not stale.exists()
    assert [path.name for path, _ in prepared.raw] == ["0000.png", "0001.png", "0002.png", "0003.png"]
    for path, name in prepared.raw:
        np.testing.assert_array_equal(read_image(path), read_image(mvtec_path / name))
    defects = Counter(row.defect for row in prepared.rows if row.name in {name for _, name in prepared.raw})
    assert defects == {"good": 2, "bent": 1, "crack": 1}


def _row(name: str, split: str, defect: str) -> PreparedRow:
    return PreparedRow(name, split, int(defect != "good"), defect, False, "", 1, 1)


def test_raw_choice_fills_up_from_the_other_half():
    good = [_row(f"g{n}", "test", "good") for n in range(5)]
    bad = [_row(f"{defect}{n}", "test", defect) for defect in "ab" for n in range(3)]
    assert choose_raw([*good, *bad], 6) == ["g0", "g1", "g2", "a0", "b0", "a1"]
    assert choose_raw(good, 4) == ["g0", "g1", "g2", "g3"]
    assert choose_raw([good[0], *bad], 4) == ["g0", "a0", "b0", "a1"]
    assert choose_raw([*good, *bad], 0) == []
    assert len(choose_raw([*good, *bad], 99)) == 11


def test_twelve_bits_in_sixteen_bit_files_are_refused(tmp_path: Path):
    levels = np.random.default_rng(0).integers(0, 4096, (6, 10, 10), dtype=np.uint16)
    (tmp_path / "mine/good").mkdir(parents=True)
    for n, plane in enumerate(levels):
        Image.fromarray(plane).save(tmp_path / f"mine/good/{n}.png")
    provider = FolderProvider(tmp_path / "mine")
    with pytest.raises(DataError, match=r"none of this product exceeds 4095.*multiply"):
        _write(provider, tmp_path / "out")
    Image.fromarray(levels[0] * 16).save(tmp_path / "mine/good/0.png")
    _write(provider, tmp_path / "out")


def test_dark_eight_bit_products_are_fine(tmp_path: Path):
    for n in range(6):
        (tmp_path / "mine/good").mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8), n, np.uint8)).save(tmp_path / f"mine/good/{n}.png")
    prepared = _write(FolderProvider(tmp_path / "mine"), tmp_path / "out")
    assert prepared.images.max() == 5


def test_an_error_leaves_no_manifest(mvtec_path: Path, tmp_path: Path):
    _write(MVTecProvider(mvtec_path), tmp_path / "out")
    (mvtec_path / "train/good/004.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"004\.png"):
        _write(MVTecProvider(mvtec_path), tmp_path / "out")
    with pytest.raises(DataError, match="expected a manifest"):
        load_prepared(tmp_path / "out")


def test_a_product_without_images_is_refused(mvtec_path: Path, tmp_path: Path):
    for path in mvtec_path.glob("t*/*/*.png"):
        path.unlink()
    with pytest.raises(DataError, match="got none"):
        _write(MVTecProvider(mvtec_path), tmp_path / "out")


@pytest.mark.parametrize("name", ["images.npy", "masks.npy", "manifest.json", "raw/0001.png"])
def test_a_missing_file_is_named(mvtec_path: Path, tmp_path: Path, name: str):
    _write(MVTecProvider(mvtec_path), tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match=name.replace(".", r"\.")):
        load_prepared(tmp_path)


def test_arrays_and_manifest_that_do_not_fit_are_refused(mvtec_path: Path, tmp_path: Path):
    _write(MVTecProvider(mvtec_path), tmp_path)
    manifest = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    (tmp_path / "manifest.json").write_text(json.dumps(manifest | {"rows": manifest["rows"][:-1]}))
    with pytest.raises(DataError, match=r"\(14, 16, 16, 3\).*\(15, 16, 16, 3\)"):
        load_prepared(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"rows": []}))
    with pytest.raises(DataError, match="expected size, rows"):
        load_prepared(tmp_path)
    (tmp_path / "manifest.json").write_text("[1]")
    with pytest.raises(DataError, match="JSON object"):
        load_prepared(tmp_path)


def test_a_cut_array_is_refused(mvtec_path: Path, tmp_path: Path):
    _write(MVTecProvider(mvtec_path), tmp_path)
    payload = (tmp_path / "images.npy").read_bytes()
    (tmp_path / "images.npy").write_bytes(payload[:-100])
    with pytest.raises(DataError, match=r"images\.npy"):
        load_prepared(tmp_path)


def test_the_hash_tells_shapes_apart():
    flat = np.zeros((2, 6, 3), np.uint8)
    assert hash_pixels(flat) != hash_pixels(flat.reshape(6, 2, 3))
    assert hash_pixels(flat) == hash_pixels(np.zeros((6, 2, 3), np.uint8).transpose(1, 0, 2))
