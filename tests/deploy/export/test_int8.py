from functools import cache

import nncf
import numpy as np
import openvino
import pytest
from tiny_models import HEADER, SIDE

from efficientad.data.defects.trial import Trial
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export import int8
from efficientad.deploy.export.accuracy import Accuracy
from efficientad.deploy.export.int8 import Allowed, Choice, fit_header, refuse, write_int8
from efficientad.deploy.export.openvino import save_ir
from efficientad.deploy.export.quantise import KEPT, find_float_nodes, quantise
from efficientad.deploy.predictor import load_engine

RNG = np.random.default_rng(0)
NORMALS = RNG.integers(0, 256, (6, SIDE, SIDE, 3), dtype=np.uint8)
IMAGES = RNG.integers(0, 256, (24, SIDE, SIDE, 3), dtype=np.uint8)
TRIAL = Trial(
    IMAGES,
    np.repeat(["good", "brightness", "defect"], [19, 2, 3]),
    np.arange(24).astype(str),
    np.arange(24)[:, None, None] >= np.full((SIDE, SIDE), 21),
)
ALLOWED = Allowed(0.005, 0.01, 0.3)


@pytest.fixture(scope="module")
def float_xml(models):
    return models / "openvino/fp32/1/model.xml"


@pytest.fixture(scope="module")
def quantise_once(float_xml):
    """`quantise` of the same model and images, of each choice of what is kept once: half a minute each."""
    quantised = cache(lambda kept: quantise(float_xml, NORMALS, kept))
    return lambda kept: quantised(kept).clone()


@pytest.fixture
def candidates(quantise_once, monkeypatch):
    """What `write_int8` asks to be quantised, in its order."""
    asked = []
    monkeypatch.setattr(int8, "quantise", lambda _xml, _images, kept: [asked.append(kept), quantise_once(kept)][1])
    return asked


@pytest.fixture(scope="module")
def eight_bits(quantise_once, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "model.xml"
    save_ir(quantise_once(("first",)), HEADER, path, fp16=False)
    return path


def list_convolutions(model, names):
    nodes = [node for node in model.get_ordered_ops() if node.get_friendly_name() in names]
    return [node for node in nodes if node.get_type_name() == "Convolution"]


def test_the_score_s_tail_and_the_arithmetic_on_pixels_stay_in_float(float_xml):
    model = openvino.Core().read_model(float_xml)
    names = find_float_nodes(model, ())
    types = {node.get_type_name() for node in model.get_ordered_ops() if node.get_friendly_name() in names}
    assert {"ReduceMax", "ReduceMean", "Subtract", "Multiply", "Convert", "Transpose"} <= types
    assert not list_convolutions(model, names)


def test_kept_convolutions_are_those_on_the_image_and_those_before_the_maps(float_xml):
    model = openvino.Core().read_model(float_xml)

    def channels(kept, side):
        nodes = list_convolutions(model, find_float_nodes(model, kept))
        return sorted(getattr(node, side)(0).get_partial_shape()[1].get_length() for node in nodes)

    assert channels(("first",), "input") == [3] * 5  # teacher, student, autoencoder, two sizes of the memory banks
    assert channels(("last",), "output") == [384, 384, 384, 384, 768]


def test_eight_bits_stay_near_the_float_model_and_take_less_room(float_xml, eight_bits):
    maps, scores = OpenVINOEngine(float_xml).run(IMAGES)
    found = OpenVINOEngine(eight_bits).run(IMAGES)
    assert 0 < np.abs(found.maps - maps).mean() < 0.1 * np.abs(maps).mean()
    assert np.abs(found.scores - scores).max() < 0.15 * scores.max()
    assert eight_bits.with_suffix(".bin").stat().st_size < 0.35 * float_xml.with_suffix(".bin").stat().st_size


def test_the_same_model_and_images_give_the_same_bytes(float_xml, eight_bits, tmp_path):
    save_ir(quantise(float_xml, NORMALS, ("first",)), HEADER, tmp_path / "model.xml", fp16=False)
    for suffix in (".xml", ".bin"):
        assert (tmp_path / f"model{suffix}").read_bytes() == eight_bits.with_suffix(suffix).read_bytes()


def test_the_first_candidate_that_keeps_the_accuracy_is_written(float_xml, candidates, tmp_path, monkeypatch):
    accuracies = iter([(0.95, 0.9), (0.80, 0.9), (0.95, 0.88), (0.948, 0.895)])  # float, then a candidate each
    monkeypatch.setattr(int8, "measure_accuracy", lambda *_: Accuracy(*next(accuracies)))
    choice = write_int8(float_xml, HEADER, tmp_path / "1/model.xml", NORMALS, TRIAL, ALLOWED)
    assert choice.kept == "last"
    assert choice.auroc_drops == pytest.approx({"nothing": 0.15, "first": 0.0, "last": 0.002})
    assert choice.au_pro_drops == pytest.approx({"nothing": 0.0, "first": 0.02, "last": 0.005})
    assert candidates == [(), ("first",), ("last",)]  # each is quantised once, the chosen one, too
    assert load_engine(tmp_path).header.category == HEADER.category


def test_it_has_a_threshold_of_its_own_in_its_header_and_in_its_graph(float_xml, tmp_path, monkeypatch):
    path, nncf_quantize, graphs = tmp_path / "model.xml", nncf.quantize, []
    monkeypatch.setattr(nncf, "quantize", lambda model, *rest, **options: [
        graphs.append([output.get_any_name() for output in model.outputs]), nncf_quantize(model, *rest, **options)
    ][1])  # fmt: skip
    write_int8(float_xml, HEADER, path, NORMALS, TRIAL, Allowed(1, 1, 0.3))
    assert graphs == [["anomaly_map", "anomaly_score"]]
    engine = OpenVINOEngine(path)
    scores = engine.run(IMAGES).scores
    assert engine.header.threshold == pytest.approx(float(scores[:19].max()), abs=1e-5)  # 19 images, rate 0.05
    assert engine.header.false_alarm_rate == pytest.approx(HEADER.false_alarm_rate)
    outputs = engine.compiled(IMAGES)
    clear = np.abs(scores - engine.header.threshold) > 1e-5
    np.testing.assert_array_equal(outputs["is_anomalous"][clear], (scores > engine.header.threshold)[clear])
    shown = [engine.header.scale_score(float(score)) for score in scores]
    np.testing.assert_allclose(outputs["display_score"], shown, atol=1e-4)


def test_nothing_is_written_when_no_candidate_will_do(float_xml, candidates, tmp_path, monkeypatch):
    accuracies = iter([(0.95, 0.9), (0.80, 0.9), (0.81, 0.9), (0.82, 0.9), (0.83, 0.9)])
    monkeypatch.setattr(int8, "measure_accuracy", lambda *_: Accuracy(*next(accuracies)))
    choice = write_int8(float_xml, HEADER, tmp_path / "1/model.xml", NORMALS, TRIAL, ALLOWED)
    assert choice.kept is None
    assert list(choice.auroc_drops) == list(KEPT)
    assert candidates == list(KEPT.values())
    assert not (tmp_path / "1").exists()


def test_the_refusal_says_each_drop_and_the_way_out():
    choice = Choice(None, {"nothing": 0.15, "first": 0.02}, {"nothing": 0.01, "first": 0.0})
    message = str(refuse(choice, ALLOWED))
    assert "within 0.005 and 0.01" in message
    assert "0.1500 and 0.0100 with nothing kept in float, 0.0200 and 0.0000 with first kept in float" in message
    assert "int8_fallback: fp16" in message


def test_a_refitted_header_changes_what_hangs_on_the_scores_alone():
    scores = np.linspace(0.1, 0.8, 24, dtype=np.float32)
    fitted = fit_header(HEADER, TRIAL, scores)
    assert fitted.threshold == pytest.approx(float(scores[18]))  # the largest of the 19 normal images
    changed = {name for name, value in vars(fitted).items() if value != getattr(HEADER, name)}
    assert changed == {"threshold", "display_scale"}
