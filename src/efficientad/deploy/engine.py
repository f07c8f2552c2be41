"""What every runtime must do: images in, maps and scores out, and know its own model."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from efficientad.errors import ModelError


@dataclass(frozen=True)
class ModelHeader:
    """What a station must know about a model beside its graph; it travels inside the model's file."""

    size: str  # of the networks: S or M
    image_size: int  # px, height and width of the graph's input
    category: str
    threshold: float  # a score above it is anomalous
    false_alarm_rate: float  # the bound that the threshold was chosen for

    @classmethod
    def parse(cls, values: dict[str, Any], where: object) -> "ModelHeader":
        """Read the values of a model's metadata; ModelError names what is missing."""
        try:
            return cls(
                size=str(values["size"]),
                image_size=int(values["image_size"]),
                category=str(values["category"]),
                threshold=float(values["threshold"]),
                false_alarm_rate=float(values["false_alarm_rate"]),
            )
        except KeyError as error:
            raise ModelError(
                f"expected {error} in the metadata of {where}: it is not a calibrated detector of this "
                "project; export it again (`dvc repro export`)"
            ) from error


class Engine(Protocol):
    """A loaded detector in some runtime."""

    header: ModelHeader

    def run(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Map uint8 RGB (B, S, S, 3) to anomaly maps (B, S, S) and scores (B,)."""
