"""Whether a folder has the layout that a provider reads, and what it looks like where it has not."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from efficientad.data.arrays.samples import Sample
from efficientad.errors import DataError

# What lies in a product's folder, and the provider of that layout; the more particular ones come first.
_SIGNS = {
    "defects_config.json": "mvtec_loco",
    "test/logical_anomalies": "mvtec_loco",
    "train/good/rgb": "mvtec_3d",
    "train/good": "mvtec",
    "Data/Images/Normal": "visa",
    "MT_Free/Imgs": "magnetic_tile",
    "good": "folder",
}


def check_layout(path: Path, provider: str, parts: Sequence[str]) -> None:
    """Raise DataError where one of `parts` is missing in the product's folder `path`, with the provider that fits."""
    missing = next((path / part for part in parts if not (path / part).exists()), None)
    if missing is not None:
        raise DataError(
            f"expected the layout of data.provider {provider} with {missing}, found none; {advise(path, provider)}"
        )


def find_layout(path: Path) -> str | None:
    """Return the provider whose layout a product's folder seems to have, or None."""
    return next((provider for sign, provider in _SIGNS.items() if (path / sign).exists()), None)


def advise(path: Path, provider: str) -> str:
    """Return what to do about a product's folder without the layout of `provider`."""
    here = find_layout(path)
    if here == provider:
        return "the data set is not complete: unpack it again"
    if here is not None:
        return f"it looks like data.provider: {here}, so set that"
    if find_layout(path.parent) is not None:
        return f"check data.root: {path.parent} looks like a category itself, so data.root is the folder above it"
    below = sorted(folder for folder in path.parent.glob(f"*/{path.name}") if find_layout(folder) == provider)
    if below:
        return f"check data.root: {below[0]} looks like the category, so data.root is {below[0].parent}"
    return "check data.root and the category, or use the folder provider for your own images"


def check_mask_size(shape: Sequence[int], size: Sequence[int], path: Path) -> None:
    """Raise DataError where a mask's file is not as large as its image; sizes are height and width in px."""
    if tuple(shape) != tuple(size):
        raise DataError(f"expected a mask of size {tuple(size)}, got {tuple(shape)} in {path}; correct the mask")


def check_stems(samples: Sequence[Sample]) -> None:
    """Raise DataError where two images of a defect differ in their suffix alone: their masks would have one name."""
    owner: dict[PurePosixPath, str] = {}
    for sample in samples:
        other = owner.setdefault(PurePosixPath(sample.name).with_suffix(""), sample.name)
        if sample.label and other != sample.name:
            raise DataError(f"expected one image for a mask, got {other} and {sample.name}; rename one of them")
