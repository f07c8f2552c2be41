"""The exported graph: uint8 pixels in, anomaly map and score out; and the same graph run by torch."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from efficientad.deploy.engine import ModelHeader
from efficientad.detector import Detector
from efficientad.weights import load_detector


class StationGraph(nn.Module):
    """uint8 RGB (B, S, S, 3), as a camera gives it -> anomaly map (B, 1, S, S) and score (B,)."""

    def __init__(self, detector: Detector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Scale to [0, 1] by 255, whatever the image's largest value is, and detect."""
        detection = self.detector(image.permute(0, 3, 1, 2).float() / 255)
        return detection.anomaly_map, detection.anomaly_score


class TorchEngine:
    """Runs `detector.safetensors` with torch in float32, on a GPU where there is one."""

    def __init__(self, path: Path) -> None:
        detector, header = load_detector(path)
        self.header = ModelHeader.parse(header, path)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.graph = StationGraph(detector).eval().to(self.device)

    def run(self, images: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """See `Engine.run`."""
        with torch.inference_mode():
            image = torch.from_numpy(np.array(images)).to(self.device)
            anomaly_map, score = self.graph(image)
        return anomaly_map[:, 0].cpu().numpy(), score.cpu().numpy()
