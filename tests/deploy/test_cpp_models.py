"""The C++ program opens the models that Python opens, says the same of the others, and takes their thresholds alike."""

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
from changed_ir import change_metadata
from odd_values import IMPOSSIBLE, POSSIBLE
from openvino import opset13 as opset
from tiny_graph import write_tiny_ir
from tiny_models import HEADER, SIDE

from efficientad.data.images.encoding import write_png
from efficientad.data.images.reading import read_image
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.export.openvino import append_verdict, read_without_verdict, save_ir
from efficientad.deploy.predictor import predict_image
from efficientad.deploy.threshold.scoring import Scores
from efficientad.deploy.threshold.setting import Setting, write_settings
from efficientad.errors import ModelError

pytestmark = pytest.mark.slow

IR = "openvino/fp32/1/model.xml"


@pytest.fixture(scope="session")
def image(tmp_path_factory):
    """A file of noise at the models' size."""
    file = tmp_path_factory.mktemp("image") / "noise.png"
    write_png(file, np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    return file


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A model of some kilobytes."""
    return write_tiny_ir(tmp_path_factory.mktemp("tiny") / "model.xml")


def test_a_folder_of_versions_opens_the_largest_number(build, models, image, tmp_path):
    """10, which as text stands before 9; a folder of another name is no version."""
    for name in ("9", "10", "old"):
        (tmp_path / name).mkdir()
        change_metadata(models / IR, tmp_path / name, "image_threshold", f"{len(name)}.5")
    (record,) = build.judge(tmp_path, image)
    assert record["threshold"] == load_engine(tmp_path).header.threshold == 2.5


def test_the_threshold_is_the_models(build, models, image, tmp_path):
    score = predict_image(load_engine(models / IR), read_image(image)).score
    for threshold, verdict in ((score - 0.01, "anomalous"), (score + 0.01, "normal")):
        (record,) = build.judge(change_metadata(models / IR, tmp_path, "image_threshold", str(threshold)), image)
        assert record["threshold"] == threshold
        assert record["verdict"] == verdict


def test_a_score_at_the_threshold_is_normal_as_in_python(build, tiny, image, tmp_path):
    (before,) = build.judge(tiny, image)
    just_below = float(np.nextafter(before["score"], -np.inf))  # as a double: closer than any other float
    for threshold, verdict in ((before["score"], "normal"), (just_below, "anomalous")):
        model = change_metadata(tiny, tmp_path, "image_threshold", repr(threshold))
        (record,) = build.judge(model, image)
        assert (record["score"], record["threshold"], record["verdict"]) == (before["score"], threshold, verdict)
        expected = predict_image(load_engine(model), read_image(image))
        assert (expected.score, expected.verdict) == (record["score"], verdict)


def test_a_threshold_that_the_station_set_is_read(build, models, image, tmp_path):
    shutil.copytree((models / IR).parent, tmp_path / "model")
    header = replace(HEADER, threshold=0.123456789, false_alarm_rate=0.02, display_scale=0.75)
    setting = Setting(tmp_path / "model/model.xml", HEADER, header, Scores(np.zeros(50), np.arange(50), 0), None)
    write_settings(setting.file, [setting])
    (record,) = build.judge(setting.file, image)
    (before,) = build.judge(models / IR, image)
    assert (record["score"], record["threshold"]) == (before["score"], 0.123456789)
    assert record["display_score"] == pytest.approx(header.scale_score(record["score"]), abs=2e-6)


def test_a_score_that_is_no_number_is_an_error_of_its_image_and_no_verdict(build, models, image, tmp_path):
    model = read_without_verdict(models / IR)
    result = model.output("anomaly_score").get_node()
    broken = opset.multiply(result.input_value(0), np.float32(np.nan)).output(0)
    result.input_value(0).get_tensor().set_names(set())
    result.input(0).replace_source_output(broken)
    broken.get_tensor().set_names({"anomaly_score"})
    append_verdict(model, HEADER)
    save_ir(model, HEADER, tmp_path / "model.xml", fp16=False)
    result = build.infer(tmp_path / "model.xml", image, image, "--json")
    assert result.returncode == 3
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [set(record) for record in records] == [{"image", "error"}] * 2
    assert "expected a finite score and map, got the score nan" in records[0]["error"]


MISSING = [(key, None) for key in ("image_threshold", "training_data", "size", "threshold_policy", "branches")]


@pytest.mark.parametrize(("key", "value"), [*IMPOSSIBLE, *POSSIBLE, *MISSING])
def test_metadata_are_refused_in_python_s_words_or_read(build, tiny, image, tmp_path, key, value):
    model = change_metadata(tiny, tmp_path, key, value)
    run = build.infer(model, image, "--json")
    try:
        threshold = load_engine(model).header.threshold
    except ModelError as error:
        assert (run.returncode, run.stdout, run.stderr) == (1, "", f"efficientad_infer: {error}\n")
    else:
        assert (run.returncode, run.stderr) == (0, "")
        assert json.loads(run.stdout)["threshold"] == threshold


def test_a_graph_of_another_size_than_its_header_says_is_refused(build, models, image, tmp_path):
    run = build.infer(change_metadata(models / IR, tmp_path, "image_size", "128 64"), image)
    assert (run.returncode, run.stdout) == (1, "")
    expected = r"expected pixels of image_size 128 64 in .*, got \[\?,64,64,3\]; export it again \(`dvc repro export`\)"
    assert re.fullmatch(f"efficientad_infer: {expected}\n", run.stderr)


def test_a_flipped_bit_is_refused_in_one_line_wherever_it_is(build, image, tmp_path):
    """40 places of a model of some kilobytes; the places are tried one by one in tests/deploy/format."""
    tiny = write_tiny_ir(tmp_path / "model.xml")
    (whole,) = build.judge(tiny, image)
    assert whole["score"] == pytest.approx(predict_image(load_engine(tiny), read_image(image)).score, rel=1e-5)
    rng = np.random.default_rng(0)
    for file in (tiny, tiny.with_suffix(".bin")):
        content = file.read_bytes()
        begin = content.find(b"<checksum value=")
        for place in [0, *rng.integers(0, len(content), 17), begin + 20, len(content) - 1]:
            damaged = bytearray(content)
            damaged[place] ^= 1 << int(rng.integers(8))
            file.write_bytes(damaged)
            result = build.infer(tiny, image)
            assert (result.returncode, result.stdout) == (1, ""), (file.name, place)
            assert re.fullmatch(r"efficientad_infer: expected .*\(`dvc repro export`\)\n", result.stderr), result.stderr
        file.write_bytes(content[:-100])
        assert build.infer(tiny, image).returncode == 1
        file.write_bytes(content)
    tiny.with_suffix(".bin").write_bytes(content + b"what a later threshold appends")
    assert build.judge(tiny, image) == [whole]


def test_models_that_are_missing_or_foreign_are_refused_in_one_line(build, models, image, tmp_path):
    (tmp_path / "broken.xml").write_text("<net/>")
    for model, message in {
        tmp_path / "absent.xml": "expected a model at .*, found none",
        tmp_path: "expected a model at .*1/model.xml, found none",
        models / "detector.onnx": r"expected an OpenVINO IR \(\.xml\), got .*detector\.onnx",
        tmp_path / "broken.xml": "expected an OpenVINO IR at",
    }.items():
        result = build.infer(model, image)
        assert (result.returncode, result.stdout) == (1, "")
        assert re.fullmatch(f"efficientad_infer: {message}.*\n", result.stderr)
    result = build.infer(models, image, "--device", "NONE")
    assert result.returncode == 1
    assert re.fullmatch("efficientad_infer: expected .* to run on NONE: .*\n", result.stderr)
