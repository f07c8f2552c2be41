"""Per-region overlap the obvious way: for every threshold, count pixel by pixel.

Shares no code with the package.
"""

from itertools import pairwise

import numpy as np
from scipy import ndimage


def list_regions(masks):
    """Return all 8-connected regions as lists of (image, row, column)."""
    regions = []
    for image, mask in enumerate(masks):
        labelled, count = ndimage.label(mask, structure=[[1, 1, 1], [1, 1, 1], [1, 1, 1]])
        for number in range(1, count + 1):
            regions.append(
                [
                    (image, row, column)
                    for row in range(mask.shape[0])
                    for column in range(mask.shape[1])
                    if labelled[row][column] == number
                ]
            )
    return regions


def trace_pro(maps, masks):
    """Points (false positive rate, mean overlap, threshold) of `score >= threshold`, for every score."""
    regions = list_regions(masks)
    normals = [float(score) for anomaly_map, mask in zip(maps, masks, strict=True) for score in anomaly_map[~mask]]
    thresholds = sorted({float(score) for anomaly_map in maps for score in anomaly_map.ravel()}, reverse=True)
    points = [(0.0, 0.0, float("inf"))]
    for threshold in thresholds:
        rate = sum(score >= threshold for score in normals) / len(normals)
        overlaps = [
            sum(float(maps[image][row][column]) >= threshold for image, row, column in region) / len(region)
            for region in regions
        ]
        points.append((rate, sum(overlaps) / len(overlaps), threshold))
    return points


def trace_spro(maps, defects):
    """Points (false positive rate, mean saturated overlap, threshold); defects are (image, mask, saturation area)."""
    pixels = [(image, row, column) for image, row, column in np.ndindex(*np.shape(maps))]
    regions = [({p for p in pixels if p[0] == image and mask[p[1]][p[2]]}, area) for image, mask, area in defects]
    free = [p for p in pixels if not any(p in region for region, _ in regions)]
    points = [(0.0, 0.0, float("inf"))]
    for threshold in sorted({float(maps[p]) for p in pixels}, reverse=True):
        marked = {p for p in pixels if float(maps[p]) >= threshold}
        overlaps = [min(len(region & marked) / area, 1.0) for region, area in regions]
        points.append((len(marked & set(free)) / len(free), sum(overlaps) / len(overlaps), threshold))
    return points


def integrate_pro(points, limit):
    """Normalised area up to the limit, trapezoid by trapezoid."""
    area = 0.0
    for (left, low, _), (right, high, _) in pairwise(points):
        if left >= limit:
            break
        if right > limit:
            high = low + (high - low) * (limit - left) / (right - left)
            right = limit
        area += (right - left) * (low + high) / 2
    return area / limit
