"""The exported graph: uint8 pixels in, map, score and verdict out."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader


class StationOutputs(NamedTuple):
    """The outputs of an exported graph, as `names.OUTPUTS` has them; OpenVINO Model API reads the first of four."""

    anomaly_map: Tensor  # (B, 1, H, W) float32, raw
    anomaly_score: Tensor  # (B,) float32, raw, as in `Detection`; what metrics and the threshold are about
    display_score: Tensor  # (B,) float32 in [0, 1], 0.5 at the threshold; what people are shown
    is_anomalous: Tensor  # (B,) bool: whether the raw score lies above the threshold


class StationGraph(nn.Module):
    """uint8 RGB (B, H, W, 3), as a camera gives it -> `StationOutputs`."""

    def __init__(self, detector: Detector, header: ModelHeader) -> None:
        super().__init__()
        self.detector = detector
        self.threshold, self.display_scale = header.threshold, header.display_scale

    def forward(self, image: Tensor) -> StationOutputs:
        """Scale to [0, 1] by 255, whatever the image's largest value is, and detect.

        A map that is not finite is anomalous, with a display score of 1. Its score does not tell: the largest value of
        a map of NaN is the lowest float in OpenVINO 2026.4.
        """
        detection = self.detector(image.permute(0, 3, 1, 2).float() / 255)
        above = detection.anomaly_score - self.threshold
        is_finite = detection.anomaly_map.sum(dim=(1, 2, 3)).abs() < torch.inf
        display = torch.where(is_finite, (above / self.display_scale + 0.5).clamp(0, 1), 1.0)
        is_anomalous = torch.logical_not((above <= 0) & is_finite)
        return StationOutputs(detection.anomaly_map, detection.anomaly_score, display, is_anomalous)
