"""A user's own folders: which image is what, which mask is whose, and what is said of every other file."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_images import save_image, save_mask

from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.folder_layout import MASK_FOLDERS
from efficientad.errors import DataError


def count_splits(path: Path) -> Counter:
    return Counter((sample.split, sample.defect) for sample in FolderProvider(path).list_samples())


def list_masks(path: Path) -> dict[str, int]:
    """Return the defect pixels of every defective image that has a mask."""
    provider = FolderProvider(path)
    masks = {sample.name: provider.load_mask(sample) for sample in provider.list_samples() if sample.label}
    return {name: int(mask.sum()) for name, mask in masks.items() if mask is not None}


def list_left_out(path: Path) -> dict[str, str]:
    return {one.file: one.reason for one in FolderProvider(path).list_left_out()}


def test_good_images_are_open_and_defects_test(folder_path: Path):
    assert count_splits(folder_path) == {(None, "good"): 10, ("test", "dent"): 3}
    assert list_left_out(folder_path) == {}


@pytest.mark.parametrize("folder", ["test/good", "good_test", "Test/Good", "GOOD_TEST"])
def test_good_images_of_a_folder_for_the_test_leave_all_others_to_training(folder_path: Path, folder: str):
    save_image(folder_path / folder / "0.png", 99)
    assert count_splits(folder_path) == {("train", "good"): 10, ("test", "good"): 1, ("test", "dent"): 3}


@pytest.mark.parametrize("folder", ["validation/good", "good_validation"])
def test_good_images_of_a_folder_for_the_threshold_validate(folder_path: Path, folder: str):
    save_image(folder_path / folder / "0.png", 99)
    assert count_splits(folder_path) == {(None, "good"): 10, ("validation", "good"): 1, ("test", "dent"): 3}


@pytest.mark.parametrize("folder", ["train/good", "good_train", "Good"])
def test_good_images_may_lie_in_a_folder_for_training(folder_path: Path, folder: str):
    (folder_path / folder).parent.mkdir(exist_ok=True)
    shutil.move(folder_path / "good", folder_path / folder)
    if folder == "Good":
        assert count_splits(folder_path)[None, "good"] == 10
        return
    with pytest.raises(DataError, match=r"expected good images for the test beside .*put some into test/good, or all"):
        FolderProvider(folder_path)
    save_image(folder_path / "test/good/0.png", 99)
    assert count_splits(folder_path) == {("train", "good"): 10, ("test", "good"): 1, ("test", "dent"): 3}


def test_the_layout_of_mvtec_is_one_of_these(mvtec_path: Path):
    expected = {("train", "good"): 8, ("test", "good"): 3, ("test", "bent"): 2, ("test", "crack"): 2}
    assert count_splits(mvtec_path) == expected
    assert len(list_masks(mvtec_path)) == 4


def test_masks_may_be_partial(folder_path: Path):
    assert list_masks(folder_path) == {"dent/0.png": 36, "dent/1.png": 36}
    assert not FolderProvider(folder_path).load_mask(Sample("good/0.png", "train", "good")).any()


@pytest.mark.parametrize("name", [*sorted(MASK_FOLDERS), "Masks", "GT"])
@pytest.mark.parametrize("place", ["{masks}/dent", "dent/{masks}", "test/{masks}/dent", "{masks}/test/dent"])
def test_a_folder_of_masks_is_never_a_class_wherever_it_lies(folder_path: Path, name: str, place: str):
    shutil.rmtree(folder_path / "masks")
    save_mask(folder_path / place.format(masks=name) / "0.png")
    assert count_splits(folder_path) == {(None, "good"): 10, ("test", "dent"): 3}
    assert list_masks(folder_path) == {"dent/0.png": 36}


@pytest.mark.parametrize("name", ["2.png", "2.PNG", "2.bmp", "2.tif", "2.TIFF", "2_mask.png", "2_MASK.Tif"])
def test_a_mask_has_any_format_and_case_that_can_be_read(folder_path: Path, name: str):
    save_mask(folder_path / "masks/dent" / name)
    assert list_masks(folder_path)["dent/2.png"] == 36


def test_images_of_any_case_and_depth_have_their_own_masks(folder_path: Path):
    for n, name in enumerate(("dent/line 1/0.JPG", "test/Dent/9.png", "test/dent/8.png")):
        save_image(folder_path / name, n)
    for place in ("masks/dent/line 1/0.png", "masks/Dent/9.png", "masks/dent/8_mask.png"):
        save_mask(folder_path / place)
    assert len(list_masks(folder_path)) == 5
    assert list_left_out(folder_path) == {}


def test_good_images_alone_are_enough(tmp_path: Path):
    for n in range(4):
        save_image(tmp_path / f"good/line {n % 2}/{n}.png", n)
    assert count_splits(tmp_path) == {(None, "good"): 4}
    provider = FolderProvider(tmp_path)
    assert provider.load_mask(provider.list_samples()[0]) is None


def test_every_file_that_is_not_used_is_named_with_what_to_do(folder_path: Path, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (folder_path / "dent/linked").mkdir()
    (folder_path / "dent/linked/deep").symlink_to(tmp_path / "elsewhere")
    (folder_path / "dent/gone.png").symlink_to(tmp_path / "gone.png")
    save_image(folder_path / "loose.png", 1)
    save_image(folder_path / "test/loose.png", 2)
    save_image(folder_path / "train/dent/1.png", 3)
    save_image(folder_path / "dent/3.gif", 4)
    save_mask(folder_path / "masks/dent/7.png")
    save_mask(folder_path / "masks/dent/2.jpg")
    reasons = list_left_out(folder_path)
    expected = {
        "dent/3.gif": "a format that is not read; images are bmp, jpeg",
        "dent/gone.png": "a link that leads to no file",
        "dent/linked/deep": "a link to a folder",
        "loose.png": "move it into one, such as good",
        "masks/dent/2.jpg": "save it as PNG, BMP or TIFF",
        "masks/dent/7.png": "a mask of no image",
        "test/loose.png": "move it to test/good or test/<class>",
        "train/dent/1.png": "move it to train/good",
    }
    assert reasons.keys() == expected.keys()
    for name, words in expected.items():
        assert words in reasons[name]
    assert count_splits(folder_path) == {(None, "good"): 10, ("test", "dent"): 3}


def test_a_folder_that_is_a_link_is_read_and_named_as_dvc_does_not_watch_it(folder_path: Path, tmp_path: Path):
    shutil.move(folder_path / "good", tmp_path / "elsewhere")
    (folder_path / "good").symlink_to(tmp_path / "elsewhere")
    assert count_splits(folder_path) == {(None, "good"): 10, ("test", "dent"): 3}
    assert list_left_out(folder_path).keys() == {"good"}
    assert "DVC does not see what changes in it" in list_left_out(folder_path)["good"]


@pytest.mark.parametrize("folder", ["val/good", "dent/Good", "a/b/good"])
def test_good_images_inside_of_a_class_are_refused(folder_path: Path, folder: str):
    save_image(folder_path / folder / "0.png", 99)
    with pytest.raises(DataError, match=r"expected defects alone in \w+, found a folder of good images there, such as"):
        FolderProvider(folder_path)


def test_good_images_are_asked_for(tmp_path: Path):
    with pytest.raises(DataError, match=r"expected good images in .*nothing.good, found no such folder"):
        FolderProvider(tmp_path / "nothing")
    save_image(tmp_path / "mine/test/good/0.png", 1)
    with pytest.raises(DataError, match=r"expected good images in .*mine.good, found none in 1 files"):
        FolderProvider(tmp_path / "mine")


def test_a_mask_of_another_size_is_refused(folder_path: Path):
    save_mask(folder_path / "masks/dent/0.png", size=(20, 30))
    with pytest.raises(DataError, match=r"\(24, 30\).*\(20, 30\)"):
        FolderProvider(folder_path).load_mask(Sample("dent/0.png", "test", "dent"))


def test_two_images_for_one_mask_and_two_masks_for_one_image_are_refused(folder_path: Path):
    save_image(folder_path / "dent/2.bmp", 99)
    assert len(FolderProvider(folder_path).list_samples()) == 14  # neither has a mask
    save_mask(folder_path / "masks/dent/2.png")
    with pytest.raises(DataError, match=r"one image for the mask .*2\.png, got dent/2\.bmp and dent/2\.png; rename"):
        FolderProvider(folder_path)
    (folder_path / "dent/2.bmp").unlink()
    save_mask(folder_path / "gt/dent/2_mask.tif")
    with pytest.raises(DataError, match=r"one mask for .*dent.2\.png, got gt/dent/2_mask\.tif and masks/dent/2\.png"):
        FolderProvider(folder_path)


def test_a_mask_goes_to_the_image_of_its_whole_name_first(folder_path: Path):
    save_image(folder_path / "dent/0_mask.png", 99)
    shutil.move(folder_path / "masks/dent/0.png", folder_path / "masks/dent/0_mask.png")
    assert "dent/0_mask.png" in list_masks(folder_path)
    assert "dent/0.png" not in list_masks(folder_path)


def test_black_masks_of_good_images_are_read_as_such(mvtec_path: Path):
    """As some tools write them, beside those of defects; training images may have the same names."""
    save_mask(mvtec_path / "ground_truth/good/000_mask.png", level=0)
    provider = FolderProvider(mvtec_path)
    assert not provider.load_mask(Sample("test/good/000.png", "test", "good")).any()
    assert provider.mask_path(Sample("test/good/000.png", "test", "good")).name == "000_mask.png"
    assert provider.mask_path(Sample("train/good/000.png", "train", "good")) is None


def test_the_mask_is_that_of_the_sample(folder_path: Path):
    expected = np.zeros((24, 30), np.uint8)
    expected[20, 1:3] = 1
    Image.fromarray(expected).save(folder_path / "masks/dent/2.png")
    mask = FolderProvider(folder_path).load_mask(Sample("dent/2.png", "test", "dent"))
    assert np.argwhere(mask).tolist() == [[20, 1], [20, 2]]
