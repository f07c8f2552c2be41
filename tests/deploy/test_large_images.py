"""A large image with a region of interest: every runtime gives the same map and score, of each kind of detector."""

import json
from dataclasses import replace

import numpy as np
import pytest
from slow_score import find_largest_mean
from tiny_models import HEADER, build_tiny

from efficientad.data.images.encoding import write_png
from efficientad.data.images.reading import read_image
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.export.int8.quantise import quantise
from efficientad.deploy.export.onnx import write_onnx
from efficientad.deploy.export.openvino import save_ir, write_openvino
from efficientad.deploy.predictor import predict_image
from efficientad.model.weights import load_header, save_weights

SIZE = (260, 1120)  # two tiles; a backbone sees it at 256 x 1088 px
WINDOW = {"S": (1, 1), "L": (24, 24)}  # 260 * 24 / 256 px and 1120 * 24 / 1088 px, in steps of 4 px
BANKS = {"S": [], "L": [("detail", 30), ("fine", 40), ("coarse", 10)]}
IR = "openvino/fp32/1/model.xml"
REGION = np.zeros(SIZE, bool)
REGION[40:200, 100:1000] = True


@pytest.fixture(scope="module", params=BANKS)
def large_models(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("large")
    header = replace(HEADER, size=request.param, image_size=SIZE)
    detector = build_tiny(request.param, BANKS[request.param], shared_convolutions=2)
    detector.set_region(REGION)
    values = header.describe() | {"shared_convolutions": 2, "region": True, "memory_banks": detector.describe_banks()}
    save_weights(detector, folder / "detector.safetensors", values)
    write_onnx(detector, header, folder / "detector.onnx")
    write_openvino(folder / "detector.onnx", header, folder / IR, fp16=False)
    return folder


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    path = tmp_path_factory.mktemp("image") / "large.png"
    write_png(path, np.random.default_rng(0).integers(0, 256, (2 * SIZE[0], SIZE[1] + 80, 3), dtype=np.uint8))
    return path


@pytest.fixture(scope="module")
def expected(large_models, image):
    return predict_image(load_engine(large_models / "detector.safetensors"), read_image(image))


def test_torch_judges_the_region_alone(expected):
    assert expected.anomaly_map.shape == SIZE
    assert (expected.anomaly_map[~REGION] == 0).all()
    assert (expected.anomaly_map[REGION] != 0).mean() > 0.99


def test_the_score_is_the_largest_mean_over_a_window(large_models, expected):
    window = WINDOW[load_header(large_models / "detector.safetensors")["size"]]
    assert expected.score == pytest.approx(find_largest_mean(expected.anomaly_map, window), rel=1e-5)
    assert (expected.score < expected.anomaly_map.max()) == (window != (1, 1))


@pytest.mark.parametrize("file", ["detector.onnx", IR])
def test_exported_models_give_what_torch_gives(large_models, image, expected, file):
    prediction = predict_image(load_engine(large_models / file), read_image(image))
    np.testing.assert_allclose(prediction.anomaly_map, expected.anomaly_map, atol=1e-4 * expected.anomaly_map.max())
    assert prediction.score == pytest.approx(expected.score, rel=1e-4)


def test_eight_bits_round_the_tiles_weights_alike(large_models, image, expected, tmp_path):
    normals = np.random.default_rng(1).integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    model = quantise(large_models / IR, normals, ())
    save_ir(model, replace(HEADER, image_size=SIZE), tmp_path / "model.xml", fp16=False)
    prediction = predict_image(load_engine(tmp_path / "model.xml"), read_image(image))
    difference = np.abs(prediction.anomaly_map - expected.anomaly_map)
    assert 0 < difference.mean() < 0.1 * np.abs(expected.anomaly_map).mean()


@pytest.mark.slow
def test_the_cpp_program_gives_the_same(large_models, image, expected, build):
    result = build.infer(large_models, image, "--json")
    assert json.loads(result.stdout)["score"] == pytest.approx(expected.score, rel=1e-4)
