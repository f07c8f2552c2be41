"""From a provider to arrays: complete, leak-free, repeatable, and refused when broken."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_images import save_image, save_mask

from efficientad.data.arrays.prepared import PreparedRow, load_prepared
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.findings import Findings
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.data.datasets.prepare import choose_raw, write_prepared
from efficientad.data.datasets.registry import find_border
from efficientad.data.datasets.splits import SplitPlan
from efficientad.data.files.decoding import hash_pixels
from efficientad.data.files.limits import Limits
from efficientad.data.images.reading import read_image
from efficientad.data.images.resizing import resize_image, resize_mask
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
    findings = Findings()
    prepared = _write(MVTecProvider(mvtec_path), tmp_path / "out", findings=findings)
    assert prepared.left_out == ("train/good/003a.bmp",)
    assert findings.describe()[0].startswith(
        "1 file left out or not watched:\n  train/good/003a.bmp: a copy of an image"
    )
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


def test_a_region_in_the_border_that_a_size_does_not_judge_is_refused(mvtec_path: Path, tmp_path: Path):
    """The outermost 16 px; one pixel further is enough, and so is any for sizes that judge every pixel."""
    region = np.zeros((64, 64), np.bool_)
    region[:16] = True
    provider = MVTecProvider(mvtec_path)
    with pytest.raises(DataError, match=r"expected a region of interest beyond the outermost 16 .* use L alone"):
        _write(provider, tmp_path / "out", size=(64, 64), region=region, border_px=find_border(["L", "S"]))
    _write(provider, tmp_path / "out", size=(64, 64), region=region, border_px=find_border(["L"]))
    region[16] = True
    _write(provider, tmp_path / "out", size=(64, 64), region=region, border_px=find_border(["M"]))


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


def test_all_files_that_cannot_be_used_are_named_in_one_run(folder_path: Path, tmp_path: Path):
    (folder_path / "good/3.png").write_bytes(b"")
    (folder_path / "good/4.png").write_bytes((folder_path / "good/5.png").read_bytes()[:99])
    Image.fromarray(np.full((24, 30), 4095, np.uint16)).save(folder_path / "good/7.png")
    (folder_path / os.fsdecode(b"good/\xff.png")).write_bytes((folder_path / "good/5.png").read_bytes())
    save_mask(folder_path / "masks/dent/0.png", level=0)
    save_mask(folder_path / "masks/good/6.png")
    (folder_path / "masks/dent/1_mask.png").unlink()
    save_mask(folder_path / "masks/dent/1_mask.png", size=(20, 30))
    findings = Findings(tmp_path / "report")
    with pytest.raises(DataError) as error:
        _write(FolderProvider(folder_path), tmp_path / "out", findings=findings)
    assert str(error.value).startswith("expected images and masks that can be used, 7 files cannot (all: ")
    assert str(error.value).endswith("\n  and 2 more")
    expected = {
        "good/3.png": "good.3.png: the file is empty",
        "good/4.png": "good.4.png: the file is cut short",
        "good/6.png": "expected no defect in the mask .*masks.good.6.png, a good image, got 36 px",
        "good/7.png": "expected 16-bit samples to span 0..65535 in .*good.7.png",
        "good/\udcff.png": "expected a file name in UTF-8",
        "dent/0.png": "expected a defect in the mask .*masks.dent.0.png, all of it is black; paint .* or remove",
        "dent/1.png": r"expected a mask of size \(24, 30\) as .*got \(20, 30\) in .*1_mask.png",
    }
    assert {one.file for one in findings.refused} == expected.keys()
    for one in findings.refused:
        assert re.search(expected[one.file], one.reason)
    findings.write()
    assert len(json.loads((tmp_path / "report/files.json").read_text("utf-8"))["refused"]) == 7


def test_masks_that_look_wrong_are_named_and_used(folder_path: Path, tmp_path: Path):
    mask = np.full((24, 30), 255, np.uint8)
    mask[4:10, 6:12] = 0  # black and white swapped
    Image.fromarray(mask).save(folder_path / "masks/dent/0.png")
    region = np.zeros((24, 30), np.bool_)
    region[12:] = True
    for chosen, expected in ((None, ["dent/0.png"]), (region, ["dent/0.png", "dent/1.png"])):
        findings = Findings()
        prepared = _write(FolderProvider(folder_path), tmp_path / "out", findings=findings, region=chosen)
        assert [one.file for one in findings.warned] == expected
        assert len(prepared.rows) == 13
    assert "marks 95% of the image as defect" in findings.warned[0].reason
    assert "wholly outside of the region of interest" in findings.warned[1].reason
    (text,) = findings.describe()
    assert text.startswith("2 files may be wrong:\n  dent/0.png: its mask marks")


def test_the_bounds_of_params_are_those_of_every_file(mvtec_path: Path, tmp_path: Path):
    provider = MVTecProvider(mvtec_path)
    provider.limits = Limits(megapixels=0.0007, megabytes=1)
    with pytest.raises(DataError, match=r"15 files cannot:\n.* 30 x 24 px, more than the bound of 0\.0007"):
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
