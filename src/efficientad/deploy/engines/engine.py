"""What every runtime must do: images in, maps and scores out, and know its own model."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from efficientad.model.header import ModelHeader


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


def stack_outputs(outputs: Sequence[Outputs]) -> Outputs:
    """Join the outputs of several batches in their order."""
    return Outputs(np.concatenate([one.maps for one in outputs]), np.concatenate([one.scores for one in outputs]))
