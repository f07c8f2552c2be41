"""Does the region that a detector marks fit the annotated defect?"""

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.marking import mark_defects
from efficientad.errors import MetricError
from efficientad.evaluation.pixels import Maps, Masks, check_count, check_pair


def compute_outline_ious(maps: Maps, masks: Masks, threshold: float) -> NDArray[np.float64]:
    """Intersection over union of marked and annotated pixels of each image: (N,), in [0, 1], NaN without a defect.

    `maps` (N, H, W) float of any range; marked is what `mark_defects` marks, as in the contact sheet. `masks`
    (N, H, W) bool, all False where no defect is annotated. All defects of an image count together, and so does
    everything that is marked: a missed defect gives 0, and a false region elsewhere in the image lowers the value.

    Raises:
        MetricError: number or shape of maps and masks differ, masks are not bool, maps are not float, a
            pixel is NaN or infinite, or the threshold is NaN.

    >>> maps = np.array([[[0.9, 0.8, 0.1, 0.1]], [[0.9, 0.1, 0.1, 0.1]]], dtype=np.float32)
    >>> masks = np.array([[[False, True, True, False]], [[False] * 4]])
    >>> compute_outline_ious(maps, masks, threshold=0.5).round(2)
    array([0.33,  nan])
    """
    check_count(maps, masks)
    if np.isnan(threshold):
        raise MetricError("Expected a threshold, got NaN: calibrate the detector first.")
    ious = np.full(len(maps), np.nan)
    for index, (anomaly_map, mask) in enumerate(zip(maps, masks, strict=True)):
        check_pair(anomaly_map, mask, index)
        if mask.any():
            marked = mark_defects(anomaly_map, threshold)
            ious[index] = np.count_nonzero(marked & mask) / np.count_nonzero(marked | mask)
    return ious


def compute_outline_iou(maps: Maps, masks: Masks, threshold: float) -> float:
    """Mean of `compute_outline_ious` over the images with an annotated defect; in [0, 1].

    Each image weighs the same, whatever the number and the size of its defects.

    Raises:
        MetricError: no mask holds a defect; or see `compute_outline_ious`.
    """
    ious = compute_outline_ious(maps, masks, threshold)
    annotated = ious[~np.isnan(ious)]
    if not len(annotated):
        raise MetricError("Expected a mask with a defect, got none: evaluate images with masks, or leave this out.")
    return float(annotated.mean())
