"""From an image file to a verdict: the one path that the command line, the parity gate and stations share."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images import resize_image
from efficientad.deploy.engines.engine import Engine
from efficientad.errors import ModelError


@dataclass(frozen=True)
class Prediction:
    """A detector's word on one image."""

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
        return "anomalous" if self.is_anomalous else "normal"


def locate_model(path: Path) -> Path:
    """Return the model's file: `path`, or the one in a folder.

    A folder is one of the pipeline that holds `openvino/fp32`, or one of versions, such as `openvino/int8`, whose
    largest number is taken. Raises ModelError when there is no such file.
    """
    if path.is_dir():
        folder = path / "openvino/fp32" if (path / "openvino").is_dir() else path
        versions = [int(one.parent.name) for one in folder.glob("*/model.xml") if one.parent.name.isdecimal()]
        path = folder / str(max(versions, default=1)) / "model.xml"
    if not path.is_file():
        raise ModelError(f"expected a model at {path}, found none; name a .xml, .onnx or .safetensors file")
    return path


def load_engine(
    path: Path,
    device: str = "CPU",
    precision: Literal["f32", "bf16", "f16"] = "f32",
    cache: Path | None = None,
    hint: Literal["LATENCY", "THROUGHPUT"] = "LATENCY",
    threads: int | None = None,
    streams: int | None = None,
) -> Engine:
    """Open a model with the runtime that its file is for.

    `path` is an OpenVINO `.xml`, a `.onnx`, a `detector.safetensors`, or a folder as `locate_model` takes it. Only the
    runtime in question is imported; the other arguments are those of `OpenVINOEngine`, and no other runtime looks at
    them. Raises ModelError when there is no such file, or none of these, or its runtime is not installed.
    """
    path = locate_model(path)
    try:
        if path.suffix == ".xml":
            from efficientad.deploy.engines.openvino import OpenVINOEngine

            return OpenVINOEngine(path, device, precision, hint, cache, threads, streams)
        if path.suffix == ".onnx":
            from efficientad.deploy.engines.onnxruntime import OnnxEngine

            return OnnxEngine(path)
        if path.suffix == ".safetensors":
            from efficientad.deploy.engines.torch import TorchEngine

            return TorchEngine(path)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"expected the package {error.name} for {path.name}, found none: pip install {error.name}"
        ) from error
    raise ModelError(f"expected a .xml, .onnx or .safetensors model, got {path.name}")


def predict_image(engine: Engine, image: NDArray[np.uint8]) -> Prediction:
    """Judge one uint8 RGB image (H, W, 3) of any size: resize as in training, then infer."""
    resized = resize_image(image, engine.header.image_size)
    maps, scores = engine.run(resized[None])
    return Prediction(float(scores[0]), engine.header.threshold, maps[0])
