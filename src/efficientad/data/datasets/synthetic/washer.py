"""A turned metal washer with three holes on a rubber conveyor belt."""

import math
from dataclasses import replace

import numpy as np
from scipy import ndimage

from efficientad.data.datasets.synthetic.scene import Scene
from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.data.drawing.shapes import SIZE, Array, Box, Canvas, Disc, Pose, cover

OUTER_PX, INNER_PX, HOLE_PX, HOLE_CIRCLE_PX, CHAMFER_PX = 118.0, 52.0, 9.0, 86.0, 5.0
BELT = np.array([0.17, 0.20, 0.21])
STEEL = np.array([0.66, 0.67, 0.69])
SHADOW = (0.05, 0.05, 0.05)


def draw_washer(rng: np.random.Generator) -> Scene:
    """Draw a good washer: any rotation, shifted by up to 9 px, on a new piece of belt."""
    pose = Pose(rng.uniform(-9, 9), rng.uniform(-9, 9), rng.uniform(-math.pi, math.pi))
    image = _draw_belt(rng)
    canvas = Canvas(image, pose)
    x, y = canvas.frame()
    distance = _ring_distance(x, y)
    shadow = cover(ndimage.shift(distance, (5, 4), order=1, mode="nearest") - 2, 12.0)
    image *= 1 - 0.55 * shadow[..., None]
    surface = cover(distance)
    steel = _shade_steel(rng, x, y, distance, pose.angle)
    image += surface[..., None] * (steel - image)

    def misplace(defect_rng: np.random.Generator) -> Array:
        return _drop_part(image, steel, pose, defect_rng)

    return Scene(image, surface, pose, misplace)


def _ring_distance(x: Array, y: Array) -> Array:
    """Signed distance of the ring without its holes."""
    radius = np.hypot(x, y)
    distance = np.maximum(radius - OUTER_PX, INNER_PX - radius)
    for k in range(3):
        angle = 2 * math.pi * k / 3
        hole = Disc(HOLE_CIRCLE_PX * math.cos(angle), HOLE_CIRCLE_PX * math.sin(angle), HOLE_PX)
        distance = np.maximum(distance, -hole.distance(x, y))
    return distance


def _shade_steel(rng: np.random.Generator, x: Array, y: Array, distance: Array, turn: float) -> Array:
    """Turned steel: grooves along the circle, the two light fans they cause, bright and dark chamfers."""
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    grooves = ndimage.gaussian_filter(rng.standard_normal((150, 720)), (0.7, 16), mode="wrap")
    rows, columns = radius, (angle + math.pi) * (720 / (2 * math.pi))
    streaks = ndimage.map_coordinates(grooves / grooves.std(), np.stack([rows, columns]), order=1, mode="grid-wrap")
    lamp = math.radians(-55) + rng.normal(0, 0.05) - turn  # the lamp stands still while the part turns
    fans = np.cos(angle - lamp) ** 2
    shade = 0.80 + 0.26 * fans**3 + 0.040 * streaks
    edge = np.clip(1 + distance / CHAMFER_PX, 0, 1)
    facing = np.cos(angle - lamp) * np.where(radius > (OUTER_PX + INNER_PX) / 2, 1, -1)
    shade = shade + edge * (0.10 + 0.22 * facing) - 0.25 * np.clip(1 + distance, 0, 1)
    return np.asarray(np.clip(shade[..., None] * STEEL, 0, 1), np.float64)


def _draw_belt(rng: np.random.Generator) -> Array:
    """Rubber with a diagonal rib and wear."""
    y, x = np.mgrid[0:SIZE, 0:SIZE]
    ribs = np.cos((x * 0.8 + y * 0.6) * (2 * math.pi / 11) + rng.uniform(0, 2 * math.pi))
    wear = smooth_noise(rng, (SIZE, SIZE), 24)
    grain = smooth_noise(rng, (SIZE, SIZE), 2)
    return np.asarray(np.clip((1 + 0.07 * ribs + 0.07 * wear + 0.09 * grain)[..., None] * BELT, 0, 1), np.float64)


def _drop_part(image: Array, steel: Array, pose: Pose, rng: np.random.Generator) -> Array:
    """Lay a foreign part onto the ring: a small washer, a cut pin or a chip of metal."""
    canvas = Canvas(image.copy(), pose)
    angle, radius = rng.uniform(-math.pi, math.pi), rng.uniform(INNER_PX + 6, OUTER_PX - 4)
    x, y, turn = radius * math.cos(angle), radius * math.sin(angle), rng.uniform(0, math.pi)
    colour = rng.uniform(0.20, 0.46) * np.array([1.0, rng.uniform(0.84, 1.0), rng.uniform(0.62, 1.0)])
    kind = rng.integers(3)
    if kind == 0:
        size = rng.uniform(8, 16)
        canvas.paint(Disc(x + 2, y + 2, size), SHADOW, opacity=0.5, softness=6.0)
        canvas.paint(Disc(x, y, size), colour)
        canvas.paint(Disc(x, y, size * 0.75), colour * 1.3, opacity=0.7, softness=3.0)
        canvas.paint(Disc(x, y, size * 0.5), steel * 0.6)
        return canvas.image
    half = (rng.uniform(14, 30), rng.uniform(3, 5)) if kind == 1 else (rng.uniform(6, 12), rng.uniform(5, 9))
    body = Box(x, y, *half, turn, 1.5)
    canvas.paint(replace(body, x=x + 2, y=y + 2), SHADOW, opacity=0.5, softness=6.0)
    canvas.paint(body, colour)
    canvas.paint(Box(x, y, half[0] * 0.8, half[1] * 0.35, turn), colour * 1.8, opacity=0.8, softness=3.0)
    return canvas.image
