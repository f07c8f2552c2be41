"""Scratches, contamination and misplaced parts, drawn onto a good scene."""

import math
from typing import Literal, get_args

import numpy as np

from efficientad.data.datasets.synthetic.scene import Scene, pick_point
from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.data.drawing.shapes import SIZE, Array, Path, cover

Defect = Literal["scratch", "contamination", "misplaced"]
DEFECTS: tuple[Defect, ...] = get_args(Defect)
STAINS = np.array([[0.06, 0.05, 0.04], [0.42, 0.25, 0.11], [0.88, 0.87, 0.82], [0.30, 0.29, 0.22]])


def draw_defect(scene: Scene, defect: Defect, rng: np.random.Generator, strength: float = 1.0) -> Array:
    """Return the scene's image (SIZE, SIZE, 3) with one defect; `strength` multiplies its contrast."""
    if defect == "scratch":
        return _draw_scratch(scene, rng, strength)
    if defect == "contamination":
        return _draw_contamination(scene, rng, strength)
    return scene.misplace(rng)


def _draw_scratch(scene: Scene, rng: np.random.Generator, strength: float) -> Array:
    """A thin curved line, brighter or darker than its ground, fading at both ends."""
    x, y = pick_point(rng, scene.surface)
    angle, length = rng.uniform(0, 2 * math.pi), rng.uniform(22, 130)
    curve, wobble = rng.normal(0, 0.9), rng.uniform(0, 0.02) * length
    steps = np.linspace(-0.5, 0.5, 14)
    heading = angle + curve * steps
    px = x + np.cumsum(np.cos(heading)) * length / 14
    py = y + np.cumsum(np.sin(heading)) * length / 14 + wobble * np.sin(11 * steps)
    px, py = px - px[7] + x, py - py[7] + y
    width, contrast = rng.uniform(1.0, 3.2), rng.uniform(0.13, 0.55) * strength
    sign = rng.choice([-1.0, 1.0])
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    window = _window(px, py, margin=8)
    columns, rows = columns[window], rows[window]
    line = cover(Path(list(zip(px.tolist(), py.tolist(), strict=True)), width).distance(columns, rows), 1.6)
    fade = np.clip(1.15 - 2 * np.hypot(columns - x, rows - y) / length * 0.6, 0.35, 1)
    groove = sign * contrast * (line * fade * scene.surface[window])[..., None]
    image = scene.image.copy()
    ground = image[window].mean(axis=-1, keepdims=True)
    image[window] += groove * (0.25 + 0.75 * (ground if sign < 0 else 1 - 0.4 * ground))
    return np.clip(image, 0, 1)


def _draw_contamination(scene: Scene, rng: np.random.Generator, strength: float) -> Array:
    """One to five irregular spots of one substance: oil, rust, dust or dirt."""
    x, y = pick_point(rng, scene.surface)
    image = scene.image.copy()
    stain, opacity = STAINS[rng.integers(len(STAINS))], min(1.0, rng.uniform(0.22, 0.85) * strength)
    largest, edge = rng.uniform(4.0, 20.0), rng.uniform(1.2, 5.0)
    rough = smooth_noise(rng, (SIZE, SIZE), rng.uniform(6, 12))
    mottle = np.clip(1 + 0.15 * smooth_noise(rng, (SIZE, SIZE), 5), 0.5, 1.5)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    amount = np.zeros((SIZE, SIZE))
    for spot in range(int(rng.integers(1, 6))):
        radius = largest if spot == 0 else largest * rng.uniform(0.15, 0.5)
        away = 0.0 if spot == 0 else largest + rng.uniform(2, 22)
        around = rng.uniform(0, 2 * math.pi)
        dx, dy = columns - x - away * math.cos(around), rows - y - away * math.sin(around)
        distance = np.hypot(dx, dy) - radius + 0.28 * radius * rough
        amount = np.maximum(amount, cover(distance, edge))
    amount = np.clip(opacity * amount * mottle * scene.surface, 0, 1)[..., None]
    return np.asarray(image + amount * (stain - image), np.float64)


def _window(xs: Array, ys: Array, margin: float) -> tuple[slice, slice]:
    """Return the rows and columns around points, cut at the image's border."""
    rows = slice(max(0, int(ys.min() - margin)), max(0, min(SIZE, int(ys.max() + margin))))
    columns = slice(max(0, int(xs.min() - margin)), max(0, min(SIZE, int(xs.max() + margin))))
    return rows, columns
