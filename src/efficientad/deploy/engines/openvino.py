"""Runs an OpenVINO IR."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino
from numpy.typing import NDArray

from efficientad.deploy.engines.engine import Outputs, Setup
from efficientad.deploy.metadata import SECTION, parse_metadata
from efficientad.errors import ModelError

Precision = Literal["f32", "bf16", "f16"]
Hint = Literal["LATENCY", "THROUGHPUT"]


class OpenVINOEngine:
    """A detector in OpenVINO, on `device`.

    Computes in float32 unless told otherwise: left to itself OpenVINO computes in bfloat16 where the
    processor can, and its scores would differ from training's in the third digit.
    """

    def __init__(
        self,
        path: Path,
        device: str = "CPU",
        precision: Precision = "f32",
        hint: Hint = "LATENCY",
        cache: Path | None = None,
        threads: int | None = None,
        streams: int | None = None,
    ) -> None:
        """Compile the IR at `path`.

        hint:    "LATENCY" for one image at a time, "THROUGHPUT" for `run_queue` over many.
        cache:   folder that keeps the compiled model, so that the next start is quick; None keeps nothing.
        threads: of the processor, in all; None leaves their number to OpenVINO.
        streams: how many images are worked on at a time, each by its share of the threads; None follows the hint.

        Raises ModelError when the file cannot be read, or not be compiled for the device.
        """
        core = openvino.Core()
        try:
            model = core.read_model(path)
        except RuntimeError as error:
            raise ModelError(f"expected an OpenVINO IR at {path}: {error}") from error
        found = model.get_rt_info([SECTION]).value if model.has_rt_info([SECTION]) else {}
        self.header = parse_metadata({key: str(value) for key, value in found.items()}, path)
        settings: dict[str, str] = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": precision}
        chosen = {"CACHE_DIR": cache, "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": streams}
        settings |= {key: str(value) for key, value in chosen.items() if value is not None}
        self.device, self.precision = device, precision
        try:
            self.compiled = core.compile_model(model, device, settings)
        except RuntimeError as error:
            raise ModelError(
                f"expected to compile {path} for the device {device}, whose kinds here are "
                f"{', '.join(core.available_devices)}: {' '.join(str(error).split())}"
            ) from error

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        result = self.compiled(np.ascontiguousarray(images))
        return Outputs(result["anomaly_map"][:, 0].copy(), result["anomaly_score"].copy())

    def describe(self) -> Setup:
        """See `Engine.describe`."""
        computed = self._read("INFERENCE_PRECISION_HINT")  # bf16 where the processor has no f16
        devices = self._read("EXECUTION_DEVICES")
        threads, streams = self._read("INFERENCE_NUM_THREADS"), self._read("NUM_STREAMS")
        return Setup(
            runtime="openvino",
            device=self.device if devices is None else " ".join(devices),
            precision=self.precision if computed is None else str(computed.get_type_name()),
            threads=None if threads is None else int(threads),
            streams=None if streams is None else int(streams),
        )

    def _read(self, name: str) -> Any:
        return self.compiled.get_property(name) if name in self.compiled.get_property("SUPPORTED_PROPERTIES") else None

    def run_queue(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[Outputs]:
        """Run many batches, several at a time, and yield what `run` gives for each, in their order.

        No more are under way than the device has requests for: memory does not grow with their number.
        """
        count = self.compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        free = [self.compiled.create_infer_request() for _ in range(count)]
        busy: deque[Any] = deque()
        for images in batches:
            if not free:
                yield _finish(busy[0])
                free.append(busy.popleft())
            request = free.pop()
            request.start_async({"image": np.ascontiguousarray(images)})
            busy.append(request)
        yield from map(_finish, busy)


def _finish(request: Any) -> Outputs:
    request.wait()
    maps, scores = (request.get_tensor(name).data for name in ("anomaly_map", "anomaly_score"))
    return Outputs(maps[:, 0].copy(), scores.copy())
