"""Which files of a folder are images of what, which are masks, and which the pipeline would pass over."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from efficientad.data.arrays.samples import GOOD, Sample, Split
from efficientad.data.checking.walking import SPLIT_FOLDERS, Found, LeftOut, walk_folder
from efficientad.data.datasets.folder_layout import GOOD_FOLDERS, MASK_FOLDERS
from efficientad.data.datasets.magnetic_tile import HALF_LEVEL
from efficientad.data.files.listing import IMAGE_SUFFIXES
from efficientad.errors import DataError

Layout = Literal["folder", "flat", "mvtec", "magnetic_tile"]
_SPLITS: dict[str, Split] = {"train": "train", "validation": "validation", "test": "test"}
# Formats that may hold images and are not read.
OTHER_FORMATS = """
gif heic heif avif jxl jp2 j2k jpx jfif exr hdr dng cr2 cr3 nef arw raw pgm ppm pnm pbm tga psd pcx svg npy npz mat pdf
bin zip"""


@dataclass(frozen=True)
class Contents:
    """A folder sorted by what its files are.

    samples: images, good ones first. masks: their masks' names, by the image's name. lone_masks: of no image.
    least_level: from which level of its file on a mask's pixel is defect.
    """

    root: Path
    layout: Layout
    samples: tuple[Sample, ...]
    masks: dict[str, tuple[str, ...]]
    lone_masks: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    least_level: int = 1

    @property
    def has_masks(self) -> bool:
        """Whether there is any mask."""
        return bool(self.masks or self.lone_masks)


def list_contents(root: Path) -> Contents:
    """Sort the files of a product's folder.

    Raises DataError where there is no folder, no image, or none that is known to be good; the message says what lies
    there instead.
    """
    found = walk_folder(root)
    return arrange(root, _find_layout(root, found), found)


def arrange(root: Path, layout: Layout, found: Found) -> Contents:
    """Sort files by their names alone.

    folder: good/ and, with a split of their own, good_test/ or test/good/ and the like; any other folder is a kind of
    defect; masks lie in one of `MASK_FOLDERS`. flat: the same, with good images in the folder itself. mvtec:
    train/good, test/<kind>, ground_truth. magnetic_tile: see its provider.
    """
    samples, masks, left_out = [], [], list(found.left_out)
    for name in found.files:
        if PurePosixPath(name).suffix.lower() not in IMAGE_SUFFIXES:
            left_out.append(LeftOut(name, _describe_format(name)))
        elif _is_mask(name, layout):
            masks.append(name)
        elif (sample := _place(name, layout)) is not None:
            samples.append(sample)
        else:
            left_out.append(LeftOut(name, "lies where no image is looked for"))
    samples.sort(key=lambda sample: (sample.label, sample.split == "test", sample.split == "validation", sample.defect))
    masks_of, lone = _match_masks(samples, masks, layout)
    level = HALF_LEVEL if layout == "magnetic_tile" else 1
    return Contents(root, layout, tuple(samples), masks_of, lone, tuple(left_out), level)


def list_shared_stems(contents: Contents) -> list[str]:
    """Return the defective images that have masks and share their name, but for the suffix, with another one."""
    stems = Counter(_strip(sample.name) for sample in contents.samples)
    return [name for name in contents.masks if stems[_strip(name)] > 1]


def _find_layout(root: Path, found: Found) -> Layout:
    images = [name for name in found.files if PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES]
    if any(name.startswith("train/good/") for name in images):
        return "mvtec"
    if any(name.startswith("MT_Free/Imgs/") for name in images):
        return "magnetic_tile"
    if any(name.split("/")[0].lower() in GOOD_FOLDERS for name in images if "/" in name):
        return "folder"
    if any("/" not in name for name in images):
        return "flat"
    raise DataError(_describe_stranger(root, found, images))


def _describe_stranger(root: Path, found: Found, images: list[str]) -> str:
    if not images:
        others = Counter(PurePosixPath(name).suffix.lower() or "no suffix" for name in found.files)
        there = ", ".join(f"{count} of {suffix}" for suffix, count in others.most_common(3)) or "nothing"
        return f"expected PNG, JPEG, BMP, TIFF or WebP images in {root}, found none ({there}); check the path"
    products = sorted({name.split("/")[0] for name in images if name.split("/")[1] in (GOOD, "train", "MT_Free")})
    if products:
        return (
            f"expected the folder of one product, {root} holds several or an outer one; "
            f"check one of them, such as {root / products[0]}"
        )
    folders = Counter(name.split("/")[0] for name in images).most_common(4)
    there = ", ".join(f"{name} ({count} images)" for name, count in folders)
    return f"expected good images in {root / GOOD}, found {there}; rename the folder with the good images to {GOOD}"


def _is_mask(name: str, layout: Layout) -> bool:
    parts = name.split("/")
    if layout == "magnetic_tile":
        return len(parts) == 3 and parts[1] == "Imgs" and name.endswith(".png")
    if layout == "mvtec":
        return len(parts) > 1 and parts[0] == "ground_truth"
    return any(part.lower() in MASK_FOLDERS for part in parts[:-1])


def _place(name: str, layout: Layout) -> Sample | None:
    """Return the sample that an image is, None where no provider looks."""
    parts = name.split("/")
    if layout == "magnetic_tile":
        if len(parts) < 3 or parts[1] != "Imgs" or not parts[0].startswith("MT_") or not name.endswith(".jpg"):
            return None
        defect = GOOD if parts[0] == "MT_Free" else parts[0].removeprefix("MT_").lower()
        return Sample(name, None if defect == GOOD else "test", defect)
    if layout == "mvtec":
        split = _read_split(parts)
        return None if split is None or (split != "test" and parts[1] != GOOD) else Sample(name, split, parts[1])
    if len(parts) == 1:
        return Sample(name, None, GOOD) if layout == "flat" else None
    first = parts[0].lower()
    if first in GOOD_FOLDERS:
        return Sample(name, GOOD_FOLDERS[first], GOOD)
    split = _read_split(parts)
    if split is None:
        return None if first in SPLIT_FOLDERS else Sample(name, "test", parts[0])
    defect = GOOD if parts[1].lower() == GOOD else parts[1]
    return None if split != "test" and defect != GOOD else Sample(name, split, defect)


def _read_split(parts: list[str]) -> Split | None:
    return _SPLITS.get(parts[0].lower()) if len(parts) > 2 else None


def _match_masks(
    samples: Iterable[Sample], masks: Iterable[str], layout: Layout
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    image_of = {_key(sample.name, layout): sample.name for sample in samples if sample.split in (None, "test")}
    matched: dict[str, tuple[str, ...]] = {}
    lone = []
    for mask in masks:
        inner = _key(mask, layout)
        outer = str(PurePosixPath(inner).parent)  # a folder of masks for one image, as in MVTec LOCO
        candidates = (inner, inner.removesuffix("_mask"), outer)
        image = next((image_of[key] for key in candidates if key in image_of), None)
        if image is None:
            lone.append(mask)
        else:
            matched[image] = (*matched.get(image, ()), mask)
    return matched, tuple(lone)


def _key(name: str, layout: Layout) -> str:
    """Return what an image and its mask have in common."""
    if layout == "magnetic_tile":
        return _strip(name)
    *folders, stem = _strip(name).lower().split("/")
    kept = [folder for folder in folders if folder not in MASK_FOLDERS]
    return "/".join([*(kept[1:] if kept and kept[0] in SPLIT_FOLDERS else kept), stem])


def _strip(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _describe_format(name: str) -> str:
    suffix = PurePosixPath(name).suffix.lower()
    return f"format {suffix} is not read" if suffix[1:] in OTHER_FORMATS.split() else "is no image"
