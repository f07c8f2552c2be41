"""A user's own images: folders of good images, and whatever defects and masks are at hand (see `folder_layout`)."""

from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.folder_layout import Place, find_keys, find_place, is_mask
from efficientad.data.files.listing import IMAGE_SUFFIXES, MASK_SUFFIXES
from efficientad.data.files.walk import Finding, explain_left_out, list_tree
from efficientad.data.images.reading import read_image, read_mask
from efficientad.errors import DataError

_LINKED_LEVELS = 2  # such as test/crack


class FolderProvider(DatasetProvider):
    """Good images train, validate and test as their folders say; all defects test."""

    def __init__(self, path: Path) -> None:
        """Look through the folder.

        Raises DataError when there are no good images to train on, or none for the test beside those that only train,
        and as `find_place`.
        """
        if not path.is_dir():
            raise DataError(f"expected good images in {path / GOOD}, found no such folder; put them there")
        self.path = path
        self.tree = list_tree(path, _LINKED_LEVELS)
        images = [name for name in self.tree.files if Path(name).suffix.lower() in IMAGE_SUFFIXES and not is_mask(name)]
        self.places = {name: find_place(name) for name in images}
        self._check_good()
        self.masks = self._match_masks()

    def list_samples(self) -> list[Sample]:
        """Return the good samples, then each defect class by name.

        Images in `good` are open, or train where other folders hold good images for the test.
        """
        used = [(name, place) for name, place in self.places.items() if not place.reason]
        is_tested = any(place == Place("test") for _, place in used)
        samples = [
            Sample(name, "train" if place == Place() and is_tested else place.split, place.defect)
            for name, place in used
        ]
        return sorted(samples, key=lambda sample: (sample.label, sample.defect, sample.name))

    def list_left_out(self) -> list[Finding]:
        """Return every file that is neither a sample nor a sample's mask, and why."""
        used = {name for name, place in self.places.items() if not place.reason} | set(self.masks.values())
        return explain_left_out(self.tree, used, self._explain)

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample), self.limits)

    def load_mask(self, sample: Sample) -> NDArray[np.bool_] | None:
        """Read the mask; all False for good images without one; None for others, and where no image has a mask.

        Raises DataError when the mask has another size than its image.
        """
        if not self.masks:
            return None
        path = self.mask_path(sample)
        if path is None and sample.label:
            return None
        size = self.load_image(sample).shape[:2]
        if path is None:
            return np.zeros(size, np.bool_)
        mask = read_mask(path, limits=self.limits)
        if mask.shape != size:
            raise DataError(
                f"expected a mask of size {size} as {self.image_path(sample)}, got {mask.shape} in {path}; "
                "draw it on the original image"
            )
        return mask

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.path / sample.name

    def mask_path(self, sample: Sample) -> Path | None:
        """Return the file of the sample's mask."""
        return self.path / self.masks[sample.name] if sample.name in self.masks else None

    def _check_good(self) -> None:
        good = [place.split for place in self.places.values() if place.defect == GOOD and not place.reason]
        if not {None, "train"} & {*good}:
            raise DataError(
                f"expected good images in {self.path / GOOD}, found none in {len(self.tree.files)} files; "
                "put them there: PNG, JPEG, BMP, TIFF, WebP"
            )
        if None not in good and "test" not in good:
            raise DataError(
                f"expected good images for the test beside those in {self.path / 'train' / GOOD}, found none; put some "
                "into test/good, or all of them into good, of which a share is kept for the test"
            )

    def _match_masks(self) -> dict[str, str]:
        """Return the mask of each image that has one, by name; DataError where image or mask is not the only one."""
        images = defaultdict(list)
        for name, place in self.places.items():
            if not place.reason:
                images[find_keys(name)[0]].append(name)
        masks: dict[str, str] = {}
        for mask in self.tree.files:
            if not is_mask(mask) or Path(mask).suffix.lower() not in MASK_SUFFIXES:
                continue
            named = next((images[key] for key in find_keys(mask) if key in images), [])
            owners = [name for name in named if self.places[name].split == "test"] or named
            if len(owners) > 1:
                raise DataError(
                    f"expected one image for the mask {self.path / mask}, got {' and '.join(owners)}; rename them"
                )
            for owner in owners:
                if owner in masks:
                    raise DataError(
                        f"expected one mask for {self.path / owner}, got {masks[owner]} and {mask}; remove one of them"
                    )
                masks[owner] = mask
        return masks

    def _explain(self, name: str) -> str | None:
        if not is_mask(name):
            return self.places[name].reason if name in self.places else None
        if Path(name).suffix.lower() in MASK_SUFFIXES:
            return "a mask of no image; name it like its image, or remove it"
        return "a mask of a format that blurs edges or is not read; save it as PNG, BMP or TIFF"
