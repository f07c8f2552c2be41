import openvino
import pytest

from efficientad.deploy.export.int8.convolutions import find_float_nodes


@pytest.fixture(scope="module")
def model(float_xml):
    return openvino.Core().read_model(float_xml)


def list_convolutions(model, names):
    nodes = [node for node in model.get_ordered_ops() if node.get_friendly_name() in names]
    return [node for node in nodes if node.get_type_name() == "Convolution"]


def test_the_score_s_tail_and_the_arithmetic_on_pixels_stay_in_float(model):
    names = find_float_nodes(model, ())
    types = {node.get_type_name() for node in model.get_ordered_ops() if node.get_friendly_name() in names}
    assert {"ReduceMax", "ReduceMean", "Subtract", "Multiply", "Convert", "Transpose"} <= types
    assert not list_convolutions(model, names)


def test_kept_convolutions_are_those_on_the_image_and_those_before_the_maps(model):

    def channels(kept, side):
        nodes = list_convolutions(model, find_float_nodes(model, kept))
        return sorted(getattr(node, side)(0).get_partial_shape()[1].get_length() for node in nodes)

    assert channels(("first",), "input") == [3] * 4  # teacher, student, autoencoder, backbone
    # Of the bank 20 distances and what they are distances of, its 128 components.
    assert channels(("last",), "output") == [20, 128, 384, 384, 768]


def test_early_convolutions_are_those_of_high_results(model):
    early = find_float_nodes(model, ("early",)) - find_float_nodes(model, ())
    heights = {
        node.get_friendly_name(): node.output(0).get_partial_shape()[2].get_length()
        for node in model.get_ordered_ops()
        if node.get_type_name() in ("Convolution", "GroupConvolution")
    }
    assert {name for name, height in heights.items() if height >= max(heights.values()) / 4} == early
    assert 0 < len(early) < len(heights)
