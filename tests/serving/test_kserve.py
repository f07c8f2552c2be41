"""The KServe V2 protocol: what a client of another's making finds."""

import numpy as np
import pytest
from running_server import BrokenEngine, draw_part, read_error, run_station
from tiny_models import SIDE

from efficientad.data.images.encoding import encode_png
from efficientad.deploy.format.names import OUTPUTS
from efficientad.serving.models import ServedModel

IMAGES = np.stack([draw_part(), draw_part(defect=True)])
FLAT = IMAGES.reshape(-1).tolist()
URL = "/v2/models/washer/infer"


def ask(data, shape=IMAGES.shape, **others):
    return {"inputs": [{"name": "image", "datatype": "UINT8", "shape": list(shape), "data": data}], **others}


def read_tensor(output):
    kinds = {"FP32": np.float32, "BOOL": np.bool_}
    return np.array(output["data"], kinds[output["datatype"]]).reshape(output["shape"])


@pytest.mark.parametrize("data", [IMAGES.tolist(), FLAT], ids=["nested", "flat"])
def test_the_outputs_are_the_graphs(client, loaded, data):
    answer = client.post(URL, json=ask(data, id="7")).json()
    expected = loaded["washer"].engine.infer(IMAGES)
    assert {key: answer[key] for key in ("id", "model_name", "model_version")} == {
        "id": "7", "model_name": "washer", "model_version": "1",
    }  # fmt: skip
    assert [output["name"] for output in answer["outputs"]] == list(OUTPUTS)
    for output in answer["outputs"]:
        np.testing.assert_allclose(read_tensor(output), expected[output["name"]], atol=1e-6)
    assert read_tensor(answer["outputs"][3]).tolist() == [False, True]


def test_a_tensor_gets_the_score_of_an_upload(client):
    answer = client.post(URL, json=ask(IMAGES[1:].tolist(), (1, SIDE, SIDE, 3), outputs=[{"name": "anomaly_score"}]))
    (output,) = answer.json()["outputs"]
    uploaded = client.post("/predict?model=washer", content=encode_png(IMAGES[1])).json()
    assert output["data"] == [uploaded["score"]]


def test_metadata_have_the_forms_of_the_answers(client):
    described = client.get("/v2/models/washer").json()
    assert described["platform"] == "openvino"
    assert described["inputs"] == [{"name": "image", "datatype": "UINT8", "shape": [-1, SIDE, SIDE, 3]}]
    answered = client.post(URL, json=ask(IMAGES.tolist())).json()["outputs"]
    for tensor, output in zip(described["outputs"], answered, strict=True):
        assert (tensor["name"], tensor["datatype"]) == (output["name"], output["datatype"])
        assert [len(IMAGES), *tensor["shape"][1:]] == output["shape"]


def test_server_and_models_are_ready(client):
    assert client.get("/v2").json()["name"] == "efficientad"
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}
    assert client.get("/v2/models/other/ready").json() == {"name": "other", "ready": True}


def test_the_version_may_be_named(client):
    (version,) = client.get("/v2/models/washer").json()["versions"]
    named = f"/v2/models/washer/versions/{version}"
    assert client.get(named).json() == client.get("/v2/models/washer").json()
    assert client.get(f"{named}/ready").json()["ready"] is True
    assert client.post(f"{named}/infer", json=ask(FLAT)).text == client.post(URL, json=ask(FLAT)).text
    assert client.get("/v2/models/washer/versions/2").status_code == 404


@pytest.mark.parametrize("path", ["", "/ready"])
def test_an_unknown_model(client, path):
    answer = client.get(f"/v2/models/gear{path}")
    assert answer.status_code == 404
    assert read_error(answer) == "expected a model of washer, other, got gear"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"", "expected a JSON object"),
        (b"[1]", "expected a JSON object, got list"),
        (b"[" * 100_000, "expected a JSON object"),
        (b"\xff\xfe", "expected a JSON object"),
        ({}, "expected one tensor in inputs"),
        ({"inputs": "image"}, "expected one tensor in inputs"),
        ({"inputs": [{"name": "picture"}]}, 'expected image as name of the input, got "picture"'),
        ({"inputs": [{"name": "image", "datatype": "FP32"}]}, "expected UINT8 as datatype"),
        (ask(FLAT, (2, 3, SIDE, SIDE)), "expected the shape [images, 64, 64, 3], got [2, 3, 64, 64]"),
        (ask(FLAT, (0, SIDE, SIDE, 3)), "expected the shape"),
        (ask(FLAT, (2.0, SIDE, SIDE, 3)), "expected the shape"),
        (ask(FLAT, ()), "expected the shape"),
        (ask(FLAT[:-1]), "expected 24576 whole numbers as data, got 24575"),
        (ask(FLAT[:-1], (10**12, SIDE, SIDE, 3)), "whole numbers as data"),
        (ask([[1], [2, 3]]), "got rows of different lengths"),
        (ask([*FLAT[:-1], 256]), "expected whole numbers from 0 to 255"),
        (ask([*FLAT[:-1], -1]), "expected whole numbers from 0 to 255"),
        (ask([*FLAT[:-1], 10**30]), "expected whole numbers from 0 to 255"),
        (ask([*FLAT[:-1], 0.5]), "expected whole numbers from 0 to 255"),
        (ask([*FLAT[:-1], "1"]), "expected whole numbers from 0 to 255"),
        (ask([True] * len(FLAT)), "expected whole numbers from 0 to 255"),
        (ask(None), "whole numbers as data"),
        (ask(FLAT, outputs=[{"name": "mask"}]), "expected outputs of anomaly_map, anomaly_score"),
        (ask(FLAT, outputs="all"), "expected outputs of"),
    ],
)
def test_a_request_that_does_not_fit_is_told_what_is_expected(client, body, line):
    answer = client.post(URL, content=body) if isinstance(body, bytes) else client.post(URL, json=body)
    assert answer.status_code == 400
    assert line in read_error(answer)


def test_a_score_that_is_not_finite_is_an_error(loaded):
    engine = BrokenEngine(loaded["washer"].engine, float("nan"))
    with run_station({"washer": ServedModel("washer", engine, None)}) as client:
        answer = client.post(URL, json=ask(FLAT))
        assert answer.status_code == 422
        assert "finite" in read_error(answer)
