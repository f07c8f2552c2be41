"""Images of noise: normal ones for the ranges, and a trial of 19 normal images and 5 with a defect everywhere."""

import numpy as np
from tiny_models import SIDE

from efficientad.data.defects.trial import Trial

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
IMAGES = RNG.integers(0, 256, (24, SIDE, SIDE, 3), dtype=np.uint8)
TRIAL = Trial(IMAGES, np.repeat([0, 1], [19, 5]), np.arange(24)[:, None, None] >= np.full((SIDE, SIDE), 19))
