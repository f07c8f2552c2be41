import numpy as np
import pytest
from int8_data import IMAGES, NORMALS
from tiny_models import HEADER

from efficientad.deploy.engines.openvino import OpenVINOEngine
from efficientad.deploy.export.int8.quantise import list_candidates, quantise
from efficientad.deploy.export.openvino import save_ir


@pytest.fixture(scope="module")
def eight_bits(quantise_once, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "model.xml"
    save_ir(quantise_once(("first",)), HEADER, path, fp16=False)
    return path


def test_eight_bits_stay_near_the_float_model_and_take_less_room(float_xml, eight_bits):
    maps, scores = OpenVINOEngine(float_xml).run(IMAGES)
    outputs = OpenVINOEngine(eight_bits).run(IMAGES)
    assert 0 < np.abs(outputs.maps - maps).mean() < 0.1 * np.abs(maps).mean()
    assert np.abs(outputs.scores - scores).max() < 0.15 * scores.max()
    assert eight_bits.with_suffix(".bin").stat().st_size < 0.35 * float_xml.with_suffix(".bin").stat().st_size


def test_the_same_model_and_images_give_the_same_bytes(float_xml, eight_bits, tmp_path):
    save_ir(quantise(float_xml, NORMALS, ("first",)), HEADER, tmp_path / "model.xml", fp16=False)
    for suffix in (".xml", ".bin"):
        assert (tmp_path / f"model{suffix}").read_bytes() == eight_bits.with_suffix(suffix).read_bytes()


def test_candidates_that_keep_the_same_are_one(float_xml, monkeypatch):
    assert list(list_candidates(float_xml)) == ["first", "first block", "first two blocks", "first and last"]
    monkeypatch.setattr("efficientad.deploy.export.int8.convolutions.list_first_blocks", lambda _: ([], []))
    assert list(list_candidates(float_xml)) == ["first", "first and last"]  # without a depthwise network
