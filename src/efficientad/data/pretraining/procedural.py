"""Images made of noise with the statistics of photographs; no file, no download.

Three families and their mix, each (512, 512, 3) float64 in [0, 1]:
- dead leaves: opaque discs and polygons of all sizes that hide one another, whose areas follow a power law
  (Lee, Mumford, Huang, "Occlusion models for natural images", IJCV 41, 2001; as training images: Baradad
  et al., "Learning to see by looking at noise", NeurIPS 2021);
- spectra that fall as 1 / f^a (Field, "Relations between the statistics of natural images ...", JOSA A 4,
  1987; van der Schaaf, van Hateren, "Modelling the power spectra of natural images", Vision Res. 36, 1996);
- turbulence summed over octaves (Perlin, "An image synthesizer", SIGGRAPH 1985; as training images:
  Kataoka et al., "Pre-training without natural images", ACCV 2020).
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Array = NDArray[np.float64]
SIZE = 512


def draw_procedural(rng: np.random.Generator) -> Array:
    """Draw an image of one of the families, each with the same probability."""
    drawings: tuple[Callable[[np.random.Generator], Array], ...] = (
        draw_dead_leaves,
        draw_spectrum,
        draw_turbulence,
        draw_textured_leaves,
    )
    return drawings[int(rng.integers(len(drawings)))](rng)


def draw_spectrum(rng: np.random.Generator, exponent: float | None = None) -> Array:
    """Draw coloured noise whose amplitude falls as 1 / f^exponent (0.8..1.6 when not given)."""
    fall = rng.uniform(0.8, 1.6) if exponent is None else exponent
    planes = np.stack([make_spectral_plane(rng, fall) for _ in range(3)], axis=-1)
    return _colour(rng, planes)


def make_spectral_plane(rng: np.random.Generator, exponent: float) -> Array:
    """Return a (512, 512) plane of mean 0 and deviation 1 with amplitudes 1 / f^exponent, random phases."""
    rows, columns = np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None, :]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE))) / frequency**exponent
    plane = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return np.asarray(plane / plane.std(), np.float64)


def draw_turbulence(rng: np.random.Generator) -> Array:
    """Draw marble, clouds or folds: octaves of smooth noise, their absolute values, or a sine of them."""
    kind, first = rng.integers(3), int(rng.integers(1, 4))
    gain = rng.uniform(0.4, 0.7)
    planes = np.zeros((SIZE, SIZE))
    for octave in range(first, 8):
        noise = _smooth_lattice(rng, 2**octave)
        planes += gain ** (octave - first) * (np.abs(noise) if kind == 1 else noise)
    if kind == 2:
        angle, waves = rng.uniform(0, math.pi), rng.uniform(2, 14)
        y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
        planes = np.sin(2 * math.pi * waves * (x * math.cos(angle) + y * math.sin(angle)) + 2 * planes)
    level = (planes - planes.min()) / np.ptp(planes)
    return _paint_gradient(rng, level)


def draw_dead_leaves(rng: np.random.Generator) -> Array:
    """Draw leaves of one colour each, the colours taken from a palette of a few hues."""
    labels, count = make_leaves(rng)
    return _palette(rng, count)[labels]


def draw_textured_leaves(rng: np.random.Generator) -> Array:
    """Draw dead leaves, each filled with a piece of one of two textures, in its own colour."""
    labels, count = make_leaves(rng)
    textures = np.stack([make_spectral_plane(rng, rng.uniform(0.5, 1.3)), _smooth_lattice(rng, 64)])
    which, contrast = rng.integers(2, size=count), rng.uniform(0.0, 0.14, count)
    shade = np.where(which[labels] == 0, textures[0], textures[1]) * contrast[labels]
    return np.asarray(np.clip(_palette(rng, count)[labels] + shade[..., None], 0, 1), np.float64)


def make_leaves(rng: np.random.Generator) -> tuple[NDArray[np.intp], int]:
    """Return (512, 512) numbers of the leaf seen at each pixel, and how many leaves there are.

    Radii r between 8 and 160 px have the density r^-3, which makes the image alike at every scale. A later
    leaf hides the earlier ones; half of the images have discs, half polygons of 3 to 6 corners.
    """
    count = int(rng.integers(1500, 2600))
    low, high = 8.0**-2, 160.0**-2
    radii = (low - rng.uniform(0, 1, count) * (low - high)) ** -0.5
    centres = rng.uniform(-40, SIZE + 40, (count, 2))
    turns, corners = rng.uniform(0, 2 * math.pi, count), rng.integers(3, 7, count)
    is_polygon = rng.random() < 0.5
    labels = np.zeros((SIZE, SIZE), np.intp)
    for leaf in range(count):
        radius, (x, y) = radii[leaf], centres[leaf]
        top, left = max(0, int(y - radius)), max(0, int(x - radius))
        bottom, right = min(SIZE, int(y + radius) + 2), min(SIZE, int(x + radius) + 2)
        if top >= bottom or left >= right:
            continue
        dy, dx = np.arange(top, bottom)[:, None] - y, np.arange(left, right)[None, :] - x
        inside = dx * dx + dy * dy < radius * radius
        if is_polygon:
            inside &= _inside_polygon(dx, dy, radius, int(corners[leaf]), turns[leaf])
        labels[top:bottom, left:right][inside] = leaf
    return labels, count


def _inside_polygon(dx: Array, dy: Array, radius: float, corners: int, turn: float) -> NDArray[np.bool_]:
    inside = np.ones(np.broadcast_shapes(dx.shape, dy.shape), np.bool_)
    for side in range(corners):
        angle = turn + 2 * math.pi * side / corners
        inside &= dx * math.cos(angle) + dy * math.sin(angle) < radius * math.cos(math.pi / corners)
    return inside


def _smooth_lattice(rng: np.random.Generator, cells: int) -> Array:
    """Return (512, 512) noise on a lattice of `cells` a side, smooth in between."""
    lattice = rng.standard_normal((cells + 1, cells + 1))
    steps = np.linspace(0, cells, SIZE, endpoint=False)
    index, inner = np.floor(steps).astype(int), steps % 1
    ease = inner * inner * (3 - 2 * inner)
    rows = lattice[index] * (1 - ease[:, None]) + lattice[index + 1] * ease[:, None]
    return np.asarray(rows[:, index] * (1 - ease) + rows[:, index + 1] * ease, np.float64)


def _palette(rng: np.random.Generator, count: int) -> Array:
    """Return (count, 3) colours scattered around a few main ones, with brightness varying most."""
    main = _draw_colours(rng, int(rng.integers(3, 8)))
    colours = main[rng.integers(len(main), size=count)] + rng.normal(0, 0.14, (count, 1))
    return np.asarray(np.clip(colours + rng.normal(0, 0.04, (count, 3)), 0, 1), np.float64)


def _draw_colours(rng: np.random.Generator, count: int) -> Array:
    """Return (count, 3) random colours, from nearly grey to vivid."""
    colours = rng.uniform(0.05, 0.95, (count, 3))
    grey = colours.mean(axis=1, keepdims=True)
    return np.asarray(grey + rng.uniform(0.1, 1.0) * (colours - grey), np.float64)


def _colour(rng: np.random.Generator, planes: Array) -> Array:
    """Mix three independent planes so that they share most of their variance, as colour channels do."""
    shared = rng.uniform(0.6, 0.95)
    mixed = shared * planes[..., :1] + math.sqrt(1 - shared**2) * planes
    mean, contrast = rng.uniform(0.3, 0.7, 3), rng.uniform(0.10, 0.24)
    return np.asarray(np.clip(mean + contrast * mixed, 0, 1), np.float64)


def _paint_gradient(rng: np.random.Generator, level: Array) -> Array:
    """Paint a (512, 512) level in [0, 1] with a ramp through a few random colours."""
    stops = _draw_colours(rng, int(rng.integers(2, 6)))
    places = np.linspace(0, 1, len(stops))
    image = np.stack([np.interp(level, places, stops[:, c]) for c in range(3)], axis=-1)
    return np.asarray(ndimage.gaussian_filter(image, (0.5, 0.5, 0)), np.float64)
