"""A woven cloth: blue warp over a light weft in a twill of period four."""

import math

import numpy as np

from efficientad.data.datasets.synthetic.scene import Scene
from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.data.drawing.shapes import SIZE, Array, Canvas, Path, Pose, cover

PERIOD_PX = 7.6
WARP = np.array([0.30, 0.40, 0.56])
WEFT = np.array([0.68, 0.69, 0.66])


class _Cloth:
    """One piece of cloth, to be rendered at any thread coordinates."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.pose = Pose(rng.uniform(-8, 8), rng.uniform(-8, 8), rng.normal(0, math.radians(1.2)))
        x, y = Canvas(np.zeros((0, 0, 3)), self.pose).frame()
        self.u = x / PERIOD_PX + 0.10 * smooth_noise(rng, (SIZE, SIZE), 70)
        self.v = y / PERIOD_PX + 0.10 * smooth_noise(rng, (SIZE, SIZE), 70)
        self.warp_tone = 1 + 0.055 * rng.standard_normal(128)
        self.weft_tone = 1 + 0.045 * rng.standard_normal(128)
        self.fuzz = 1 + 0.035 * smooth_noise(rng, (SIZE, SIZE), 2) + 0.02 * smooth_noise(rng, (SIZE, SIZE), 40)

    def render(self, u: Array, v: Array) -> Array:
        """Return the cloth's colours where thread u of the warp crosses thread v of the weft."""
        column, row = np.floor(u).astype(int), np.floor(v).astype(int)
        across_u, across_v = u - column - 0.5, v - row - 0.5
        warp_above = _thread_is_above(u, v)
        warp = _shade_thread(across_u, across_v) * self.warp_tone[column % 128]
        weft = _shade_thread(across_v, across_u) * self.weft_tone[row % 128]
        colour = warp_above[..., None] * warp[..., None] * WARP
        colour += (1 - warp_above)[..., None] * weft[..., None] * WEFT
        return np.asarray(np.clip(colour * self.fuzz[..., None], 0, 1), np.float64)


def draw_fabric(rng: np.random.Generator) -> Scene:
    """Draw good cloth: shifted by up to 8 px, turned by about a degree, its threads slightly wavy."""
    cloth = _Cloth(rng)
    image = cloth.render(cloth.u, cloth.v)

    def misplace(defect_rng: np.random.Generator) -> Array:
        if defect_rng.random() < 0.5:
            return _lay_thread(image, defect_rng)
        return _snag(cloth, defect_rng)

    return Scene(image, np.ones((SIZE, SIZE)), cloth.pose, misplace)


def _thread_is_above(u: Array, v: Array) -> Array:
    """1 where the warp lies above (a 2/2 twill), soft over a tenth of a thread."""
    phase = np.mod(np.floor(u) + np.floor(v), 4)
    gap = np.minimum(0.5 - np.abs(u - np.floor(u) - 0.5), 0.5 - np.abs(v - np.floor(v) - 0.5))
    return 0.5 + np.where(phase < 2, 0.5, -0.5) * np.clip(gap / 0.1, 0, 1)


def _shade_thread(across: Array, along: Array) -> Array:
    """Brightness of a round thread: dark at its sides and where it dives under the next one."""
    return (0.50 + 0.56 * np.cos(math.pi * across)) * (0.82 + 0.22 * np.cos(math.pi * along))


def _lay_thread(image: Array, rng: np.random.Generator) -> Array:
    """Lay a loose thread of another colour onto the cloth, with its shadow."""
    canvas = Canvas(image.copy(), Pose())
    angle, length, bend = rng.uniform(0, math.pi), rng.uniform(40, 150), rng.uniform(-0.5, 0.5)
    x, y = rng.uniform(-80, 80, 2)
    steps = np.linspace(-0.5, 0.5, 12)
    side = bend * length * (0.25 - steps**2) + 3 * np.sin(9 * steps)
    points = [
        (
            x + length * s * math.cos(angle) - b * math.sin(angle),
            y + length * s * math.sin(angle) + b * math.cos(angle),
        )
        for s, b in zip(steps.tolist(), side.tolist(), strict=True)
    ]
    tones = np.array([[0.72, 0.30, 0.22], [0.12, 0.12, 0.14], [0.90, 0.88, 0.80], [0.42, 0.36, 0.24]])
    colour, width = tones[rng.integers(4)], rng.uniform(2.5, 5.0)
    canvas.paint(Path([(px + 1.5, py + 2) for px, py in points], width), (0.08, 0.09, 0.12), 0.4, 4.0)
    canvas.paint(Path(points, width), 0.8 * colour)
    canvas.paint(Path(points, width * 0.35), np.clip(1.2 * colour, 0, 1), 0.8, 1.5)
    return canvas.image


def _snag(cloth: _Cloth, rng: np.random.Generator) -> Array:
    """Pull the threads of a patch aside, as a hook does: the weave is displaced, nothing is added."""
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    x, y = rng.uniform(50, SIZE - 50, 2)
    radius, angle = rng.uniform(16, 40), rng.uniform(0, 2 * math.pi)
    ratio = rng.uniform(0.45, 1.0)
    along = math.cos(angle) * (columns - x) + math.sin(angle) * (rows - y)
    aside = math.cos(angle) * (rows - y) - math.sin(angle) * (columns - x)
    reach = np.hypot(along, aside / ratio)
    pull = cover(reach - radius * 0.55, radius * 0.9) ** 2 * rng.uniform(0.8, 1.6)
    pulled = cloth.render(cloth.u + pull * math.cos(angle), cloth.v + pull * math.sin(angle))
    return np.asarray(pulled * (1 - 0.12 * np.clip(pull, 0, 1))[..., None], np.float64)
