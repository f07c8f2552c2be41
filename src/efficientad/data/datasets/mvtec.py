"""MVTec AD and every data set in its layout.

Bergmann et al., "MVTec AD", CVPR 2019, https://www.mvtec.com/company/research/datasets/mvtec-ad
(CC BY-NC-SA 4.0: no commercial use). One category is one folder:

    train/good/*.png   test/<class>/*.png   ground_truth/<class>/<stem>_mask.png   [validation/good/*.png]
"""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample, Split
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.layouts import advise, check_layout, check_mask_size, check_stems
from efficientad.data.files.listing import list_images
from efficientad.data.files.walk import Finding, explain_left_out, list_tree
from efficientad.data.images.reading import read_image, read_mask
from efficientad.errors import DataError

_LINKED_LEVELS = 2  # such as test/crack
MASK_ENDING = "_mask"


class MVTecProvider(DatasetProvider):
    """One category at `<root>/<category>`; a `validation/good` folder is used as validation when present.

    Masks of MVTec LOCO, several files in a folder `ground_truth/<class>/<stem>/`, are united; `MVTecLocoProvider` knows
    them one by one.
    """

    def __init__(self, path: Path) -> None:
        """Raise DataError when `train/good` or `test` is missing, or the folder is one of MVTec 3D-AD."""
        check_layout(path, "mvtec", ("train/good", "test"))
        if (path / "train/good/rgb").is_dir():
            raise DataError(f"expected images in {path / 'train/good'}, found folders; {advise(path, 'mvtec')}")
        self.path = path

    def list_samples(self) -> list[Sample]:
        """Return train, validation and test samples, each sorted by class and file name.

        Raises DataError for defective images that would share a mask.
        """
        samples = self._list_folder("train", GOOD)
        if (self.path / "validation" / GOOD).is_dir():
            samples += self._list_folder("validation", GOOD)
        classes = sorted(folder.name for folder in (self.path / "test").iterdir() if folder.is_dir())
        for defect in classes:
            samples += self._list_folder("test", defect)
        check_stems(samples)
        return samples

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample), self.limits)

    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Read the mask of a test sample; all False for a normal one without a mask, and for one that does not test.

        Returns None when the category has no `ground_truth` folder at all. Raises DataError when it has
        one but a defect's mask is missing, stands there twice, or has another size than the image.
        """
        truth = self.path / "ground_truth"
        if not truth.is_dir():
            return None
        size = self.load_image(sample).shape[:2]
        mask = np.zeros(size, np.bool_)
        if sample.split != "test":
            return mask
        for path in self._find_masks(sample):
            part = read_mask(path, limits=self.limits)
            check_mask_size(part.shape, size, path)
            mask |= part
        return mask

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.path / sample.name

    def list_left_out(self) -> list[Finding]:
        """Return every file that is neither a sample nor a sample's mask, and why."""
        tree, samples = list_tree(self.path, _LINKED_LEVELS), self.list_samples()
        used = {sample.name for sample in samples}
        for sample in samples:
            if sample.split == "test":
                used |= {file.relative_to(self.path).as_posix() for file in self._list_masks(sample)}
        return explain_left_out(tree, used)

    def _list_folder(self, split: Split, defect: str) -> list[Sample]:
        files = list_images(self.path / split / defect)
        return [Sample(file.relative_to(self.path).as_posix(), split, defect) for file in files]

    def _find_masks(self, sample: Sample) -> list[Path]:
        """Return the files of a test image's mask; none for a good one, whose mask need not be there."""
        masks = self._list_masks(sample)
        if sample.label and not masks:
            raise DataError(f"expected a mask at {self._locate_mask(sample)}_mask.png, found none; restore it")
        if len(masks) > 1 and self._locate_mask(sample).parent in {mask.parent for mask in masks}:
            both = " and ".join(map(str, masks))
            raise DataError(f"expected one mask for {self.path / sample.name}, got {both}; remove one of them")
        return masks

    def _list_masks(self, sample: Sample) -> list[Path]:
        place = self._locate_mask(sample)
        whole = [place.with_name(f"{place.name}{ending}.png") for ending in (MASK_ENDING, "")]
        return [file for file in whole if file.is_file()] + sorted(place.glob("*.png"))

    def _locate_mask(self, sample: Sample) -> Path:
        """Return where a sample's mask lies, as deep as its image, without ending."""
        name = PurePosixPath(sample.name)
        return self.path / "ground_truth" / name.parent.relative_to("test") / name.stem
