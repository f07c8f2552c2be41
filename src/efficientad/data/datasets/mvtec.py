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
from efficientad.data.datasets.layouts import advise, check_layout
from efficientad.data.files.images import list_images, read_image, read_mask
from efficientad.data.files.walk import Finding, explain_left_out, list_tree
from efficientad.errors import DataError

_LINKED_LEVELS = 2  # such as test/crack


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
        """Return train, validation and test samples, each sorted by class and file name."""
        samples = self._list_folder("train", GOOD)
        if (self.path / "validation" / GOOD).is_dir():
            samples += self._list_folder("validation", GOOD)
        classes = sorted(folder.name for folder in (self.path / "test").iterdir() if folder.is_dir())
        for defect in classes:
            samples += self._list_folder("test", defect)
        return samples

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample), self.limits)

    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Read the mask of a defective sample; all False for a normal one.

        Returns None when the category has no `ground_truth` folder at all. Raises DataError when it has
        one but the mask is missing or has another size than the image.
        """
        truth = self.path / "ground_truth"
        if not truth.is_dir():
            return None
        size = self.load_image(sample).shape[:2]
        if not sample.label:
            return np.zeros(size, np.bool_)
        mask = np.zeros(size, np.bool_)
        place = truth / Path(sample.name).parent.relative_to("test")  # masks lie as deep as their images
        for path in _find_masks(place, Path(sample.name).stem):
            part = read_mask(path, limits=self.limits)
            if part.shape != size:
                raise DataError(f"expected a mask of size {size}, got {part.shape} in {path}; correct the mask")
            mask |= part
        return mask

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.path / sample.name

    def list_left_out(self) -> list[Finding]:
        """Return every file that is neither a sample nor a sample's mask, and why."""
        tree, samples = list_tree(self.path, _LINKED_LEVELS), self.list_samples()
        used = {sample.name for sample in samples}
        places = {PurePosixPath(name).with_suffix("").relative_to("test") for name in used if name.startswith("test/")}
        for name in tree.files:
            if name.startswith("ground_truth/"):
                mask = PurePosixPath(name).with_suffix("").relative_to("ground_truth")
                if {mask, mask.with_name(mask.name.removesuffix("_mask")), mask.parent} & places:
                    used.add(name)
        return explain_left_out(tree, used)

    def _list_folder(self, split: Split, defect: str) -> list[Sample]:
        files = list_images(self.path / split / defect)
        return [Sample(file.relative_to(self.path).as_posix(), split, defect) for file in files]


def _find_masks(folder: Path, stem: str) -> list[Path]:
    for name in (f"{stem}_mask.png", f"{stem}.png"):
        if (folder / name).is_file():
            return [folder / name]
    parts = sorted((folder / stem).glob("*.png"))
    if not parts:
        raise DataError(f"expected a mask at {folder / f'{stem}_mask.png'}, found none; restore it")
    return parts
