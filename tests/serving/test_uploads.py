"""Uploads get what `efficientad predict` writes for the same file."""

import base64
import json
import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from running_server import BrokenEngine, draw_part, read_error, run_station

from efficientad.data.images.encoding import encode_png
from efficientad.deploy.batch import predict_files
from efficientad.deploy.judge import Output
from efficientad.deploy.predictor import predict_image
from efficientad.deploy.records import Run
from efficientad.deploy.regions import find_regions
from efficientad.errors import ModelError
from efficientad.serving.models import ServedModel

FORMATS = {"PNG": {}, "JPEG": {}, "BMP": {}, "TIFF": {}, "WEBP": {"lossless": True}}


def write_files(folder):
    """Images of each format, of another size than the model's, one turned by its EXIF orientation."""
    folder.mkdir()
    for index, (kind, options) in enumerate(FORMATS.items()):
        image = draw_part(defect=index % 2 == 0, scale=2, seed=index)[:, :100]
        Image.fromarray(image).save(folder / f"{index}.{kind.lower()}", kind, **options)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(draw_part(defect=True)[:, :40]).save(folder / "turned.jpg", exif=exif)
    Image.fromarray(np.arange(0, 65535, 16, dtype=np.uint16).reshape(64, 64)).save(folder / "deep.png")
    return folder


def test_an_upload_gets_the_score_and_the_heat_map_of_the_command_line(client, loaded, tmp_path):
    images, out = write_files(tmp_path / "images"), tmp_path / "out"
    run = Run(str(images), "", "CPU", "f32", heat_maps=True, maps="")
    assert predict_files(loaded["other"].engine, [images], Output(out, heat_maps=True), run) == 0
    records = [json.loads(line) for line in (out / "predictions.jsonl").read_text("utf-8").splitlines()]
    assert len(records) == len(FORMATS) + 2
    for record in records:
        payload = (images / record["image"]).read_bytes()
        answer = client.post("/predict?model=other&heat_map=true", content=payload).json()
        assert {key: answer[key] for key in ("score", "threshold", "verdict")} == {
            key: record[key] for key in ("score", "threshold", "verdict")
        }
        assert base64.b64decode(answer["heat_map"]) == (out / record["heat_map"]).read_bytes()
    assert len({record["verdict"] for record in records}) == 2


def test_the_answer_has_regions_in_the_images_own_pixels(client, loaded):
    image = draw_part(defect=True, scale=3)
    answer = client.post("/predict", params={"model": "washer"}, content=encode_png(image)).json()
    prediction = predict_image(loaded["washer"].engine, image)
    expected = find_regions(prediction.anomaly_map, prediction.threshold, image.shape[:2])
    assert set(answer) == {"model", "score", "threshold", "verdict", "image_size", "regions"}
    assert answer["image_size"] == [192, 192]
    assert [(tuple(one["box"]), one["area"], one["score"]) for one in answer["regions"]] == [
        (one.box, one.area, one.score) for one in expected
    ]
    assert expected


def test_the_anomaly_map_comes_as_float32_on_request(client, loaded):
    image = draw_part(defect=True)
    given = client.post("/predict?model=washer&anomaly_map=true", content=encode_png(image)).json()["anomaly_map"]
    values = np.frombuffer(base64.b64decode(given["data"]), "<f4").reshape(given["height"], given["width"])
    np.testing.assert_array_equal(values, predict_image(loaded["washer"].engine, image).anomaly_map)


def test_accept_png_gives_the_heat_map_and_its_verdict(client):
    payload = encode_png(draw_part(defect=True))
    answer = client.post("/predict?model=washer", content=payload, headers={"Accept": "image/png"})
    asked = client.post("/predict?model=washer&heat_map=true", content=payload).json()
    assert answer.headers["content-type"] == "image/png"
    assert answer.content == base64.b64decode(asked["heat_map"])
    assert answer.headers["x-verdict"] == "anomalous"
    assert float(answer.headers["x-score"]) == asked["score"]


def test_a_form_a_body_and_curls_default_type_are_the_same_upload(client):
    payload = encode_png(draw_part())
    curl = {"Content-Type": "application/x-www-form-urlencoded"}
    answers = [
        client.post("/predict?model=washer", files={"anything": ("part.png", payload)}),
        client.post("/predict?model=washer", content=payload),
        client.post("/predict?model=washer", content=payload, headers=curl),
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.text for answer in answers}) == 1


def test_one_model_needs_no_name(loaded):
    with run_station({"washer": loaded["washer"]}) as client:
        assert client.post("/predict", content=encode_png(draw_part())).json()["model"] == "washer"


@pytest.mark.parametrize(
    ("query", "body", "status", "line"),
    [
        ("?model=gear", b"", 404, "expected a model of washer, other, got gear"),
        ("", b"", 400, "expected ?model= with one of washer, other, got none"),
        ("?model=washer", b"", 400, "cannot read the image: the file is empty"),
        ("?model=washer", b"%PDF-1.7", 400, "is not a JPEG, PNG, TIFF, BMP or WebP image"),
        ("?model=washer&heat_map=perhaps", b"", 400, "query.heat_map: "),
    ],
)
def test_what_cannot_be_judged_gets_one_line(client, query, body, status, line):
    answer = client.post(f"/predict{query}", content=body)
    assert answer.status_code == status
    assert line in read_error(answer)


def test_a_broken_image_gets_one_line(client):
    payload = encode_png(draw_part())
    answer = client.post("/predict?model=washer", content=payload[: len(payload) // 2])
    assert answer.status_code == 400
    assert read_error(answer).startswith("cannot read the image: the file is cut short")


def test_more_pixels_than_allowed_are_not_decoded(client, monkeypatch):
    """A file of a few bytes that announces two gigapixels."""
    chunks = (b"IHDR" + struct.pack(">II", 50_000, 40_000) + b"\x08\x00\x00\x00\x00", b"IEND")
    payload = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )
    monkeypatch.setattr("efficientad.serving.judging.decode_image", lambda *_: pytest.fail("it was decoded"))
    answer = client.post("/predict?model=washer", content=payload)
    assert answer.status_code == 413
    assert read_error(answer).startswith("expected an image of at most 32 megapixels, got 50000 x 40000 px")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_is_an_error_and_no_verdict(loaded, value):
    """NaN is above no threshold: without the check every part would be called normal."""
    broken = {"washer": ServedModel("washer", BrokenEngine(loaded["washer"].engine, value), None)}
    with run_station(broken) as client:
        answer = client.post("/predict", content=encode_png(draw_part()))
        assert answer.status_code == 422
        assert "finite" in read_error(answer)
        assert 'efficientad_images_total{model="washer",verdict="error"} 1.0' in client.get("/metrics").text


def test_a_model_that_cannot_judge_an_image_says_why(client, monkeypatch):
    def refuse(*_):
        raise ModelError("expected a finite map, got none; export it again")

    monkeypatch.setattr("efficientad.serving.judging.predict_image", refuse)
    answer = client.post("/predict?model=washer", content=encode_png(draw_part()))
    assert (answer.status_code, read_error(answer)) == (422, "expected a finite map, got none; export it again")
