"""The last convolutions' weights, on graphs so small that what they see can be written down."""

import numpy as np
import openvino
import pytest
from openvino import opset13 as opset

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.export.int8.convolutions import get_weights, list_last
from efficientad.deploy.export.int8.last_layers import round_last_layers, sum_products

COLOUR = np.array([10, 20, 60])
IMAGES = np.tile(COLOUR.astype(np.uint8), (9, 6, 8, 1))  # more than are multiplied together at a time
PATCHES = 256  # of each image


def build(*weights, share=False):
    """uint8 RGB -> two convolutions one behind the other, the second one once for each of `weights`."""
    image = opset.parameter([-1, 6, 8, 3], np.uint8, name="image")
    pixels = opset.convert(opset.transpose(image, np.array([0, 3, 1, 2])), "f32")
    hidden = convolve(pixels, opset.constant(np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)))
    constants = [opset.constant(one.astype(np.float32)) for one in weights]
    constants = constants[:1] * 2 if share else constants
    return openvino.Model([opset.result(convolve(hidden, constant)) for constant in constants], [image])


def convolve(values, weights):
    return opset.convolution(values, weights, [1, 1], [0, 0], [0, 0], [1, 1])


def run(model, images):
    return open_core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(images)[0].copy()


def test_products_are_those_of_what_the_convolutions_see():
    model = build(np.ones((4, 3, 1, 1)), np.ones((2, 3, 2, 1)))
    small, large = sorted(sum_products(model, list_last(model), IMAGES).values(), key=len)
    np.testing.assert_allclose(small, len(IMAGES) * PATCHES * np.outer(COLOUR, COLOUR))
    twice = np.repeat(COLOUR, 2)  # two rows of each channel
    np.testing.assert_allclose(large, len(IMAGES) * PATCHES * np.outer(twice, twice))


def test_what_shared_weights_see_in_several_places_is_added():
    model = build(np.ones((4, 3, 1, 1)), share=True)
    (products,) = sum_products(model, list_last(model), IMAGES).values()
    np.testing.assert_allclose(products, 2 * len(IMAGES) * PATCHES * np.outer(COLOUR, COLOUR))


@pytest.mark.parametrize("share", [False, True])
def test_rounded_weights_are_eight_bits_and_keep_the_results_better_than_the_nearest(share):
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(16, 3, 2, 2))
    images = rng.integers(0, 256, (9, 6, 8, 1), dtype=np.uint8) + np.zeros((1, 1, 1, 3), np.uint8)  # grey
    model = build(weights, share=share)
    expected = run(model, images)
    round_last_layers(model, images)
    steps = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / 127
    for node in list_last(model):
        levels = get_weights(node).data / steps
        np.testing.assert_allclose(levels, np.round(levels), atol=1e-4)
    nearest = run(build(np.round(weights / steps) * steps), images)
    assert np.square(run(model, images) - expected).mean() < 0.3 * np.square(nearest - expected).mean()
