"""The exported IR in OpenVINO Model API's AnomalyDetection, which knows nothing of this project."""

import numpy as np
import openvino
import pytest
from model_api.adapters import OpenvinoAdapter
from model_api.models import Model
from tiny_models import HEADER

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.export.openvino import append_verdict, read_without_verdict, save_ir


def create(path):
    """Left to itself OpenVINO computes in bfloat16 where the processor can: the scores would be others."""
    adapter = OpenvinoAdapter(open_core(), str(path), plugin_config={"INFERENCE_PRECISION_HINT": "f32"})
    return Model.create_model(adapter)


@pytest.fixture(scope="module", params=["converted", "appended"])
def detector(models, tmp_path_factory, request):
    """With the verdict that ONNX has, as FP32 and FP16 have, and with one that was appended, as INT8 has."""
    path = models / "openvino/fp32/1/model.xml"
    if request.param == "appended":
        model = read_without_verdict(path)
        append_verdict(model, HEADER)
        path = tmp_path_factory.mktemp("appended") / "model.xml"
        save_ir(model, HEADER, path, fp16=False)
    return create(path)


def test_it_is_recognised_by_what_stands_in_the_file(detector):
    assert type(detector).__name__ == "AnomalyDetection"


def test_verdict_map_and_shown_score_are_those_of_our_engine(detector, models, images):
    engine = load_engine(models)
    for image in images:
        maps, scores = engine.run(image[None])
        result = detector(np.ascontiguousarray(image[..., ::-1]))  # BGR, as OpenCV reads it
        shown = engine.header.scale_score(float(scores[0]))
        anomalous = scores[0] > HEADER.threshold
        assert result.pred_label == ("Anomalous" if anomalous else "Normal")
        assert result.pred_score == pytest.approx(shown if anomalous else 1 - shown, abs=1e-5)
        np.testing.assert_array_equal(result.pred_mask, maps[0] >= HEADER.threshold)
        levels = np.clip((maps[0] - HEADER.threshold) / HEADER.display_scale + 0.5, 0, 1) * 255
        assert np.abs(result.anomaly_map - levels).max() <= 0.51


def test_the_verdict_follows_the_threshold_in_the_file(models, images, tmp_path):
    """Some images of other thresholds are anomalous: the test above cannot pass by one label for all."""
    core = open_core()
    ir = core.read_model(models / "openvino/fp32/1/model.xml")
    lowest = float(load_engine(models).run(images).scores.min())
    ir.set_rt_info(str(lowest + 1e-4), ["model_info", "image_threshold"])
    openvino.save_model(ir, tmp_path / "model.xml", compress_to_fp16=False)
    detector = create(tmp_path / "model.xml")
    labels = [detector(np.ascontiguousarray(image[..., ::-1])).pred_label for image in images]
    assert sorted(labels) == ["Anomalous", "Anomalous", "Normal"]
