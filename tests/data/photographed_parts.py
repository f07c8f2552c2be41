"""Synthetic parts photographed several times: at other exposures, cropped anew, under other names."""

import numpy as np
from scipy import ndimage

SIDE = 160
Image = np.ndarray


def draw_surface(rng: np.random.Generator, common: np.ndarray | None = None, share: float = 0.0) -> np.ndarray:
    """A part's surface, (SIDE, SIDE) of mean 0 and deviation 1: structures of its own, and `share` of a common one."""
    noise = rng.standard_normal((SIDE, SIDE))
    own = sum(ndimage.gaussian_filter(noise, scale) * scale for scale in (1.5, 4.0))
    own = own / own.std()
    return own if common is None else np.sqrt(1 - share) * own + np.sqrt(share) * common


def photograph(surface: np.ndarray, rng: np.random.Generator, exposure: float) -> Image:
    """(150, 150, 3) uint8 or a little less: gain, gamma, shading, noise, and a crop that is not the same twice."""
    y, x = np.mgrid[0:SIDE, 0:SIDE] / SIDE
    shading = 0.3 * x * rng.uniform(-1, 1) + 0.3 * y * rng.uniform(-1, 1)
    level = np.clip(0.45 + 0.08 * surface + shading, 0.02, 1) ** rng.uniform(0.8, 1.3)
    grey = 255 * exposure * level + rng.standard_normal(level.shape)
    top, left = rng.integers(0, 5, 2)
    height, width = SIDE - 10 + rng.integers(-2, 3, 2)
    cropped = grey[top : top + height, left : left + width]
    return np.repeat(np.clip(np.round(cropped), 0, 255).astype(np.uint8)[..., None], 3, axis=-1)


def photograph_parts(
    parts: int, exposures: list[float], seed: int, share: float = 0.0
) -> tuple[list[Image], list[int]]:
    """Images of each part at each exposure, in a random order, and the number of the part that each shows."""
    rng = np.random.default_rng(seed)
    common = draw_surface(rng)
    shots = []
    for part in range(parts):
        surface = draw_surface(rng, common, share)
        shots += [(photograph(surface, rng, exposure), part) for exposure in exposures]
    order = rng.permutation(len(shots))
    return [shots[index][0] for index in order], [shots[index][1] for index in order]
