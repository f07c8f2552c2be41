"""Runs an exported ONNX file with onnxruntime: the check that the file means what it should."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from efficientad.deploy.engine import ModelHeader

_PREFIX = "efficientad."


class OnnxEngine:
    """A detector in onnxruntime, on the CPU in float32."""

    def __init__(self, path: Path) -> None:
        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        metadata = self.session.get_modelmeta().custom_metadata_map
        values = {key.removeprefix(_PREFIX): value for key, value in metadata.items()}
        self.header = ModelHeader.parse(values, path)

    def run(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine.run`."""
        anomaly_map, score = self.session.run(None, {"image": np.ascontiguousarray(images)})
        return anomaly_map[:, 0], score
