"""The verdict behind a graph that ends in map and score: what INT8 models get once they have a threshold."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_models import HEADER

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export.openvino import append_verdict, read_without_verdict, save_ir
from efficientad.errors import ModelError
from efficientad.model.header import ModelHeader

# With a threshold of 0 or a scale of 1 there would be nothing to subtract or to divide by in a converted graph.
HEADERS = [HEADER, replace(HEADER, threshold=0.0, display_scale=1.0), replace(HEADER, threshold=-0.2)]


@pytest.fixture(scope="module")
def float_xml(models):
    return models / "openvino/fp32/1/model.xml"


def write(float_xml, path, header):
    model = read_without_verdict(float_xml)
    append_verdict(model, header)
    save_ir(model, header, path, fp16=False)
    return path


def describe_ports(ports):
    return [(port.get_names(), port.get_partial_shape(), port.get_element_type()) for port in ports]


def test_a_graph_without_verdict_gives_map_and_score_alone_and_the_same(float_xml, images):
    model = read_without_verdict(float_xml)
    assert [output.get_any_name() for output in model.outputs] == ["anomaly_map", "anomaly_score"]
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    raw, expected = (open_core().compile_model(graph, "CPU", settings)(images) for graph in (model, float_xml))
    for name in ("anomaly_map", "anomaly_score"):
        np.testing.assert_array_equal(raw[name], expected[name])


@pytest.mark.parametrize("header", HEADERS)
def test_inputs_and_outputs_are_the_float_model_s(float_xml, tmp_path, header):
    core = open_core()
    expected, appended = core.read_model(float_xml), core.read_model(write(float_xml, tmp_path / "model.xml", header))
    assert len(expected.outputs) == 4
    assert describe_ports(appended.outputs) == describe_ports(expected.outputs)
    assert describe_ports(appended.inputs) == describe_ports(expected.inputs)


@pytest.mark.parametrize("header", HEADERS)
def test_the_verdict_is_that_of_the_header(float_xml, images, tmp_path, header: ModelHeader):
    engine = OpenVINOEngine(write(float_xml, tmp_path / "model.xml", header))
    scores = engine.run(images).scores
    outputs = engine.compiled(images)
    assert engine.header == header
    shown = np.clip((scores - header.threshold) / header.display_scale + 0.5, 0, 1)
    np.testing.assert_allclose(outputs["display_score"], shown, atol=1e-6)
    np.testing.assert_array_equal(outputs["is_anomalous"], scores > header.threshold)


def test_a_threshold_between_the_scores_splits_them(float_xml, images, tmp_path):
    """The test above would pass with one verdict for all."""
    low, middle, high = sorted(OpenVINOEngine(float_xml).run(images).scores)
    engine = OpenVINOEngine(write(float_xml, tmp_path / "model.xml", replace(HEADER, threshold=float(middle))))
    assert sorted(engine.compiled(images)["is_anomalous"]) == [False, False, True]
    assert low < middle < high


def test_it_has_the_same_bytes_each_time(float_xml, tmp_path):
    first, second = (write(float_xml, tmp_path / name / "model.xml", HEADER) for name in "ab")
    for suffix in (".xml", ".bin"):
        assert first.with_suffix(suffix).read_bytes() == second.with_suffix(suffix).read_bytes()


def test_a_full_disk_is_told_and_leaves_no_model(float_xml, tmp_path):
    resource = pytest.importorskip("resource")
    model = read_without_verdict(float_xml)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(ModelError, match=r"expected room for new\.xml in the folder of temporary files"):
            save_ir(model, HEADER, tmp_path / "new.xml", fp16=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())
