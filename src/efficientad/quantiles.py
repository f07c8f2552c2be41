"""The quantiles of each of a detector's maps over held-out normal images."""

import numpy as np
from numpy.typing import NDArray

from efficientad.data.prepared import Prepared
from efficientad.detector import Detector
from efficientad.inference import compute_raw_maps
from efficientad.maps import Quantiles, fit_quantiles, select_cells


def fit_map_quantiles(
    detector: Detector, prepared: Prepared, normals: NDArray[np.intp], low: float, high: float
) -> dict[str, Quantiles]:
    """Return those of "student", "autoencoder" and each "memory_<scale>", of the cells in the region of interest.

    Raises MetricError as `fit_quantiles`.
    """
    names = ["student", "autoencoder", *(f"memory_{scale}" for scale, _ in detector.describe_memories())]
    maps = compute_raw_maps(detector, prepared.images, normals)
    return {
        name: fit_quantiles([select_cells(one, prepared.region) for one in found], low, high)
        for name, found in zip(names, maps, strict=True)
    }
