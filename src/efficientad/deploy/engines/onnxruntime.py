"""Runs an exported ONNX file with onnxruntime: the check that the file means what it should."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from efficientad.deploy.engines.engine import Outputs, Setup
from efficientad.deploy.format.metadata import SECTION, parse_metadata
from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE, IMAGE
from efficientad.errors import ModelError


class OnnxEngine:
    """A detector in onnxruntime, on the CPU in float32."""

    def __init__(self, path: Path) -> None:
        try:
            self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # its classes have no name in common, and none in public
            raise ModelError(f"expected an ONNX model at {path}: {error}; export it again") from error
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.header = parse_metadata({key.removeprefix(f"{SECTION} "): metadata[key] for key in metadata}, path)

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        maps, scores = self.session.run([ANOMALY_MAP, ANOMALY_SCORE], {IMAGE: np.ascontiguousarray(images)})
        return Outputs(maps[:, 0], scores)

    def describe(self) -> Setup:
        """See `Engine.describe`."""
        return Setup("onnxruntime", "CPU", "f32", threads=None, streams=None)
