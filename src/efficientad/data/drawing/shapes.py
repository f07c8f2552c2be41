"""Flat shapes as signed distances, painted with anti-aliased edges onto a float64 canvas.

A signed distance is negative inside, in px. Its coverage of a pixel is taken as the clipped linear ramp of
one pixel's width, which is exact for straight edges along an axis (Quilez, "2D distance functions",
https://iquilezles.org/articles/distfunctions2d/).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SIZE = 320
Array = NDArray[np.float64]
Point = tuple[float, float]


class Shape(Protocol):
    """Anything that knows its distance and the circle (x, y, radius) around it."""

    def distance(self, x: Array, y: Array) -> Array:
        """Return the signed distance in px at points of equal shape."""

    def circle(self) -> tuple[float, float, float]:
        """Return centre and radius of a circle that holds the shape."""


@dataclass(frozen=True)
class Pose:
    """Where the product lies: its centre in px from the image's centre, turned by `angle` rad."""

    dx: float = 0.0
    dy: float = 0.0
    angle: float = 0.0

    def to_image(self, x: float, y: float) -> Point:
        """Return image coordinates (column, row) of a point given in the product's frame."""
        cos, sin, half = math.cos(self.angle), math.sin(self.angle), (SIZE - 1) / 2
        return cos * x - sin * y + self.dx + half, sin * x + cos * y + self.dy + half

    def to_product(self, columns: Array, rows: Array) -> tuple[Array, Array]:
        """Return the product's (x, y) of image coordinates; the inverse of `to_image`."""
        cos, sin, half = math.cos(self.angle), math.sin(self.angle), (SIZE - 1) / 2
        x, y = columns - self.dx - half, rows - self.dy - half
        return cos * x + sin * y, cos * y - sin * x


@dataclass(frozen=True)
class Disc:
    """A full circle."""

    x: float
    y: float
    radius: float

    def distance(self, x: Array, y: Array) -> Array:
        """Return the signed distance."""
        return np.hypot(x - self.x, y - self.y) - self.radius

    def circle(self) -> tuple[float, float, float]:
        """Return the circle itself."""
        return self.x, self.y, self.radius


@dataclass(frozen=True)
class Box:
    """A rectangle of half sizes (half_x, half_y), turned by `angle` rad, with rounded corners."""

    x: float
    y: float
    half_x: float
    half_y: float
    angle: float = 0.0
    corner: float = 0.0

    def distance(self, x: Array, y: Array) -> Array:
        """Return the signed distance."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        u = np.abs(cos * (x - self.x) + sin * (y - self.y)) - self.half_x + self.corner
        v = np.abs(cos * (y - self.y) - sin * (x - self.x)) - self.half_y + self.corner
        outside = np.hypot(np.maximum(u, 0), np.maximum(v, 0))
        return outside + np.minimum(np.maximum(u, v), 0) - self.corner

    def circle(self) -> tuple[float, float, float]:
        """Return the circle through the corners."""
        return self.x, self.y, math.hypot(self.half_x, self.half_y)


@dataclass(frozen=True)
class Path:
    """A line of round pen strokes through points; `width` is its full width."""

    points: Sequence[Point]
    width: float

    def distance(self, x: Array, y: Array) -> Array:
        """Return the signed distance to the nearest stroke."""
        nearest = np.full(x.shape, np.inf)
        for (ax, ay), (bx, by) in zip(self.points, self.points[1:], strict=False):
            dx, dy = bx - ax, by - ay
            along = np.clip(((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-12), 0, 1)
            nearest = np.minimum(nearest, np.hypot(x - ax - along * dx, y - ay - along * dy))
        return nearest - self.width / 2

    def circle(self) -> tuple[float, float, float]:
        """Return a circle around the points' bounding box."""
        xs, ys = [x for x, _ in self.points], [y for _, y in self.points]
        x, y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
        return x, y, math.hypot(max(xs) - x, max(ys) - y) + self.width / 2


class Canvas:
    """A (SIZE, SIZE, 3) float64 RGB image in [0, 1] on which shapes of one product's frame are painted."""

    def __init__(self, image: Array, pose: Pose) -> None:
        self.image = image
        self.pose = pose

    def paint(self, shape: Shape, colour: Array | Sequence[float], opacity: float = 1.0, softness: float = 1.0) -> None:
        """Blend a colour, (3,) or a (SIZE, SIZE, 3) texture, over the shape.

        `softness` is the width of the edge in px.
        """
        window = self._surroundings(shape, softness)
        if window[0].start >= window[0].stop or window[1].start >= window[1].stop:
            return
        coverage = opacity * cover(shape.distance(*self.frame(window)), softness)[..., None]
        paint = np.asarray(colour, np.float64)
        self.image[window] += coverage * ((paint if paint.ndim == 1 else paint[window]) - self.image[window])

    def frame(self, window: tuple[slice, slice] = (slice(0, SIZE), slice(0, SIZE))) -> tuple[Array, Array]:
        """Return the product's coordinates (x, y) of the pixels in a window."""
        rows = np.arange(window[0].start, window[0].stop, dtype=np.float64)[:, None]
        columns = np.arange(window[1].start, window[1].stop, dtype=np.float64)[None, :]
        return self.pose.to_product(columns, rows)

    def _surroundings(self, shape: Shape, softness: float) -> tuple[slice, slice]:
        x, y, radius = shape.circle()
        column, row = self.pose.to_image(x, y)
        reach = radius + softness + 1
        first = [max(0, math.floor(value - reach)) for value in (row, column)]
        last = [min(SIZE, math.ceil(value + reach) + 1) for value in (row, column)]
        return slice(first[0], last[0]), slice(first[1], last[1])


def cover(distance: Array, softness: float = 1.0) -> Array:
    """Return the coverage in [0, 1] of each pixel by a shape, from its signed distance."""
    return np.clip(0.5 - distance / softness, 0.0, 1.0)
