"""What a station must know about a model beside its graph; it travels inside the model's file."""

from dataclasses import dataclass
from typing import Any

from efficientad.errors import ModelError


@dataclass(frozen=True)
class ModelHeader:
    """What a station must know about a model beside its graph; it travels inside the model's file."""

    size: str  # of the networks: S or M
    image_size: tuple[int, int]  # px, height and width of the graph's input
    category: str  # the product
    threshold: float  # a score above it is anomalous
    false_alarm_rate: float  # the bound that the threshold was chosen for
    display_scale: float  # raw score that spans the displayed 0 .. 1, around 0.5 at the threshold
    student_quantiles: tuple[float, float]  # low, high: of the raw maps on held-out normal images
    autoencoder_quantiles: tuple[float, float]
    training_data: str  # sha256 of the normal images that it was trained and calibrated on
    version: str  # of this package
    code_hash: str = ""  # sha256 of the source files that exported it; empty where that is not known
    memory_quantiles: tuple[float, ...] = ()  # low, high of each memory's raw map

    @classmethod
    def parse(cls, values: dict[str, Any], where: object) -> "ModelHeader":
        """Read the values of a model's metadata; ModelError names what is missing."""
        try:
            return cls(
                size=str(values["size"]),
                image_size=_parse_size(values["image_size"]),
                category=str(values["category"]),
                threshold=float(values["threshold"]),
                false_alarm_rate=float(values["false_alarm_rate"]),
                display_scale=float(values["display_scale"]),
                student_quantiles=_parse_pair(values["student_quantiles"]),
                autoencoder_quantiles=_parse_pair(values["autoencoder_quantiles"]),
                training_data=str(values["training_data"]),
                version=str(values["version"]),
                code_hash=str(values.get("code_hash", "")),
                memory_quantiles=_parse_numbers(values.get("memory_quantiles", ())),
            )
        except KeyError as error:
            raise ModelError(
                f"expected {error} in the metadata of {where}: it is not a calibrated detector of this "
                "project; export it again (`dvc repro export`)"
            ) from error

    def scale_score(self, score: float) -> float:
        """Return a raw score as the station shows it: in [0, 1], 0.5 at the threshold.

        >>> ModelHeader("S", (256, 256), "x", 0.3, 0.05, 0.4, (0, 1), (0, 1), "", "").scale_score(0.4)
        0.75
        """
        return round(min(1.0, max(0.0, (score - self.threshold) / self.display_scale + 0.5)), 6)


def _parse_size(value: Any) -> tuple[int, int]:
    height, width = value.split() if isinstance(value, str) else value
    return int(height), int(width)


def _parse_pair(value: Any) -> tuple[float, float]:
    low, high = _parse_numbers(value)
    return low, high


def _parse_numbers(value: Any) -> tuple[float, ...]:
    return tuple(float(one) for one in (value.split() if isinstance(value, str) else value))
