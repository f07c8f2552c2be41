"""A populated circuit board: solder mask, traces, vias, pads, one controller and small parts."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from efficientad.data.datasets.synthetic.scene import Scene
from efficientad.data.drawing.nuisance import smooth_noise
from efficientad.data.drawing.shapes import SIZE, Array, Box, Canvas, Disc, Path, Pose

MASK_GREEN = np.array([0.07, 0.30, 0.19])
COPPER_UNDER_MASK = np.array([0.12, 0.42, 0.25])
TIN, SILK = np.array([0.74, 0.74, 0.71]), np.array([0.86, 0.88, 0.84])
BODIES = {"resistor": (0.10, 0.10, 0.11), "capacitor": (0.62, 0.48, 0.33), "diode": (0.20, 0.17, 0.16)}
CONTROLLER_X, CONTROLLER_Y, CONTROLLER_HALF, LEGS = -34.0, -22.0, 44.0, 9


@dataclass(frozen=True)
class Part:
    """A two-pole part: `kind`, centre and half length and width in px, turned by `angle` rad."""

    kind: str
    x: float
    y: float
    half: float
    angle: float = 0.0
    present: bool = True


QUARTER = math.pi / 2
PARTS = (
    Part("resistor", 70, -120, 15), Part("resistor", 70, -96, 15), Part("capacitor", 72, -64, 18),
    Part("capacitor", 122, -60, 17, QUARTER), Part("resistor", 62, -22, 14, QUARTER),
    Part("resistor", 88, -22, 14, QUARTER), Part("diode", 124, 2, 20, QUARTER),
    Part("capacitor", -122, 66, 17, QUARTER), Part("resistor", -92, 68, 15, QUARTER),
    Part("resistor", -62, 68, 15, QUARTER), Part("diode", -14, 72, 20), Part("resistor", 42, 62, 15),
    Part("capacitor", 96, 66, 18), Part("resistor", -34, 116, 15), Part("resistor", 22, 118, 15),
    Part("capacitor", 86, 114, 18), Part("resistor", -118, -118, 15), Part("capacitor", -66, -118, 17),
)  # fmt: skip
TRACES: tuple[tuple[tuple[float, float], ...], ...] = (
    ((18, -54), (34, -54), (54, -96)), ((18, -46), (40, -46), (56, -64)), ((18, -22), (36, -22), (62, -8)),
    ((18, -6), (40, -6), (62, -36)), ((-2, 30), (-2, 46), (28, 62)), ((-26, 30), (-26, 60), (-34, 72)),
    ((-50, 30), (-50, 44), (-62, 54)), ((-66, 30), (-66, 40), (-92, 54)), ((-86, -6), (-104, 12), (-122, 50)),
    ((-86, -46), (-120, -80), (-120, -106)), ((-50, -74), (-50, -104)), ((-18, -74), (0, -96), (56, -120)),
    ((86, -120), (112, -120), (122, -108), (122, -76)), ((88, -8), (104, 8), (104, 40), (80, 66)),
    ((6, 72), (14, 80), (14, 100), (6, 118)), ((-122, 84), (-104, 112), (-50, 116)), ((-18, 116), (8, 118)),
    ((38, 118), (70, 114)), ((112, 66), (126, 80), (126, 104), (104, 114)),
    ((124, 22), (140, 40), (140, 130)), ((-140, -140), (-140, 40), (-122, 50)),
    ((90, -64), (106, -44), (122, -44)),
)  # fmt: skip
VIAS = (
    (-140, -40), (-104, 12), (34, -54), (14, 90), (140, 100), (-50, 44), (112, -120), (-100, -84),
    (44, 30), (52, 92), (-140, 120), (140, -130), (-78, 100), (62, 134), (-4, 138), (30, -132),
)  # fmt: skip


def draw_circuit(rng: np.random.Generator) -> Scene:
    """Draw a good board: the same layout in each image, shifted by up to 4 px, turned by about a degree.

    Parts sit within the placement tolerance: about half a pixel and one degree.
    """
    pose = Pose(rng.uniform(-4, 4), rng.uniform(-4, 4), rng.normal(0, math.radians(0.8)))
    bare = Canvas(_draw_laminate(rng), pose)
    _draw_copper(bare)
    _draw_controller(bare)
    parts = [_jitter(part, rng) for part in PARTS]
    tones = rng.normal(1.0, 0.06, len(parts)).tolist()
    image = _place_parts(bare, parts, tones)

    def misplace(defect_rng: np.random.Generator) -> Array:
        index = int(defect_rng.integers(len(parts)))
        moved = [*parts[:index], _displace(parts[index], defect_rng), *parts[index + 1 :]]
        return _place_parts(bare, moved, tones)

    return Scene(image, np.ones((SIZE, SIZE)), pose, misplace)


def _jitter(part: Part, rng: np.random.Generator) -> Part:
    dx, dy, turn = rng.normal(0, 1, 3).tolist()
    return replace(part, x=part.x + 0.5 * dx, y=part.y + 0.5 * dy, angle=part.angle + math.radians(turn))


def _displace(part: Part, rng: np.random.Generator) -> Part:
    """Shift, turn or leave out one part; the smallest shift is 4 px, the smallest turn 12 degrees."""
    kind, way = rng.integers(4), rng.uniform(0, 2 * math.pi)
    if kind == 0:
        return replace(part, present=False)
    if kind == 1:
        return replace(part, angle=part.angle + math.radians(rng.choice([-1, 1]) * rng.uniform(12, 60)))
    shift = rng.uniform(4, 14)
    turn = math.radians(rng.uniform(-20, 20)) if kind == 2 else 0.0
    x, y = part.x + shift * math.cos(way), part.y + shift * math.sin(way)
    return replace(part, x=x, y=y, angle=part.angle + turn)


def _draw_laminate(rng: np.random.Generator) -> Array:
    """Solder mask over glass weave: faint, different on every board."""
    weave = smooth_noise(rng, (SIZE, SIZE), 3)
    cloud = smooth_noise(rng, (SIZE, SIZE), 60)
    return np.asarray(np.clip((1 + 0.05 * weave + 0.04 * cloud)[..., None] * MASK_GREEN, 0, 1), np.float64)


def _draw_copper(canvas: Canvas) -> None:
    """Traces and vias, the pads and the legend of every part; they are etched, so they never move."""
    for trace in TRACES:
        canvas.paint(Path(trace, 4.0), COPPER_UNDER_MASK)
    for x, y in VIAS:
        canvas.paint(Disc(x, y, 5.0), TIN * 0.85)
        canvas.paint(Disc(x, y, 2.4), (0.05, 0.07, 0.06))
    for part in PARTS:
        frame = Box(part.x, part.y, part.half + 9, part.half * 0.5 + 6, part.angle, 1)
        canvas.paint(frame, SILK, 0.65)
        canvas.paint(replace(frame, half_x=frame.half_x - 1.4, half_y=frame.half_y - 1.4), MASK_GREEN)
        for end in (-1, 1):
            canvas.paint(_at_end(part, end, part.half, 5.5, part.half * 0.5 + 2.5), TIN)
    for turn in range(4):
        for leg in range(LEGS):
            canvas.paint(_controller_leg(turn, leg, reach=9.5, half_width=2.6), TIN)


def _place_parts(bare: Canvas, parts: Sequence[Part], tones: Sequence[float]) -> Array:
    """Return an image of the board with the parts soldered on."""
    canvas = Canvas(bare.image.copy(), bare.pose)
    for part, tone in zip(parts, tones, strict=True):
        if part.present:
            _draw_part(canvas, part, tone)
    return canvas.image


def _draw_part(canvas: Canvas, part: Part, tone: float) -> None:
    body = Box(part.x, part.y, part.half, part.half * 0.5, part.angle, 1.0)
    colour = tone * np.array(BODIES[part.kind])
    canvas.paint(replace(body, x=part.x + 1.5, y=part.y + 2.0), (0.02, 0.05, 0.03), 0.5, 5.0)
    canvas.paint(body, colour)
    canvas.paint(Box(part.x, part.y, part.half * 0.8, part.half * 0.22, part.angle), colour + 0.07, 0.8, 4.0)
    for end in (-1, 1):
        canvas.paint(_at_end(part, end, part.half * 0.84, part.half * 0.18, part.half * 0.5), TIN * 1.1)
    if part.kind == "diode":
        canvas.paint(_at_end(part, 1, part.half * 0.45, 1.8, part.half * 0.5), SILK * 0.9)
    if part.kind == "resistor":
        canvas.paint(Box(part.x, part.y, part.half * 0.3, 1.2, part.angle), SILK, 0.75)


def _at_end(part: Part, end: int, reach: float, half_x: float, half_y: float) -> Box:
    """Return a box on the part's axis, `reach` px from its centre towards one end (-1 or 1)."""
    x, y = part.x + end * reach * math.cos(part.angle), part.y + end * reach * math.sin(part.angle)
    return Box(x, y, half_x, half_y, part.angle, 0.8)


def _draw_controller(canvas: Canvas) -> None:
    for turn in range(4):
        for leg in range(LEGS):
            canvas.paint(_controller_leg(turn, leg, reach=6.0, half_width=1.7), TIN * 1.15)
    body = Box(CONTROLLER_X, CONTROLLER_Y, CONTROLLER_HALF, CONTROLLER_HALF, 0.0, 2.0)
    canvas.paint(replace(body, x=body.x + 2, y=body.y + 3), (0.02, 0.04, 0.03), 0.5, 7.0)
    canvas.paint(body, (0.13, 0.13, 0.14))
    canvas.paint(replace(body, half_x=body.half_x - 4, half_y=body.half_y - 4), (0.16, 0.16, 0.17), 1.0, 5.0)
    canvas.paint(Disc(body.x - 32, body.y - 32, 3.5), (0.08, 0.08, 0.09))
    for line, length in enumerate((46, 34, 40)):
        row = body.y - 8 + 9 * line
        canvas.paint(Box(body.x - 23 + length / 2, row, length / 2, 1.6), (0.52, 0.53, 0.52), 0.6)


def _controller_leg(turn: int, leg: int, reach: float, half_width: float) -> Box:
    """Return one leg or pad of the controller on its side 0..3."""
    along, out = 8.0 * (leg - (LEGS - 1) / 2), CONTROLLER_HALF + reach / 2
    cos, sin = round(math.cos(turn * QUARTER)), round(math.sin(turn * QUARTER))
    x, y = CONTROLLER_X + cos * out - sin * along, CONTROLLER_Y + sin * out + cos * along
    return Box(x, y, reach / 2 + 1.5, half_width, turn * QUARTER, 0.6)
