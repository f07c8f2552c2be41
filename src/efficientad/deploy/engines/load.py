"""A model's file -> the engine of its runtime, and of no other."""

from pathlib import Path

from efficientad.deploy.engines.engine import Engine, EngineOptions
from efficientad.deploy.format.files import locate_model
from efficientad.deploy.format.names import IR_SUFFIX, ONNX_SUFFIX, WEIGHTS_SUFFIX
from efficientad.errors import ModelError

_DEFAULTS = EngineOptions()


def load_engine(path: Path, options: EngineOptions = _DEFAULTS) -> Engine:
    """Open a model with the runtime that its file is for; only this runtime is imported.

    `path` is an OpenVINO `.xml`, a `.onnx`, a `detector.safetensors`, or a folder as `locate_model` takes it.

    Raises ModelError when there is no such file, or none of these, or its runtime is not installed.
    """
    path = locate_model(path)
    try:
        if path.suffix == IR_SUFFIX:
            from efficientad.deploy.engines.openvino import OpenVINOEngine

            return OpenVINOEngine(path, options)
        if path.suffix == ONNX_SUFFIX:
            from efficientad.deploy.engines.onnxruntime import OnnxEngine

            return OnnxEngine(path)
        if path.suffix == WEIGHTS_SUFFIX:
            from efficientad.deploy.engines.torch import TorchEngine

            return TorchEngine(path)
    except ModuleNotFoundError as error:
        raise ModelError(
            f"expected the package {error.name} for {path.name}, found none: pip install {error.name}"
        ) from error
    raise ModelError(f"expected a {IR_SUFFIX}, {ONNX_SUFFIX} or {WEIGHTS_SUFFIX} model, got {path.name}")
