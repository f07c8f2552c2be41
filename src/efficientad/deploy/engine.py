"""What every runtime must do: images in, maps and scores out, and know its own model."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

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
    git_revision: str = ""  # of the code that exported it; empty where that is not known
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
                git_revision=str(values.get("git_revision", "")),
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


class Outputs(NamedTuple):
    """What a graph says of a batch."""

    maps: NDArray[np.float32]  # (B, H, W), raw
    scores: NDArray[np.float32]  # (B,), raw: each map's largest value


class Setup(NamedTuple):
    """What an engine computes with; None where the runtime does not say."""

    runtime: str  # openvino, onnxruntime or torch
    device: str
    precision: str  # of the arithmetic: f32, bf16 or f16
    threads: int | None
    streams: int | None  # groups of threads that work on an image each


class Engine(Protocol):
    """A loaded detector in some runtime."""

    header: ModelHeader

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """Detect in uint8 RGB (B, H, W, 3), of the header's `image_size`."""

    def describe(self) -> Setup:
        """Return what it computes with, as it is and not as it was asked for."""


@runtime_checkable
class QueueEngine(Engine, Protocol):
    """An engine that works on several batches at a time."""

    def run_queue(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[Outputs]:
        """Yield what `run` gives for each batch, in their order, with few of them under way."""


def run_all(engine: Engine, batches: Iterable[NDArray[np.uint8]]) -> Iterator[Outputs]:
    """Yield the outputs of each batch in order: through the engine's queue if it has one, else one by one."""
    return engine.run_queue(batches) if isinstance(engine, QueueEngine) else map(engine.run, batches)
