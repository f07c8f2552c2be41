"""Overlap that is full before all of a defect is marked: that of MVTec LOCO.

Where a part is missing, it may lie in more than one place, and the mask covers all of them: nobody can say where it is
missing. So every annotated defect has a saturation area, and counts as found when so many of its pixels are marked.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import MetricError


def weigh_saturated(
    anomaly_map: NDArray[np.floating[Any]],
    mask: NDArray[np.bool_],
    annotations: Sequence[tuple[NDArray[np.bool_], float]],
) -> NDArray[np.float64]:
    """Weights of the True pixels of `mask` (H, W), in row-major order, by defects that may overlap, each with its area.

    The pixels of a defect that a map marks first weigh 1 / area each, until they fill the area, and all others nothing:
    however far the threshold falls, the sum of the marked ones is the saturated overlap, min(marked / area, 1). A pixel
    of several defects has the sum of its weights.

    Raises:
        MetricError: a defect is not wholly inside of the mask: some of its pixels would count as free of defects.

    >>> scores, mask = np.array([[0.9, 0.1, 0.5]]), np.array([[True, True, True]])
    >>> weigh_saturated(scores, mask, [(mask, 2.0)])
    array([0.5, 0. , 0.5])
    """
    weights = np.zeros(mask.shape)
    for defect, area in annotations:
        if (defect & ~mask).any():
            raise MetricError("Expected a mask that covers each annotated defect: run the prepare stage again.")
        order = np.argsort(-anomaly_map[defect], kind="stable")
        of_pixel = np.empty(len(order))
        of_pixel[order] = np.clip(area - np.arange(len(order)), 0, 1) / area
        weights[defect] += of_pixel
    return np.asarray(weights[mask])
