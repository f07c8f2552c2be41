"""Runs an exported ONNX file with onnxruntime: the check that the file means what it should."""

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from efficientad.deploy.engines.engine import Outputs, Setup
from efficientad.deploy.engines.graph import check_graph
from efficientad.deploy.format.model_file import read_model_file
from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE, IMAGE
from efficientad.errors import ModelError


class OnnxEngine:
    """A detector in onnxruntime, on the CPU in float32."""

    def __init__(self, path: Path) -> None:
        """Check and open the model at `path`; ModelError as `read_model_file` and `check_graph`."""
        file = read_model_file(path)
        self.header = file.header
        try:
            self.session = onnxruntime.InferenceSession(file.content, providers=["CPUExecutionProvider"])
            shape = next(one.shape for one in self.session.get_inputs() if one.name == IMAGE)
        except Exception as error:  # its classes have no name in common, and none in public
            reason = " ".join(str(error).split())
            raise ModelError(f"expected a graph with the input {IMAGE} in {path}, got {reason}") from error
        check_graph(shape, [one.name for one in self.session.get_outputs()], self.header, path)

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        maps, scores = self.session.run([ANOMALY_MAP, ANOMALY_SCORE], {IMAGE: np.ascontiguousarray(images)})
        return Outputs(maps[:, 0], scores)

    def describe(self) -> Setup:
        """See `Engine.describe`."""
        return Setup("onnxruntime", "CPU", "f32", threads=None, streams=None)
