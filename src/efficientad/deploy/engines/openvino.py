"""Runs an OpenVINO IR, or an ONNX file where the station has no other runtime."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.deploy.engines.compiled_models import drop_damaged, note_checksums
from efficientad.deploy.engines.core import open_core
from efficientad.deploy.engines.engine import EngineOptions, Outputs, Setup
from efficientad.deploy.engines.graph import check_graph
from efficientad.deploy.format.model_file import read_model_file
from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE, IMAGE
from efficientad.errors import ModelError

_DEFAULTS = EngineOptions()


class OpenVINOEngine:
    """A detector in OpenVINO, in float32 unless the options ask for less; from an IR, or from an ONNX file."""

    def __init__(self, path: Path, options: EngineOptions = _DEFAULTS) -> None:
        """Check and compile the model at `path`.

        Raises ModelError as `read_model_file` and `check_graph`, and when it cannot be compiled for the device.
        """
        file = read_model_file(path)
        self.header = file.header
        core = open_core()
        try:
            model = core.read_model(file.content, file.weights) if file.weights else core.read_model(file.content)
            shape = [dim.get_length() if dim.is_static else None for dim in model.input(IMAGE).partial_shape]
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise ModelError(f"expected a graph with the input {IMAGE} in {path}, got {reason}") from error
        check_graph(shape, [name for one in model.outputs for name in one.get_names()], self.header, path)
        self.options = options
        if options.cache is not None:
            drop_damaged(options.cache)
        try:
            self.compiled = core.compile_model(model, options.device, _list_settings(options))
            self._free: list[Any] = []  # requests that no thread is using
        except RuntimeError as error:
            raise ModelError(
                f"expected to compile {path} for the device {options.device}, whose kinds here are "
                f"{', '.join(core.available_devices)}: {' '.join(str(error).split())}"
            ) from error
        if options.cache is not None:
            note_checksums(options.cache)

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
