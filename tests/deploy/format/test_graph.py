"""The verdict inside of a graph: that of `Prediction`, on the threshold itself as well."""

from dataclasses import replace

import numpy as np
import openvino
import pytest
import torch
from openvino import opset13 as opset
from tiny_models import HEADER
from torch import nn

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.export.openvino import append_verdict
from efficientad.deploy.format.graph import StationGraph
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


def test_so_does_the_verdict_that_is_put_behind_an_openvino_graph():
    score = opset.parameter([-1], np.float32)
    result = opset.result(opset.relu(opset.abs(score)))  # anything that has a name of its own
    result.input_value(0).get_tensor().set_names({"anomaly_map"})
    named = opset.multiply(score, np.float32(1))
    named.output(0).get_tensor().set_names({"anomaly_score"})
    model = openvino.Model([result, opset.result(named)], [score])
    append_verdict(model, ON)
    found = open_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(SCORES)
    assert found["is_anomalous"].tolist() == VERDICTS
    assert found["display_score"].tolist() == pytest.approx(SHOWN, abs=1e-6)
