"""Runs an OpenVINO IR, or an ONNX file where the station has no other runtime."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from efficientad.deploy.engines.engine import EngineOptions, Outputs, Setup
from efficientad.deploy.format.metadata import SECTION, parse_metadata
from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE, IMAGE
from efficientad.errors import ModelError

_DEFAULTS = EngineOptions()


class OpenVINOEngine:
    """A detector in OpenVINO, in float32 unless the options ask for less; from an IR, or from an ONNX file."""

    def __init__(self, path: Path, options: EngineOptions = _DEFAULTS) -> None:
        """Compile the model at `path`; ModelError when it cannot be read, or not be compiled for the device."""
        core = openvino.Core()
        try:
            model = core.read_model(path)
        except RuntimeError as error:
            raise ModelError(f"expected an OpenVINO IR at {path}: {error}") from error
        self.header = parse_metadata(_read_metadata(model), path)
        self.options = options
        try:
            self.compiled = core.compile_model(model, options.device, _list_settings(options))
            self._free: list[Any] = []  # requests that no thread is using
        except RuntimeError as error:
            raise ModelError(
                f"expected to compile {path} for the device {options.device}, whose kinds here are "
                f"{', '.join(core.available_devices)}: {' '.join(str(error).split())}"
            ) from error

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`; several threads may call it at a time."""
        outputs = self.infer(images)
        return Outputs(outputs[ANOMALY_MAP][:, 0], outputs[ANOMALY_SCORE])

    def infer(self, images: NDArray[np.uint8]) -> dict[str, NDArray[Any]]:
        """Return every output of the graph by its name, see `StationOutputs`; several threads may call it at a time."""
        try:
            request = self._free.pop()
        except IndexError:
            request = self.compiled.create_infer_request()
        try:
            # Copied in: OpenVINO 2026.4 goes on using a shared array, freed by then, while other requests run.
            results = request.infer({IMAGE: np.ascontiguousarray(images)}, share_inputs=False)
            return {output.get_any_name(): results[output] for output in self.compiled.outputs}
        finally:
            self._free.append(request)

    def describe(self) -> Setup:
        """See `Engine.describe`."""
        precision = self._read("INFERENCE_PRECISION_HINT")  # bf16 where the processor has no f16
        devices = self._read("EXECUTION_DEVICES")
        threads, streams = self._read("INFERENCE_NUM_THREADS"), self._read("NUM_STREAMS")
        return Setup(
            runtime="openvino",
            device=self.options.device if devices is None else " ".join(devices),
            precision=self.options.precision if precision is None else str(precision.get_type_name()),
            threads=None if threads is None else int(threads),
            streams=None if streams is None else int(streams),
        )

    def _read(self, name: str) -> Any:
        return self.compiled.get_property(name) if name in self.compiled.get_property("SUPPORTED_PROPERTIES") else None

    def run_queue(self, batches: Iterable[NDArray[np.uint8]]) -> Iterator[Outputs]:
        """Run many batches, several at a time, and yield what `run` gives for each, in their order.

        No more are under way than the device has requests for: the memory in use does not grow with their number.
        """
        count = self.compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
        free = [self.compiled.create_infer_request() for _ in range(count)]
        busy: deque[Any] = deque()
        for images in batches:
            if not free:
                yield _wait_for(busy[0])
                free.append(busy.popleft())
            request = free.pop()
            request.start_async({IMAGE: np.ascontiguousarray(images)})
            busy.append(request)
        yield from map(_wait_for, busy)


def _read_metadata(model: openvino.Model) -> dict[str, str]:
    """Return the section of an IR, or what OpenVINO keeps of an ONNX file's metadata."""
    section = next((name for name in (SECTION, "framework") if model.has_rt_info([name])), None)
    metadata = {} if section is None else model.get_rt_info([section]).value
    return {key.removeprefix(f"{SECTION} "): str(value) for key, value in metadata.items()}


def _list_settings(options: EngineOptions) -> dict[str, str]:
    """Return OpenVINO's own names and values; what is left to it is absent."""
    settings = {
        "PERFORMANCE_HINT": options.hint,
        "INFERENCE_PRECISION_HINT": options.precision,
        "CACHE_DIR": options.cache,
        "INFERENCE_NUM_THREADS": options.threads,
        "NUM_STREAMS": options.streams,
    }
    return {name: str(value) for name, value in settings.items() if value is not None}


def _wait_for(request: Any) -> Outputs:
    request.wait()
    maps, scores = (request.get_tensor(name).data for name in (ANOMALY_MAP, ANOMALY_SCORE))
    return Outputs(maps[:, 0].copy(), scores.copy())
