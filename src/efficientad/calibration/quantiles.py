"""The quantiles of each of a detector's maps over held-out normal images."""

import numpy as np
from numpy.typing import NDArray

from efficientad.data.prepared import Prepared
from efficientad.model.detector import Detector
from efficientad.model.inference import compute_raw_maps
from efficientad.model.maps import Quantiles, fit_quantiles, select_cells
from efficientad.pipeline.params import CalibrateParams


def fit_map_quantiles(
    detector: Detector, prepared: Prepared, normals: NDArray[np.intp], params: CalibrateParams
) -> dict[str, Quantiles]:
    """Return those of "student", "autoencoder" and each "memory_<scale>", of the cells in the region of interest.

    Raises MetricError as `fit_quantiles`.
    """
    names = ["student", "autoencoder", *(f"memory_{scale}" for scale, _ in detector.describe_memories())]
    maps = compute_raw_maps(detector, prepared.images, normals)
    levels = params.low_quantile, params.high_quantile, params.high_quantile_of
    return {
        name: fit_quantiles([select_cells(one, prepared.region) for one in found], *levels)
        for name, found in zip(names, maps, strict=True)
    }
