"""AU-PRO at the images' own size, as publications report it; the size may differ from image to image.

The metrics of the pipeline are at the model's size (`data.image_size`). Here each map is resized to its image, as
`efficientad predict` does, and compared with the mask as it was annotated.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.datasets.registry import build_provider
from efficientad.data.images.resizing import resize_map
from efficientad.evaluation.pixel_level import compute_au_pro
from efficientad.model.inference import compute_detections
from efficientad.model.saved_detector import load_detector
from efficientad.pipeline.layout import Item, locate_prepared
from efficientad.pipeline.params_file import load_params


def measure_at_original_size(item: Item) -> float | None:
    """Return AU-PRO of a finished detector of this workspace on its test split; None where no mask is known."""
    params = load_params(category=item.category)
    provider = build_provider(item.category, params.data, params.synthetic, params.elpv)
    prepared = load_prepared(locate_prepared(item.category))
    detector, _ = load_detector(item.detector)
    samples = {sample.name: sample for sample in provider.list_samples()}
    test = prepared.indices("test")
    masks = {index: provider.load_mask(samples[prepared.rows[index].name]) for index in test}
    annotated = {index: mask for index, mask in masks.items() if mask is not None}
    with TemporaryDirectory() as folder:
        indices = np.array(list(annotated), np.intp)
        maps, _ = compute_detections(detector, prepared.images, indices, Path(folder) / "maps.npy")
        return compare(list(maps), list(annotated.values()))


def compare(maps: list[NDArray[np.float32]], masks: list[NDArray[np.bool_]]) -> float | None:
    """Return AU-PRO of maps (h, w) brought to the sizes of their masks; None without any defect.

    >>> half = np.arange(8) < 4
    >>> compare([np.float32([[1, 1, 0, 0]])], [half[None]]), compare([], [])
    (1.0, None)
    """
    if not any(mask.any() for mask in masks):
        return None
    return compute_au_pro(
        [resize_map(anomaly_map, *mask.shape) for anomaly_map, mask in zip(maps, masks, strict=True)], masks
    )
