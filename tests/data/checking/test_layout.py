"""Files are sorted by their names alone: images by kind and split, masks by their image, and the rest."""

from pathlib import Path

import pytest

from efficientad.data.checking.layout import arrange, list_contents, list_shared_stems
from efficientad.data.checking.walking import Found
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.magnetic_tile import MagneticTileProvider
from efficientad.data.datasets.mvtec import MVTecProvider
from efficientad.errors import DataError


@pytest.mark.parametrize(
    ("fixture", "provider", "layout"),
    [
        ("folder_path", FolderProvider, "folder"),
        ("mvtec_path", MVTecProvider, "mvtec"),
        ("tile_path", MagneticTileProvider, "magnetic_tile"),
    ],
)
def test_images_and_masks_are_those_of_the_provider(request, fixture, provider, layout):
    path = request.getfixturevalue(fixture)
    samples, contents = provider(path).list_samples(), list_contents(path)
    assert contents.layout == layout
    assert {(s.name, s.split, s.defect) for s in contents.samples} == {(s.name, s.split, s.defect) for s in samples}
    defects = [sample for sample in samples if sample.label]
    empty = [sample.name for sample in defects if sample.defect == "uneven"]  # the provider has no mask there
    known = [sample.name for sample in defects if provider(path).load_mask(sample) is not None]
    assert {sample.name for sample in defects} & set(contents.masks) == {*known, *empty}
    assert contents.lone_masks == contents.left_out == ()


@pytest.mark.parametrize("folder", ["masks", "Mask", "GT", "ground_truth", "labels"])
def test_a_folder_of_masks_is_no_kind_of_defect(folder):
    names = ("dent/0.png", f"{folder}/dent/0_mask.png", f"{folder}/dent/7.png", "good/0.png")
    contents = arrange(Path(), "folder", Found(names, ()))
    assert [sample.defect for sample in contents.samples] == ["good", "dent"]
    assert contents.masks == {"dent/0.png": (f"{folder}/dent/0_mask.png",)}
    assert contents.lone_masks == (f"{folder}/dent/7.png",)


def test_folders_may_name_the_split_of_good_images():
    names = (
        "good/a.png",
        "Good_Test/b.png",
        "validation/good/c.png",
        "test/good/d.png",
        "test/dent/e.png",
        "dent/f.png",
    )
    samples = arrange(Path(), "folder", Found((*names, "train/dent/g.png"), ())).samples
    assert {sample.name: (sample.split, sample.defect) for sample in samples} == {
        "good/a.png": (None, "good"),
        "Good_Test/b.png": ("test", "good"),
        "validation/good/c.png": ("validation", "good"),
        "test/good/d.png": ("test", "good"),
        "test/dent/e.png": ("test", "dent"),
        "dent/f.png": ("test", "dent"),
    }


def test_several_masks_of_one_image_belong_to_it():
    names = ("ground_truth/missing/003/000.png", "ground_truth/missing/003/001.png", "test/missing/003.png")
    contents = arrange(Path(), "mvtec", Found((*names, "train/good/0.png"), ()))
    assert contents.masks == {"test/missing/003.png": names[:2]}


def test_what_no_provider_reads_is_left_out_with_a_reason():
    names = ("good/a.png", "good/b.HEIC", "loose.png", "notes.txt")
    contents = arrange(Path(), "folder", Found(names, ()))
    assert [(entry.name, entry.reason) for entry in contents.left_out] == [
        ("good/b.HEIC", "format .heic is not read"),
        ("loose.png", "lies where no image is looked for"),
        ("notes.txt", "is no image"),
    ]
    assert [entry.name for entry in arrange(Path(), "mvtec", Found(("train/bad/a.png",), ())).left_out] == [
        "train/bad/a.png"
    ]


def test_images_in_the_folder_itself_are_good(tmp_path: Path):
    for name in ("a.png", "b.png", "dent/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    contents = list_contents(tmp_path)
    assert contents.layout == "flat"
    assert [sample.defect for sample in contents.samples] == ["good", "good", "dent"]


def test_a_mask_of_two_images_is_told():
    names = ("dent/0.jpg", "dent/0.png", "dent/1.png", "good/a.png", "masks/dent/0.png", "masks/dent/1.png")
    assert list_shared_stems(arrange(Path(), "folder", Found(names, ()))) == ["dent/0.png"]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"expected PNG, JPEG, .* found none \(nothing\)"),
        (["a.heic", "b.heic"], r"found none \(2 of .heic\)"),
        (["ok/a.png", "nok/b.png", "nok/c.png"], r"found nok \(2 images\), ok \(1 images\); rename"),
        (["gear/good/a.png"], "check one of them, such as .*gear"),
        (["bolt/train/good/a.png"], "check one of them, such as .*bolt"),
    ],
)
def test_a_folder_without_good_images_is_one_error(tmp_path: Path, names: list[str], message: str):
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataError, match=message):
        list_contents(tmp_path)
