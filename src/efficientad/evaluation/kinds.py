"""The accuracy on each kind of defect, for data sets that have their defects one by one."""

from statistics import fmean

import numpy as np

from efficientad.data.arrays.annotations import Annotations
from efficientad.evaluation.image_level import compute_image_metrics
from efficientad.evaluation.pixel_level import compute_spro_curve, integrate_pro_curve
from efficientad.evaluation.test_split import TestSplit

SPRO_LIMITS = {"au_spro_005": 0.05, "au_spro_030": 0.3}
"""Highest false-positive rates of AU-sPRO: that by which MVTec LOCO's paper compares, and the usual one of AU-PRO."""


def measure_kinds(split: TestSplit) -> dict[str, float]:
    """Return the accuracy on each kind of defect together with all normal images, as for MVTec LOCO.

    Keys: image_auroc, au_spro_005 and au_spro_030, each followed by _ and the kind; au_spro_005 and au_spro_030 alone
    are means over the kinds. Empty where the data set does not have its defects one by one: there, an image's mask
    does not say from which area on a defect counts as found. Source: Bergmann et al., IJCV 130, 2022.
    """
    if split.annotations is None:
        return {}
    kinds = dict.fromkeys(defect for defect, label in zip(split.defects, split.labels, strict=True) if label)
    found = {kind: _measure_kind(split, split.annotations, kind) for kind in kinds}
    of_kinds = {f"{name}_{kind}": value for kind, metrics in found.items() for name, value in metrics.items()}
    values = {name: [metrics[name] for metrics in found.values() if name in metrics] for name in SPRO_LIMITS}
    return {name: fmean(each) for name, each in values.items() if each} | of_kinds


def _measure_kind(split: TestSplit, annotations: Annotations, kind: str) -> dict[str, float]:
    rows = np.flatnonzero((split.labels == 0) | (np.array(split.defects) == kind))
    labels, metrics = split.labels[rows], {}
    if not labels.all():
        metrics["image_auroc"] = compute_image_metrics(split.scores[rows], labels)["image_auroc"]
    of_kind = annotations.select(rows)
    if len(of_kind.images):
        curve = compute_spro_curve(split.maps.select(rows), split.masks.select(rows), of_kind)
        metrics |= {name: integrate_pro_curve(curve, limit) for name, limit in SPRO_LIMITS.items()}
    return metrics
