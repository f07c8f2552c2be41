"""An anomaly map as colours on the image: what `predict --heat-maps` writes, and the report's columns."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.bands import cut_bands
from efficientad.data.images.drawing import blend_images, colour_map, draw_outline
from efficientad.data.images.marking import mark_resized
from efficientad.data.images.resizing import resize_bands
from efficientad.errors import MetricError

_OPACITY = 0.5
_WHITE = (255, 255, 255)
_LINE_PER_PX = 1 / 512  # a line's thickness, of the image's longer side


@dataclass(frozen=True)
class HeatScale:
    """The map values that get the first and the last colour, the same for all images of a sheet.

    Raises MetricError where `low` is not below `high`.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise MetricError(f"Expected low < high, got {self.low} and {self.high}: give the heat map a range.")

    def apply(self, anomaly_map: NDArray[np.float32]) -> NDArray[np.float32]:
        """Bring `low` to 0 and `high` to 1 and clip what lies outside; same shape, float32.

        >>> HeatScale(0.0, 2.0).apply(np.array([-1.0, 1.0, 9.0], dtype=np.float32)).tolist()
        [0.0, 0.5, 1.0]
        """
        unit = np.clip((anomaly_map - self.low) / (self.high - self.low), 0.0, 1.0)
        return np.asarray(unit, dtype=np.float32)


def fit_heat_scale(threshold: float, maps: NDArray[np.float32]) -> HeatScale:
    """0, the level of normal pixels, to 2 x threshold, which puts the threshold at mid-scale.

    A threshold of 0 or below leaves no such range: the least and the greatest value of `maps` are taken then.
    """
    if threshold > 0:
        return HeatScale(0.0, 2.0 * threshold)
    low, high = float(maps.min()), float(maps.max())
    return HeatScale(low, high if high > low else low + 1.0)


def overlay_heat_map(
    image: NDArray[np.uint8], anomaly_map: NDArray[np.float32], scale: HeatScale, opacity: float = _OPACITY
) -> NDArray[np.uint8]:
    """Lay the coloured map (H, W) over the image; both and the result are RGB uint8 (H, W, 3).

    `opacity` in [0, 1]: 0 shows the image alone, 1 the map alone. Raises MetricError when the sizes differ, or
    `opacity` is outside [0, 1].
    """
    if image.shape != (*anomaly_map.shape, 3):
        raise MetricError(
            f"Expected an image (H, W, 3) and a map (H, W) of the same size, got {image.shape} and "
            f"{anomaly_map.shape}: resize the map to the image."
        )
    if not 0.0 <= opacity <= 1.0:
        raise MetricError(f"Expected an opacity in [0, 1], got {opacity}.")
    blend = np.empty_like(image)
    for band in cut_bands(len(image)):
        blend[band] = blend_images(image[band], colour_map(scale.apply(anomaly_map[band])), opacity)
    return blend


@dataclass(frozen=True)
class HeatMap:
    """What is drawn of a map; at an image's size are the marks alone, a byte a pixel."""

    anomaly_map: NDArray[np.float32]  # (h, w), of any size
    scale: HeatScale
    marks: NDArray[np.bool_]  # (H, W) of the image, what `mark_defects` marks

    def lay_over(self, image: NDArray[np.uint8]) -> None:
        """Draw into an RGB uint8 image (H, W, 3): the colours, and a white line around the marks.

        Raises MetricError when the image has another size than the marks.
        """
        if image.shape[:2] != self.marks.shape:
            raise MetricError(
                f"Expected an image of size {self.marks.shape}, got {image.shape[:2]}: fit it to the image."
            )
        for band, values in resize_bands(self.anomaly_map, *self.marks.shape):
            image[band] = blend_images(image[band], colour_map(self.scale.apply(values)), _OPACITY)
        if self.marks.any():
            draw_outline(image, self.marks, _WHITE, max(1, round(max(image.shape) * _LINE_PER_PX)))


def fit_heat_map(anomaly_map: NDArray[np.float32], threshold: float, size: tuple[int, int]) -> HeatMap:
    """Return a map (h, w) of any size as a heat map for an image of `size`, height and width in px."""
    return HeatMap(anomaly_map, fit_heat_scale(threshold, anomaly_map), mark_resized(anomaly_map, threshold, size))


def draw_heat_map(image: NDArray[np.uint8], anomaly_map: NDArray[np.float32], threshold: float) -> NDArray[np.uint8]:
    """Return an RGB uint8 image (H, W, 3) with a map (h, w) of any size laid over it, see `HeatMap`."""
    drawn = image.copy()
    fit_heat_map(anomaly_map, threshold, (image.shape[0], image.shape[1])).lay_over(drawn)
    return drawn
