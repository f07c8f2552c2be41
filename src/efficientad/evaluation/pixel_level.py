"""Metrics of the anomaly map: are the right pixels marked? Exact: every distinct score is a threshold."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.annotations import Annotations
from efficientad.errors import MetricError
from efficientad.evaluation.curves import ProCurve
from efficientad.evaluation.pixels import Maps, Masks, PixelRanks, rank_pixels
from efficientad.evaluation.saturation import weigh_saturated


def compute_pixel_auroc(maps: Maps, masks: Masks) -> float:
    """Chance that a defect pixel scores above a defect-free one, ties counted half; in [0, 1].

    `maps` (N, H, W) float of any range, `masks` (N, H, W) bool; all pixels of all images are pooled, so that
    large defects count for more. Equals the area under the pixel ROC curve (Mann-Whitney).

    Raises:
        MetricError: see `pixels.rank_pixels`.

    >>> maps = np.array([[[0.1, 0.2], [0.3, 0.2]]], dtype=np.float32)
    >>> compute_pixel_auroc(maps, np.array([[[False, False], [True, True]]]))
    0.875
    """
    ranks = rank_pixels(maps, masks)
    below = ranks.normal_count - ranks.normals_above - ranks.normals_tied
    doubled = int(np.dot(ranks.defect_counts, 2 * below + ranks.normals_tied))  # integers: no rounding
    return doubled / (2 * ranks.normal_count * int(ranks.defect_counts.sum()))


def compute_pro_curve(maps: Maps, masks: Masks) -> ProCurve:
    """Mean per-region overlap against the false positive rate over all defect-free pixels of all images.

    Every 8-connected region of every mask has the same weight. Pixels with equal scores enter together. Points
    inside a horizontal are left out, so that the curve is exact and has at most two points for each distinct
    score of a defect pixel.

    Raises:
        MetricError: see `pixels.rank_pixels`.
    """
    return _trace_curve(rank_pixels(maps, masks))


def compute_spro_curve(maps: Maps, masks: Masks, annotations: Annotations) -> ProCurve:
    """Mean saturated per-region overlap of the annotated defects against the rate of `compute_pro_curve`.

    The overlap of a defect is the number of its marked pixels divided by its saturation area, and 1 at most. `masks`
    are True on every annotated defect; `annotations.images` counts the maps. Source: Bergmann et al., "Beyond dents and
    scratches", IJCV 130, 2022.

    Raises:
        MetricError: there is no annotated defect; or see `pixels.rank_pixels`.
    """
    if not len(annotations.images):
        raise MetricError("Expected annotated defects, got none: evaluate images that have some, or leave this out.")

    def weigh(index: int, anomaly_map: NDArray[np.floating[Any]], mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        return weigh_saturated(anomaly_map, mask, annotations.list_of(index))

    return _trace_curve(rank_pixels(maps, masks, weigh))


def _trace_curve(ranks: PixelRanks) -> ProCurve:
    overlap = np.cumsum(ranks.region_shares)
    overlap /= overlap[-1]
    overlap_before = np.concatenate([[0.0], overlap[:-1]])
    rate_before = ranks.normals_above / ranks.normal_count
    rate = (ranks.normals_above + ranks.normals_tied) / ranks.normal_count
    # One pair for each defect score: all pixels above it, then it and its ties as well.
    rates = np.concatenate([[0.0], np.stack([rate_before, rate], axis=1).ravel(), [1.0]])
    overlaps = np.concatenate([[0.0], np.stack([overlap_before, overlap], axis=1).ravel(), [1.0]])
    just_below = np.nextafter(ranks.scores, ranks.scores.dtype.type(-np.inf))
    pairs = np.stack([ranks.scores, just_below], axis=1).ravel().astype(np.float64)
    thresholds = np.concatenate([[ranks.highest], pairs, [np.nextafter(ranks.lowest, -np.inf)]])
    moved = np.concatenate([[True], (np.diff(rates) > 0) | (np.diff(overlaps) > 0)])
    return ProCurve(rates[moved], overlaps[moved], thresholds[moved])


def compute_au_pro(maps: Maps, masks: Masks, fpr_limit: float = 0.3) -> float:
    """Area under the PRO curve up to `fpr_limit`, divided by the limit; in [0, 1], chance is fpr_limit / 2.

    Raises:
        MetricError: `fpr_limit` is not in (0, 1]; or see `pixels.rank_pixels`.

    >>> maps = np.array([[[0.9, 0.1], [0.2, 0.2]]], dtype=np.float32)
    >>> compute_au_pro(maps, np.array([[[True, False], [False, False]]]))
    1.0
    """
    _check_limit(fpr_limit)
    return integrate_pro_curve(compute_pro_curve(maps, masks), fpr_limit)


def integrate_pro_curve(curve: ProCurve, fpr_limit: float = 0.3) -> float:
    """AU-PRO of a curve that is already computed: `compute_au_pro` would rank the pixels once more.

    Sums trapezoids, with a straight line between the two points around the limit. Give it the whole curve: with
    a curve thinned by `downsample_curve` the result is an approximation.

    Raises:
        MetricError: `fpr_limit` is not in (0, 1].
    """
    _check_limit(fpr_limit)
    rate, overlap = curve.false_positive_rate, curve.region_overlap
    inside = int(np.searchsorted(rate, fpr_limit, side="right"))
    rate_inside, overlap_inside = rate[:inside], overlap[:inside]
    if inside < len(rate):
        step = (fpr_limit - rate[inside - 1]) / (rate[inside] - rate[inside - 1])
        at_limit = overlap[inside - 1] + step * (overlap[inside] - overlap[inside - 1])
        rate_inside, overlap_inside = np.append(rate_inside, fpr_limit), np.append(overlap_inside, at_limit)
    return float(np.trapezoid(overlap_inside, rate_inside) / fpr_limit)


def _check_limit(fpr_limit: float) -> None:
    if not 0.0 < fpr_limit <= 1.0:
        raise MetricError(f"Expected a false positive rate limit in (0, 1], got {fpr_limit}: use 0.3 as the paper.")
