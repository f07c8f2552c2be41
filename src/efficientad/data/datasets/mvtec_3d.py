"""MVTec 3D-AD, its colour images alone.

Bergmann et al., "The MVTec 3D-AD dataset for unsupervised 3D anomaly detection and localization", VISAPP 2022,
https://www.mvtec.com/company/research/datasets/mvtec-3d-ad (CC BY-NC-SA 4.0: no commercial use). One category is one
folder:

    {train,validation}/good/rgb/*.png   test/<class>/rgb/*.png   test/<class>/gt/*.png   [and xyz/*.tiff, not read]
"""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample, Split
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.layouts import check_layout, check_mask_size, check_stems
from efficientad.data.files.listing import list_images
from efficientad.data.files.walk import Finding, explain_left_out, list_tree
from efficientad.data.images.reading import read_image, read_mask

_LINKED_LEVELS = 3  # such as test/crack/rgb
_PARTS = ("train/good/rgb", "validation/good/rgb", "test")


class MVTec3DProvider(DatasetProvider):
    """One category at `<root>/<category>`; a mask has its image's name, in the folder `gt` beside `rgb`."""

    def __init__(self, path: Path) -> None:
        """Raise DataError when the folders of training, validation or test images are missing."""
        check_layout(path, "mvtec_3d", _PARTS)
        self.path = path

    def list_samples(self) -> list[Sample]:
        """Return train, validation and test samples, each sorted by class and file name."""
        samples = self._list_folder("train", GOOD) + self._list_folder("validation", GOOD)
        for defect in sorted(folder.name for folder in (self.path / "test").iterdir() if folder.is_dir()):
            samples += self._list_folder("test", defect)
        check_stems(samples)
        return samples

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample), self.limits)

    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Read the mask; all False for a normal sample; None where a defective one has an empty mask.

        Raises DataError when the mask is missing or has another size than the image.
        """
        size, path = self.load_image(sample).shape[:2], self.path / _name_mask(sample)
        if not sample.label:
            return np.zeros(size, np.bool_)
        mask = read_mask(path, limits=self.limits)
        check_mask_size(mask.shape, size, path)
        return mask if mask.any() else None

    def list_left_out(self) -> list[Finding]:
        """Return every file that is neither a sample, nor a sample's mask or depth, and why."""
        samples = self.list_samples()
        used = {sample.name for sample in samples} | {_name_mask(sample) for sample in samples}
        depths = {_place_beside(sample, "xyz", ".tiff") for sample in samples}
        return explain_left_out(list_tree(self.path, _LINKED_LEVELS), used | depths, _explain)

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.path / sample.name

    def _list_folder(self, split: Split, defect: str) -> list[Sample]:
        files = list_images(self.path / split / defect / "rgb")
        return [Sample(file.relative_to(self.path).as_posix(), split, defect) for file in files]


def _name_mask(sample: Sample) -> str:
    return _place_beside(sample, "gt", ".png")


def _place_beside(sample: Sample, folder: str, suffix: str) -> str:
    place = PurePosixPath(sample.split or "", sample.defect, folder, PurePosixPath(sample.name).stem)
    return f"{place}{suffix}"


def _explain(name: str) -> str | None:
    return "depth of no image" if "/xyz/" in name else None
