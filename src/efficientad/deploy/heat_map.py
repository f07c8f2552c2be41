"""Anomaly maps made visible on the image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images import colour_map, outline, resize_map
from efficientad.deploy.predictor import Prediction
from efficientad.errors import MetricError


@dataclass(frozen=True)
class HeatScale:
    """Map values that get the first and the last colour, the same for a whole sheet."""

    low: float
    high: float


def fit_heat_scale(threshold: float, maps: NDArray[np.float32]) -> HeatScale:
    """0, the level of normal pixels, to 2 x threshold, which puts the threshold at mid-scale.

    A threshold of 0 or below leaves no such range: the least and the greatest value of `maps` are taken then.
    """
    if threshold > 0:
        return HeatScale(0.0, 2.0 * threshold)
    low, high = float(maps.min()), float(maps.max())
    return HeatScale(low, high if high > low else low + 1.0)


def overlay_heat_map(
    image: NDArray[np.uint8],
    anomaly_map: NDArray[np.float32],
    low: float,
    high: float,
    opacity: float = 0.5,
) -> NDArray[np.uint8]:
    """Lay the coloured map over the image; returns RGB uint8 (H, W, 3).

    `image` is RGB uint8 (H, W, 3), `anomaly_map` (H, W) of any range: values up to `low` get the first
    colour, values from `high` on the last. `opacity` in [0, 1]: 0 shows the image alone, 1 the map alone.

    Raises:
        MetricError: sizes differ, `low` is not below `high`, or `opacity` is outside [0, 1].
    """
    if image.shape != (*anomaly_map.shape, 3):
        raise MetricError(
            f"Expected an image (H, W, 3) and a map (H, W) of the same size, got {image.shape} and "
            f"{anomaly_map.shape}: resize the map to the image."
        )
    if not low < high:
        raise MetricError(f"Expected low < high, got {low} and {high}: give the heat map a range.")
    if not 0.0 <= opacity <= 1.0:
        raise MetricError(f"Expected an opacity in [0, 1], got {opacity}.")
    heat = colour_map(scale_to_unit(anomaly_map, low, high)).astype(np.float32)
    blend = (1.0 - opacity) * image + opacity * heat
    return np.rint(blend).astype(np.uint8)


def scale_to_unit(anomaly_map: NDArray[np.float32], low: float, high: float) -> NDArray[np.float32]:
    """Map [low, high] to [0, 1] and clip what lies outside; same shape, float32.

    >>> scale_to_unit(np.array([-1.0, 1.0, 9.0], dtype=np.float32), 0.0, 2.0).tolist()
    [0.0, 0.5, 1.0]
    """
    unit = np.clip((anomaly_map - low) / (high - low), 0.0, 1.0)
    return np.asarray(unit, dtype=np.float32)


def draw_heat_map(image: NDArray[np.uint8], prediction: Prediction) -> NDArray[np.uint8]:
    """Lay the anomaly map over an RGB uint8 image (H, W, 3), on the scale of `fit_heat_scale`; return the same.

    A white line is drawn around what lies above the threshold.
    """
    anomaly_map = resize_map(prediction.anomaly_map, image.shape[0], image.shape[1])
    scale = fit_heat_scale(prediction.threshold, anomaly_map)
    picture = overlay_heat_map(image, anomaly_map, scale.low, scale.high)
    thickness = max(1, round(max(image.shape[:2]) / 512))
    return outline(picture, anomaly_map > prediction.threshold, (255, 255, 255), thickness)
