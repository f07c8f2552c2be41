"""The defects of a product one by one, each with the area from which on it counts as found; they may overlap."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.rows import Rows
from efficientad.errors import DataError

ANNOTATIONS = "annotations.npy"


@dataclass(frozen=True)
class Annotations:
    """R annotated defects.

    masks: (R, H, W) bool, a True pixel in each. images: (R,) the row of each one's image, ascending. saturations: (R,)
    px, above 0 and at most the defect's area: where so many of its pixels are marked, the defect is found.
    """

    masks: Rows
    images: NDArray[np.intp]
    saturations: NDArray[np.float64]

    def select(self, images: NDArray[np.intp]) -> "Annotations":
        """Return those of some images; `images` of the result are places in this list, which names no image twice."""
        place_of = {int(image): place for place, image in enumerate(images)}
        places = np.array([place_of.get(int(image), -1) for image in self.images], np.intp)
        kept = np.flatnonzero(places >= 0)
        kept = kept[np.argsort(places[kept], kind="stable")]
        return Annotations(self.masks.select(kept), places[kept], self.saturations[kept])

    def list_of(self, image: int) -> list[tuple[NDArray[np.bool_], float]]:
        """Return mask (H, W) and saturation of each defect of an image."""
        first, last = np.searchsorted(self.images, [image, image + 1])
        return [(self.masks[index], float(self.saturations[index])) for index in range(first, last)]


def pair_annotations(
    masks: NDArray[Any], entries: Sequence[Mapping[str, Any]], names: Sequence[str], size: tuple[int, int]
) -> Annotations:
    """Join what `write_annotations` wrote: masks (R, H, W), and the manifest's {"name", "saturation_px"} of each.

    Raises DataError when the two do not fit together or to the images' `names` and `size`.
    """
    row_of = {name: row for row, name in enumerate(names)}
    images = np.array([row_of.get(entry["name"], -1) for entry in entries], np.intp)
    if masks.shape != (len(entries), *size) or masks.dtype != np.bool_ or (np.diff(images, prepend=0) < 0).any():
        raise DataError(
            f"expected bool {(len(entries), *size)} in {ANNOTATIONS}, in the order of the images, got {masks.dtype} "
            f"{masks.shape}; run the prepare stage again"
        )
    saturations = np.array([entry["saturation_px"] for entry in entries], np.float64)
    return Annotations(Rows(masks), images, saturations)
