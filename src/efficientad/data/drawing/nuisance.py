"""What varies from image to image though the product is good: light, optics, sensor."""

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from efficientad.data.drawing.shapes import SIZE, Array


@dataclass(frozen=True)
class Exposure:
    """One shot: (SIZE, SIZE, 3) light that multiplies a scene, blur in px, noise of the sensor."""

    light: Array
    blur: float
    read_noise: float
    shot_noise: float
    grain: Array


def draw_exposure(rng: np.random.Generator) -> Exposure:
    """Draw light (level, gradient, vignette, colour temperature), blur and noise of one shot."""
    level, warmth = rng.uniform(0.88, 1.1), rng.uniform(-0.035, 0.035)
    slope, direction = rng.uniform(0.0, 0.14), rng.uniform(0.0, 2 * math.pi)
    vignette = rng.uniform(0.02, 0.10)
    y, x = (np.mgrid[0:SIZE, 0:SIZE] - (SIZE - 1) / 2) / (SIZE / 2)
    field = 1 + slope * (math.cos(direction) * x + math.sin(direction) * y) - vignette * (x * x + y * y)
    return Exposure(
        light=level * field[..., None] * np.array([1 + warmth, 1.0, 1 - warmth]),
        blur=rng.uniform(0.4, 0.85),
        read_noise=rng.uniform(0.004, 0.008),
        shot_noise=rng.uniform(0.008, 0.016),
        grain=rng.standard_normal((SIZE, SIZE, 3)),
    )


def project(scene: Array, exposure: Exposure) -> Array:
    """Return the noise-free image in [0, 1]: the lit scene through the blur of the lens."""
    lit = scene * exposure.light
    blurred = ndimage.gaussian_filter(lit, (exposure.blur, exposure.blur, 0), truncate=3.5, mode="nearest")
    return np.asarray(np.clip(blurred, 0.0, 1.0), np.float64)


def digitise(image: Array, exposure: Exposure) -> Array:
    """Return (SIZE, SIZE, 3) uint8-valued levels: read noise, shot noise growing with light, rounding."""
    spread = np.sqrt(exposure.read_noise**2 + exposure.shot_noise**2 * image)
    return np.round(255 * np.clip(image + spread * exposure.grain, 0.0, 1.0))


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], scale: float) -> Array:
    """Return band-limited noise of mean 0 and deviation 1, with structures about `scale` px wide."""
    step = max(1, round(scale / 2))
    coarse = rng.standard_normal((shape[0] // step + 4, shape[1] // step + 4))
    coarse = ndimage.gaussian_filter(coarse, scale / step / 2, mode="wrap")
    fine = ndimage.zoom(coarse, step, order=1)[: shape[0], : shape[1]] if step > 1 else coarse
    fine = fine[: shape[0], : shape[1]]
    return np.asarray((fine - fine.mean()) / fine.std(), np.float64)
