"""The exported graph: uint8 pixels in, map, score and verdict out; and the same graph run by torch."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.deploy.engine import ModelHeader, Outputs, Setup
from efficientad.detector import Detector
from efficientad.inference import choose_device
from efficientad.weights import load_detector


class StationOutputs(NamedTuple):
    """The outputs of an exported graph, by name and in order; OpenVINO Model API reads the first of four."""

    anomaly_map: Tensor  # (B, 1, H, W) float32, raw
    anomaly_score: Tensor  # (B,) float32, raw: the map's largest value; what metrics and the threshold are about
    display_score: Tensor  # (B,) float32 in [0, 1], 0.5 at the threshold; what people are shown
    is_anomalous: Tensor  # (B,) bool: whether the raw score lies above the threshold


class StationGraph(nn.Module):
    """uint8 RGB (B, H, W, 3), as a camera gives it -> `StationOutputs`."""

    def __init__(self, detector: Detector, header: ModelHeader) -> None:
        super().__init__()
        self.detector = detector
        self.threshold, self.display_scale = header.threshold, header.display_scale

    def forward(self, image: Tensor) -> StationOutputs:
        """Scale to [0, 1] by 255, whatever the image's largest value is, and detect."""
        detection = self.detector(image.permute(0, 3, 1, 2).float() / 255)
        above = detection.anomaly_score - self.threshold
        display = (above / self.display_scale + 0.5).clamp(0, 1)
        return StationOutputs(detection.anomaly_map, detection.anomaly_score, display, above > 0)


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
