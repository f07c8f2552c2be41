"""A user's own images: a folder of good images, and whatever defects are at hand.

good/*            required
<class>/*         any other folder is a defect class; none at all is fine
masks/<class>/<stem>.png or <stem>_mask.png      optional, pixel by pixel, any value above 0 is defect
"""

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.files.images import list_images, read_image, read_mask
from efficientad.errors import DataError

MASKS = "masks"


class FolderProvider(DatasetProvider):
    """The split of the good images is open, all defects test."""

    def __init__(self, path: Path) -> None:
        """Raise DataError when `good` is missing or empty."""
        if not (path / GOOD).is_dir():
            raise DataError(f"expected good images in {path / GOOD}, found no such folder; put them there")
        if not list_images(path / GOOD):
            raise DataError(f"expected good images in {path / GOOD}, found none; PNG, JPEG, BMP, TIFF, WebP")
        self.path = path

    def list_samples(self) -> list[Sample]:
        """Return the good samples, then each defect class by name.

        Raises DataError when two images of a class share the mask's name, or a mask has no image.
        """
        samples = [Sample(name, None, GOOD) for name in self._list_names(GOOD)]
        for defect in self._list_classes():
            names = self._list_names(defect)
            self._check_mask_names(defect, names)
            samples += [Sample(name, "test", defect) for name in names]
        return samples

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample))

    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Read the mask; all False for good images; None when there is none (or no `masks` folder).

        Raises DataError when the mask has another size than its image.
        """
        if not (self.path / MASKS).is_dir():
            return None
        if not sample.label:
            return np.zeros(self.load_image(sample).shape[:2], np.bool_)
        path = self._find_mask(sample)
        if path is None:
            return None
        mask, size = read_mask(path), self.load_image(sample).shape[:2]
        if mask.shape != size:
            raise DataError(
                f"expected a mask of size {size} as {self.image_path(sample)}, got {mask.shape} in {path}; "
                "draw it on the original image"
            )
        return mask

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.path / sample.name

    def _list_classes(self) -> list[str]:
        folders = (folder.name for folder in self.path.iterdir() if folder.is_dir())
        return sorted(name for name in folders if name not in (GOOD, MASKS) and not name.startswith("."))

    def _list_names(self, folder: str) -> list[str]:
        return [file.relative_to(self.path).as_posix() for file in list_images(self.path / folder)]

    def _find_mask(self, sample: Sample) -> Path | None:
        place = self.path / MASKS / Path(sample.name).parent
        candidates = (place / f"{Path(sample.name).stem}{ending}.png" for ending in ("", "_mask"))
        return next((path for path in candidates if path.is_file()), None)

    def _check_mask_names(self, defect: str, names: list[str]) -> None:
        folder = self.path / MASKS / defect
        if not folder.is_dir():
            return
        stems = Counter(Path(name).with_suffix("").as_posix() for name in names)
        twice = sorted(stem for stem, count in stems.items() if count > 1)
        if twice:
            raise DataError(f"expected one image for each mask, got several named {twice[0]}.*; rename them")
        for path in list_images(folder):
            stem = path.relative_to(self.path / MASKS).with_suffix("").as_posix()
            if stem not in stems and stem.removesuffix("_mask") not in stems:
                raise DataError(f"expected an image {stem}.* for the mask {path}, found none; remove the mask")
