"""Magnetic tile surface defects, in the layout in which they were published.

Huang, Qiu, Yuan, "Surface defect saliency of magnetic tile", The Visual Computer 36, 2020;
https://github.com/abin24/Magnetic-tile-defect-datasets. (no licence stated).

    MT_Free/Imgs/*.jpg   MT_<Class>/Imgs/*.jpg   and beside each image a mask of the same name, .png
"""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.layouts import check_stems
from efficientad.data.files.listing import list_images
from efficientad.data.files.walk import Finding, explain_left_out, list_tree
from efficientad.data.images.reading import read_image, read_mask
from efficientad.errors import DataError

HALF_LEVEL = 128
"""Mask borders are anti-aliased over one to three pixels: defect where at least half is covered."""


class MagneticTileProvider(DatasetProvider):
    """The split of the free tiles is open, all defects test."""

    def __init__(self, path: Path) -> None:
        """Raise DataError when the folder of free tiles is missing."""
        if not (path / "MT_Free" / "Imgs").is_dir():
            raise DataError(
                f"expected {path / 'MT_Free' / 'Imgs'}, found no such folder; "
                f"fetch it with `efficientad download magnetic_tile --output {path.parent}`"
            )
        self.path = path

    def list_samples(self) -> list[Sample]:
        """Return all samples sorted by class folder and file name; classes are "blowhole", "break" ..."""
        samples = [Sample(name, None, GOOD) for name in self._list_names("MT_Free")]
        for folder in sorted(self.path.glob("MT_*")):
            if folder.is_dir() and folder.name != "MT_Free":
                defect = folder.name.removeprefix("MT_").lower()
                samples += [Sample(name, "test", defect) for name in self._list_names(folder.name)]
        check_stems(samples)
        return samples

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample), self.limits)

    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Read the mask; None where a defective tile was published with an empty one (four uneven tiles)."""
        size = self.load_image(sample).shape[:2]
        if not sample.label:
            return np.zeros(size, np.bool_)
        path = self.image_path(sample).with_suffix(".png")
        mask = read_mask(path, HALF_LEVEL, self.limits)
        if mask.shape != size:
            raise DataError(f"expected a mask of size {size}, got {mask.shape} in {path}; correct the mask")
        return mask if mask.any() else None

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.path / sample.name

    def list_left_out(self) -> list[Finding]:
        """Return every file that is neither a sample nor a sample's mask, and why."""
        names = {sample.name for sample in self.list_samples()}
        masks = {PurePosixPath(name).with_suffix(".png").as_posix() for name in names}
        return explain_left_out(list_tree(self.path, followed=2), names | masks)

    def _list_names(self, folder: str) -> list[str]:
        files = [file for file in list_images(self.path / folder / "Imgs") if file.suffix.lower() == ".jpg"]
        return [file.relative_to(self.path).as_posix() for file in files]
