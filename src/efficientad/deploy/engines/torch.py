"""Runs a detector's weights with torch: the reference of every exported model."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from efficientad.deploy.engines.engine import Outputs, Setup
from efficientad.deploy.format.graph import StationGraph
from efficientad.model.device import choose_device
from efficientad.model.header import ModelHeader
from efficientad.model.saved_detector import load_detector


class TorchEngine:
    """Runs `detector.safetensors` with torch in float32, on a GPU where there is one."""

    def __init__(self, path: Path) -> None:
        detector, header = load_detector(path)
        self.header = ModelHeader.parse(header, path)
        self.device = choose_device()
        self.graph = StationGraph(detector, self.header).eval().to(self.device)

    def run(self, images: NDArray[np.uint8]) -> Outputs:
        """See `Engine.run`."""
        with torch.inference_mode():
            outputs = self.graph(torch.from_numpy(np.array(images)).to(self.device))
        return Outputs(outputs.anomaly_map[:, 0].cpu().numpy(), outputs.anomaly_score.cpu().numpy())

    def describe(self) -> Setup:
        """See `Engine.describe`."""
        return Setup("torch", str(self.device), "f32", threads=torch.get_num_threads(), streams=None)
