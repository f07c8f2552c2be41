"""The quantiles of each of a detector's maps over normal training images."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from efficientad.calibration.coreset import Owners
from efficientad.model.branch import Quantiles
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_raw_maps
from efficientad.model.maps import Levels, fit_quantiles, select_cells

_MOST_IMAGES = 64  # a fifth of a second each; docs/decisions/0025 has what more would change


def compute_training_maps(
    detector: Detector,
    images: NDArray[np.uint8],
    normals: NDArray[np.intp],
    owners: Sequence[Owners],
    region: NDArray[np.bool_] | None,
) -> list[list[NDArray[np.float32]]]:
    """Return the raw values (n,) in the region of interest (H, W) of each branch, of each of some training images.

    images: (N, H, W, 3) uint8 RGB, of which the rows `normals` are for training; 64 of them are drawn, always the same.
    owners: as `fit_memory_banks` gives them: no image is compared with its own patches. Held-out images are not used:
    they set the threshold, whose rate would not hold.
    """
    drawn = np.random.default_rng(0).permutation(normals)[:_MOST_IMAGES]
    maps = compute_raw_maps(detector, images, np.sort(drawn), owners)
    together = zip(maps, detector.list_borders(), strict=True)
    return [[select_cells(one, region, border) for one in branch] for branch, border in together]


def fit_map_quantiles(maps: Sequence[Sequence[NDArray[np.float32]]], levels: Levels) -> list[Quantiles]:
    """Return those of each branch; `maps` are those of `compute_training_maps`. MetricError as `fit_quantiles`."""
    return [fit_quantiles(branch, levels) for branch in maps]
