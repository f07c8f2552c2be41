"""The annotated defects of a product at the model's resolution: written here, opened in `prepared`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.annotations import ANNOTATIONS
from efficientad.data.arrays.prepared import MASKS
from efficientad.data.arrays.row_file import replace_array, save_array
from efficientad.data.arrays.rows import read_row
from efficientad.data.arrays.samples import Sample
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.images.resizing import resize_mask


def write_annotations(
    provider: DatasetProvider, samples: Sequence[Sample], folder: Path, region: NDArray[np.bool_] | None
) -> dict[str, Any]:
    """Write the defects of `samples`, whose rows masks.npy holds already, and return their part of the manifest.

    A defect wholly outside of the region of interest (H, W) is left out. masks.npy becomes True where a defect is, so
    that it covers all of them: one alone may be too small for half a pixel. Nothing is written, and nothing returned,
    where the provider does not know defects one by one.
    """
    size = np.load(folder / MASKS, mmap_mode="r").shape[1:]
    found: list[NDArray[np.bool_]] = []
    rows: list[int] = []
    entries: list[dict[str, Any]] = []
    for row, sample in enumerate(samples):
        for defect in provider.load_defects(sample) or []:
            whole = resize_mask(defect.mask, size)
            judged = whole if region is None else whole & region
            if judged.any():
                saturation = min(defect.saturation * int(whole.sum()), int(judged.sum()))
                found.append(judged)
                rows.append(row)
                entries.append({"name": sample.name, "saturation_px": float(saturation)})
    if not found:
        return {}
    save_array(folder / ANNOTATIONS, np.stack(found))
    _cover(folder / MASKS, rows, found)
    return {"annotations": entries}


def _cover(path: Path, rows: Sequence[int], found: Sequence[NDArray[np.bool_]]) -> None:
    masks = np.load(path, mmap_mode="r")
    with replace_array(path, masks.dtype, masks.shape) as covered:
        for index in range(len(masks)):
            covers = [mask for row, mask in zip(rows, found, strict=True) if row == index]
            covered[index] = np.logical_or.reduce([read_row(masks, index), *covers])
        del masks  # Windows does not replace a file that is mapped
