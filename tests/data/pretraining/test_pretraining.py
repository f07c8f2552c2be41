"""Sources of pretraining photographs, and the array they are written to."""

import hashlib
import json
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_images import save_image

from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.data.files.decoding import hash_pixels
from efficientad.data.images.resizing import resize_image
from efficientad.data.pretraining import embedded as module
from efficientad.data.pretraining.crops import Crops
from efficientad.data.pretraining.embedded import EmbeddedSource
from efficientad.data.pretraining.folder import FolderSource
from efficientad.data.pretraining.writer import write_pretraining
from efficientad.errors import DataError

GOLDEN = {0: "f3cf52022232e13e", 1: "0fc7281720d17a2a"}


def test_embedded_images_depend_on_seed_and_index_alone():
    few, many, other = EmbeddedSource(6, seed=1), EmbeddedSource(50, seed=1), EmbeddedSource(6, seed=2)
    for index in range(6):
        image = few.load(index)
        assert image.shape == (512, 512, 3)
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(image, many.load(index))
        assert (image != other.load(index)).any()


@pytest.mark.parametrize("index", GOLDEN)
def test_embedded_bytes_never_change(index: int):
    image = EmbeddedSource(10, seed=5).load(index)
    assert hashlib.sha256(image.tobytes()).hexdigest()[:16] == GOLDEN[index]


def test_half_are_photographs_and_each_of_them_is_used():
    source = EmbeddedSource(100, seed=0)
    names = [source.name(index) for index in range(len(source))]
    assert len(set(names)) == 100
    kinds = [name.split("-", 1)[1] for name in names]
    assert kinds.count("procedural") == 50
    assert set(kinds) - {"procedural"} == {path.stem for path in source.photographs}
    assert len(source.photographs) == 16


def test_nothing_is_ever_downloaded(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    module._read.cache_clear()
    source = EmbeddedSource(32, seed=0)
    for index in range(0, 32, 2):
        source.load(index)


def test_crops_of_one_photograph_differ():
    source = EmbeddedSource(200, seed=0)
    step = 2 * len(source.photographs)
    assert len({hash_pixels(source.load(index)) for index in range(0, 5 * step, step)}) == 5


def test_embedded_errors(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(DataError, match="positive count"):
        EmbeddedSource(0, seed=0)
    monkeypatch.setattr(module, "PHOTOGRAPHS", {"skimage": ("data", "not_shipped.png")})
    with pytest.raises(DataError, match=r"not_shipped\.png.*wheels"):
        EmbeddedSource(2, seed=0)
    monkeypatch.setattr(module, "PHOTOGRAPHS", {"no_such_package": ("data", "a.png")})
    with pytest.raises(DataError, match="pip install"):
        EmbeddedSource(2, seed=0)


@pytest.fixture
def photographs(tmp_path: Path) -> Path:
    for n in range(10):
        save_image(tmp_path / f"photographs/class {n % 3}/{n}.png", n)
    return tmp_path / "photographs"


def test_folder_source_lists_all_or_a_seeded_choice(photographs: Path):
    everything = FolderSource(photographs, None, seed=0)
    names = [everything.name(index) for index in range(len(everything))]
    assert len(names) == 10
    assert names == sorted(names)
    chosen = FolderSource(photographs, 4, seed=0)
    some = [chosen.name(index) for index in range(4)]
    assert some == sorted(some)
    assert set(some) < set(names)
    again, other = (
        FolderSource(photographs, 4, seed=0),
        [FolderSource(photographs, 4, seed=s) for s in (1, 2, 3)],
    )
    assert again.files == chosen.files
    assert any(source.files != chosen.files for source in other)


def test_folder_source_errors_name_the_file_and_the_counts(photographs: Path):
    with pytest.raises(DataError, match=r"expected 11 photographs.*found 10"):
        FolderSource(photographs, 11, seed=0)
    with pytest.raises(DataError, match="found 0"):
        (photographs / "empty").mkdir()
        FolderSource(photographs / "empty", None, seed=0)
    (photographs / "class 0/0.png").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"0\.png"):
        FolderSource(photographs, None, seed=0).load(0)


def test_written_images_are_squares_in_the_sources_order(photographs: Path, tmp_path: Path):
    source = FolderSource(photographs, None, seed=0)
    assert write_pretraining(source, tmp_path / "out", size=20, workers=3) == []
    images = load_pretraining(tmp_path / "out").images
    assert images.shape == (10, 20, 20, 3)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text("utf-8"))
    rows = manifest["rows"]
    assert "left_out" not in manifest
    for index in range(10):
        native = source.load(index)
        np.testing.assert_array_equal(images[index], resize_image(native, (20, 20)))
        name = source.name(index)
        assert rows[index] == {"name": name, "photograph": name, "sha256": hash_pixels(native)}
    write_pretraining(source, tmp_path / "again", size=20, workers=1)
    for name in ("images.npy", "manifest.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_whole_photographs_come_first_and_then_crops_of_each(photographs: Path):
    source = FolderSource(photographs, 4, seed=0)
    images = Crops(source, 3, seed=0)
    assert len(images) == 12
    assert [images.photograph(index) for index in range(12)] == 3 * [source.name(index) for index in range(4)]
    assert len({images.name(index) for index in range(12)}) == 12
    for index in range(4):
        np.testing.assert_array_equal(images.load(index), source.load(index))
    squares = [images.load(index) for index in range(4, 12)]
    assert {square.shape for square in squares} == {(512, 512, 3)}
    assert len({hash_pixels(square) for square in squares}) == 8
    np.testing.assert_array_equal(squares[3], Crops(source, 2, seed=0).load(7))


def test_crops_of_one_embedded_photograph_are_known_as_such():
    source = EmbeddedSource(80, seed=0)
    assert source.photograph(0) == source.photograph(2 * len(source.photographs)) == source.photographs[0].stem
    assert source.photograph(1) == source.name(1)


def test_broken_output_is_refused(photographs: Path, tmp_path: Path):
    out = tmp_path / "out"
    write_pretraining(FolderSource(photographs, None, seed=0), out, size=8)
    np.save(out / "images.npy", np.zeros((9, 8, 8, 3), np.uint8))
    with pytest.raises(DataError, match=r"\(10, 8, 8, 3\).*\(9, 8, 8, 3\)"):
        load_pretraining(out)
    (out / "images.npy").unlink()
    with pytest.raises(DataError, match=r"images\.npy"):
        load_pretraining(out)
    for path in sorted(photographs.rglob("*.png"))[1:]:
        path.write_bytes(b"broken")
    with pytest.raises(DataError, match=r"expected 2 photographs or more .* got 1 of 10; .*\.png: the file is not a"):
        write_pretraining(FolderSource(photographs, None, seed=0), out, size=8)
    with pytest.raises(DataError, match="manifest"):
        load_pretraining(out)


def test_a_photograph_that_cannot_be_read_is_left_out_with_its_crops_and_named(photographs: Path, tmp_path: Path):
    Image.open(photographs / "class 1/1.png").convert("CMYK").save(photographs / "class 1/1.jpg")
    (photographs / "class 1/1.png").unlink()
    (photographs / "class 2/5.png").write_bytes(b"broken")
    source = Crops(FolderSource(photographs, None, seed=0), 2, seed=0)
    left_out = write_pretraining(source, tmp_path / "out", size=20)
    assert [one.file for one in left_out] == ["class 1/1.jpg", "class 2/5.png", "class 1/1.jpg#1", "class 2/5.png#1"]
    assert "CMYK" in left_out[0].reason
    manifest = json.loads((tmp_path / "out/manifest.json").read_text("utf-8"))
    assert [entry["file"] for entry in manifest["left_out"]] == [one.file for one in left_out]
    pretraining = load_pretraining(tmp_path / "out")
    assert len(pretraining.images) == 16
    for image, row in zip(pretraining.images, manifest["rows"], strict=True):
        index = [source.name(n) for n in range(len(source))].index(row["name"])
        np.testing.assert_array_equal(image, resize_image(source.load(index), (20, 20)))


def test_files_that_are_no_photographs_and_links_to_folders_are_named(photographs: Path, tmp_path: Path):
    (photographs / "class 0/notes.txt").touch()
    (photographs / "more").symlink_to(tmp_path)
    source = Crops(FolderSource(photographs, 4, seed=0), 2, seed=0)
    assert [one.file for one in source.list_left_out()] == ["class 0/notes.txt", "more"]
    assert EmbeddedSource(2, seed=0).list_left_out() == []
