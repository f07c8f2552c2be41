"""From an image's pixels to a verdict: the one path that the command line, the parity gate and stations share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.images import resize_image
from efficientad.deploy.engines.engine import Engine
from efficientad.deploy.format.names import ANOMALOUS, NORMAL


@dataclass(frozen=True)
class Prediction:
    """A detector's judgement of one image."""

    score: float  # raw and unclamped; higher = more anomalous
    threshold: float
    anomaly_map: NDArray[np.float32]  # (h, w) at the model's resolution

    @property
    def is_anomalous(self) -> bool:
        """Whether the score lies above the threshold."""
        return self.score > self.threshold

    @property
    def verdict(self) -> str:
        """ "anomalous" or "normal"."""
        return ANOMALOUS if self.is_anomalous else NORMAL


def predict_image(engine: Engine, image: NDArray[np.uint8]) -> Prediction:
    """Judge one uint8 RGB image (H, W, 3) of any size: resize as in training, then infer."""
    resized = resize_image(image, engine.header.image_size)
    maps, scores = engine.run(resized[None])
    return Prediction(float(scores[0]), engine.header.threshold, maps[0])
