"""What every runtime must do: images in, maps and scores out, and know its own model."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from efficientad.model.header import ModelHeader

Precision = Literal["f32", "bf16", "f16"]
Hint = Literal["LATENCY", "THROUGHPUT"]


@dataclass(frozen=True)
class EngineOptions:
    """How OpenVINO is to compute; no other runtime looks at them.

    precision: of the arithmetic. Left to itself OpenVINO computes in bfloat16 where the processor can, and its scores
               would differ from training's in the third digit.
    hint:      "LATENCY" for one image at a time, "THROUGHPUT" for `run_queue` over many.
    cache:     folder that keeps the compiled model, so that the next start is quick; None keeps nothing.
    threads:   of the processor, in all; None leaves their number to OpenVINO.
    streams:   how many images are worked on at a time, each by its share of the threads; None follows the hint.
    """

    device: str = "CPU"
    precision: Precision = "f32"
    hint: Hint = "LATENCY"
    cache: Path | None = None
    threads: int | None = None
    streams: int | None = None


class Outputs(NamedTuple):
    """A graph's results of a batch."""

    maps: NDArray[np.float32]  # (B, H, W), raw
    scores: NDArray[np.float32]  # (B,), raw: as the graph gives them, see `Detection`


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


def stack_outputs(outputs: Sequence[Outputs]) -> Outputs:
    """Join the outputs of several batches in their order."""
    return Outputs(np.concatenate([one.maps for one in outputs]), np.concatenate([one.scores for one in outputs]))
