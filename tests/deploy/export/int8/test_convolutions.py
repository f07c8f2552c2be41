import pytest

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.export.int8.convolutions import find_float_nodes, list_bank_products, list_first


@pytest.fixture(scope="module")
def model(float_xml):
    return open_core().read_model(float_xml)


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


def test_the_first_blocks_are_those_behind_the_convolution_on_the_pixels_of_the_backbone_alone(model):
    """Of block 0 a depthwise convolution and a projection, of block 1 an expansion before them."""
    found = [find_float_nodes(model, kept) - find_float_nodes(model, ()) for kept in (("block",), ("second block",))]
    blocks = [[node for node in model.get_ordered_ops() if node.get_friendly_name() in names] for names in found]
    assert [[node.get_type_name() for node in block] for block in blocks] == [
        ["GroupConvolution", "Convolution"],
        ["Convolution", "GroupConvolution", "Convolution"],
    ]
    channels = [[node.output(0).get_partial_shape()[1].get_length() for node in block] for block in blocks]
    assert channels == [[32, 16], [96, 96, 24]]
    shapes = [node.output(0).get_partial_shape() for node in list_first(model)]
    assert blocks[0][0].output(0).get_partial_shape() in shapes


def test_bank_products_are_those_whose_smallest_result_is_a_distance(model):
    (product,) = list_bank_products(model)
    assert product.output(0).get_partial_shape()[1].get_length() == 20  # patches; not the teacher's differences
