"""From an image's pixels to a verdict: the one path that the command line, the parity gate and stations share."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.resizing import resize_image
from efficientad.deploy.engines.engine import Engine, Outputs
from efficientad.deploy.format.names import ANOMALOUS, NORMAL
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader


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
    """Judge one uint8 RGB image (H, W, 3) of any size: resize as in training, then infer.

    Raises ModelError as `read_outputs`.
    """
    resized = resize_image(image, engine.header.image_size)
    return read_outputs(engine.run(resized[None]), engine.header)


def read_outputs(outputs: Outputs, header: ModelHeader) -> Prediction:
    """Return the judgement of a batch's first image; ModelError where the score or the map is not finite.

    A score that is no number lies above no threshold: it would be called normal.
    """
    prediction = Prediction(float(outputs.scores[0]), header.threshold, outputs.maps[0])
    if not np.isfinite(prediction.score) or not np.isfinite(prediction.anomaly_map).all():
        raise ModelError(
            f"expected a finite score and map, got the score {prediction.score}; use --precision f32, or export the "
            "model again"
        )
    return prediction
