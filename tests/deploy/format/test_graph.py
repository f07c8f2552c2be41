"""The verdict inside of a graph: that of `Prediction`, on the threshold itself as well."""

from dataclasses import replace

import numpy as np
import onnxruntime
import openvino
import pytest
import torch
from openvino import opset13 as opset
from tiny_models import HEADER
from torch import nn

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import append_verdict
from efficientad.deploy.format.graph import StationGraph
from efficientad.deploy.format.names import IMAGE, OUTPUTS
from efficientad.deploy.predictor import Prediction
from efficientad.model.detector import Detection

ON = replace(HEADER, threshold=0.25, display_scale=0.5)  # exact in float32
SCORES = np.array([0.25, np.nextafter(np.float32(0.25), np.float32(1)), 0.2, 0.375, 0.125, 9, -9], np.float32)
SHOWN = [0.5, 0.5, 0.4, 0.75, 0.25, 1, 0]
VERDICTS = [Prediction(float(score), 0.25, SCORES[None]).is_anomalous for score in SCORES]


class Told(nn.Module):
    """A detector whose score is the image's first red value."""

    def forward(self, image):
        return Detection(image[:, :1], image[:, 0, 0, 0])


class Broken(nn.Module):
    """A detector one of whose weights is no finite number any more."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight, dtype=torch.float32))

    def forward(self, image):
        broken = image[:, :1] + self.weight
        return Detection(broken, broken.flatten(1).amax(1))


def test_the_exported_graph_calls_a_score_on_the_threshold_normal():
    levels = np.array([51, 52, 50, 0, 255], np.uint8)
    header = replace(HEADER, threshold=float(np.float32(51) / np.float32(255)), display_scale=0.4)
    images = torch.from_numpy(levels).view(-1, 1, 1, 1).expand(-1, 2, 2, 3)
    found = StationGraph(Told(), header)(images)
    assert found.is_anomalous.tolist() == [False, True, False, False, True]
    assert found.display_score.tolist() == pytest.approx(
        [0.5, 0.5 + 1 / 255 / 0.4, 0.5 - 1 / 255 / 0.4, 0, 1], abs=1e-5
    )
    torch.testing.assert_close(found.anomaly_score, torch.from_numpy(levels) / 255)
    assert found.anomaly_map.shape == (5, 1, 2, 2)


def put_verdict_behind(anomaly_map: np.ndarray) -> dict[str, np.ndarray]:
    """Return what OpenVINO gives of maps (B, 1, H, W) whose largest values are the scores."""
    given = opset.parameter([-1, 1, 2, 2], np.float32)
    score = opset.reduce_max(given, np.array([1, 2, 3]))
    outputs = {"anomaly_map": opset.multiply(given, np.float32(1)), "anomaly_score": score}
    for name, node in outputs.items():
        node.output(0).get_tensor().set_names({name})
    model = openvino.Model([opset.result(node) for node in outputs.values()], [given])
    append_verdict(model, ON)
    found = open_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(anomaly_map)
    return {key.get_any_name(): value for key, value in found.items()}


def test_so_does_the_verdict_that_is_put_behind_an_openvino_graph():
    found = put_verdict_behind(np.broadcast_to(SCORES[:, None, None, None], (len(SCORES), 1, 2, 2)).copy())
    assert found["is_anomalous"].tolist() == VERDICTS
    assert found["display_score"].tolist() == pytest.approx(SHOWN, abs=1e-6)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_map_that_is_not_finite_is_not_normal_in_any_graph(tmp_path, wrong):
    """A server that knows only the outputs of a graph, such as Model Server, judges by `is_anomalous`."""
    image = np.zeros((1, 64, 64, 3), np.uint8)
    broken = Broken(wrong)
    write_onnx(broken, ON, tmp_path / "detector.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "detector.onnx")
    compiled = open_core().compile_model(tmp_path / "detector.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = {
        "torch": StationGraph(broken, ON)(torch.from_numpy(image))._asdict(),
        "onnxruntime": dict(zip(OUTPUTS, session.run(OUTPUTS, {IMAGE: image}), strict=True)),
        "openvino": {key.get_any_name(): value for key, value in compiled(image).items()},
        "appended": put_verdict_behind(np.full((1, 1, 2, 2), wrong, np.float32)),
    }
    for runtime, outputs in found.items():
        assert outputs["is_anomalous"].tolist() == [True], runtime
        assert outputs["display_score"].tolist() == [1], runtime
