"""Images of noise: normal ones for the ranges; and a trial of 19 good ones, 2 under nuisance, 3 that are all defect."""

import numpy as np
from tiny_models import SIDE

from efficientad.data.defects.trial import Trial

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
IMAGES = RNG.integers(0, 256, (24, SIDE, SIDE, 3), dtype=np.uint8)
TRIAL = Trial(
    IMAGES,
    np.repeat(["good", "brightness", "defect"], [19, 2, 3]),
    np.arange(24).astype(str),
    np.arange(24)[:, None, None] >= np.full((SIDE, SIDE), 21),
)
