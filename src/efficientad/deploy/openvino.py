"""ONNX -> OpenVINO IR, and running it. Beside `quantise` the only file that imports openvino."""

from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import openvino
from numpy.typing import NDArray

from efficientad.deploy.engine import ModelHeader, Outputs
from efficientad.deploy.metadata import SECTION, describe_model, parse_metadata
from efficientad.errors import ModelError

Precision = Literal["f32", "bf16", "f16"]
Hint = Literal["LATENCY", "THROUGHPUT"]


def write_openvino(onnx_path: Path, header: ModelHeader, xml_path: Path, fp16: bool) -> None:
    """Convert an ONNX file to `xml_path` and its .bin; `fp16` halves the weights' size on disk.

    The header goes into the IR's rt_info. Both files have the same bytes on every conversion.
    """
    model = openvino.convert_model(onnx_path)
    save_ir(model, header, xml_path, fp16)


def save_ir(model: openvino.Model, header: ModelHeader, xml_path: Path, fp16: bool) -> None:
    """Write a model with its header to `xml_path` and its .bin; see `write_openvino`."""
    xml_path.parent.mkdir(parents=True, exist_ok=True)
    for index, node in enumerate(model.get_ordered_ops()):
        if node.get_type_name() not in ("Parameter", "Result"):  # converters count through a process's life
            node.set_friendly_name(f"{node.get_type_name()}_{index}")
    for key, value in describe_model(header).items():
        model.set_rt_info(value, [SECTION, key])
    openvino.save_model(model, xml_path, compress_to_fp16=fp16)


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
    ) -> None:
        """Compile the IR at `path`.

        hint:  "LATENCY" for one image at a time, "THROUGHPUT" for `run_queue` over many.
        cache: folder that keeps the compiled model, so that the next start is quick; None keeps nothing.

        Raises ModelError when the file cannot be read.
        """
        core = openvino.Core()
        try:
            model = core.read_model(path)
        except RuntimeError as error:
            raise ModelError(f"expected an OpenVINO IR at {path}: {error}") from error
        found = model.get_rt_info([SECTION]).value if model.has_rt_info([SECTION]) else {}
        self.header = parse_metadata({key: str(value) for key, value in found.items()}, path)
        settings: dict[str, str] = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": precision}
        if cache is not None:
            settings["CACHE_DIR"] = str(cache)
        self.compiled = core.compile_model(model, device, settings)

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        result = self.compiled(np.ascontiguousarray(images))
        return Outputs(result["anomaly_map"][:, 0].copy(), result["anomaly_score"].copy())

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
