"""Memory banks of what another graph computes at the places of their patches."""

import numpy as np
import openvino
import pytest
import torch
from int8_data import NORMALS
from openvino import opset13 as opset

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.export.int8.bank_patches import compute_patches, find_places, read_patches, replace_patches
from efficientad.deploy.export.int8.convolutions import list_bank_products
from efficientad.deploy.export.openvino import read_without_verdict
from efficientad.model.memory_bank import compute_nearest_map

SIDE, CHANNELS, PATCHES = 4, 3, 5
RNG = np.random.default_rng(0)
FLOAT = {"INFERENCE_PRECISION_HINT": "f32"}


def convolve(values, weights, name):
    product = opset.convolution(values, weights[:, :, None, None].astype(np.float32), [1, 1], [0, 0], [0, 0], [1, 1])
    product.set_friendly_name(name)
    return product


def build_model(shift=0.0, names=("one", "other")):
    """Two banks of zeros: one is compared with an image's colours and `shift`, the other with twice that."""
    image = opset.parameter([1, SIDE, SIDE, CHANNELS], np.float32, name="image")
    pixels = opset.add(opset.transpose(image, opset.constant([0, 3, 1, 2])), np.float32(shift))
    results = {}
    for factor, name in ((1, "one"), (2, "other")):
        features = convolve(pixels, factor * np.eye(CHANNELS), f"{name} features")
        products = convolve(features, np.zeros((PATCHES, CHANNELS)), name)
        distances = opset.add(products, np.zeros((1, PATCHES, 1, 1), np.float32))
        own = opset.reduce_sum(opset.multiply(features, features), opset.constant([1]), True)
        results[name] = opset.result(opset.add(opset.reduce_min(distances, opset.constant([1]), True), own))
    return openvino.Model([results[name] for name in names], [image])


def read_all(model):
    return {product.get_friendly_name(): read_patches(product) for product in list_bank_products(model)}


def test_replaced_patches_are_what_the_graph_compares_with():
    patches = {name: RNG.normal(size=(PATCHES, CHANNELS)).astype(np.float32) for name in ("one", "other")}
    model = build_model()
    replace_patches(model, patches)
    for name, found in read_all(model).items():
        np.testing.assert_allclose(found, patches[name])
    image = RNG.normal(size=(1, SIDE, SIDE, CHANNELS)).astype(np.float32)
    compiled = open_core().compile_model(model, "CPU", FLOAT)
    for factor, (name, found) in enumerate(zip(patches, compiled(image).values(), strict=True), start=1):
        features = factor * torch.from_numpy(image).permute(0, 3, 1, 2)
        expected = compute_nearest_map(features, torch.from_numpy(patches[name])) * CHANNELS
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_without_new_patches_nothing_changes():
    model = build_model()
    replace_patches(model, {})
    assert not any(patches.any() for patches in read_all(model).values())


def test_a_patch_becomes_what_the_other_graph_computes_at_its_place_whatever_the_order_of_the_banks():
    images = RNG.normal(size=(3, SIDE, SIDE, CHANNELS)).astype(np.float32)
    on_images = images.reshape(-1, CHANNELS)[[0, 17, 30, 47]]
    nowhere = np.full((1, CHANNELS), 9, np.float32)
    model = build_model()
    replace_patches(model, {"one": np.vstack([on_images, nowhere]), "other": np.vstack([nowhere, 2 * on_images])})
    places = find_places(model, list(images))
    assert places["one"].images.tolist() == [0, 1, 1, 2, -1]
    assert places["other"].images.tolist() == [-1, 0, 1, 1, 2]
    found = compute_patches(build_model(shift=0.25, names=("other", "one")), places, list(images))
    np.testing.assert_allclose(found["one"], np.vstack([on_images + 0.25, nowhere]), atol=1e-6)
    np.testing.assert_allclose(found["other"], np.vstack([nowhere, 2 * on_images + 0.5]), atol=1e-6)


def test_a_graph_without_banks_has_no_places():
    image = opset.parameter([1, CHANNELS, SIDE, SIDE], np.float32, name="image")
    model = openvino.Model([opset.result(convolve(image, np.eye(CHANNELS), "features"))], [image])
    assert find_places(model, []) == {}


@pytest.fixture(scope="module")
def filled(float_xml):
    """The exported graph with a bank of its own features of the normal images, and these features."""
    model = read_without_verdict(float_xml)
    (product,) = list_bank_products(model)
    features = compute_inputs(model, NORMALS[3])
    replace_patches(model, {product.get_friendly_name(): features[:20]})
    return model, features[:20]


def compute_inputs(model, image):
    """What the bank's convolution sees before rounding, a row for each cell."""
    copy = model.clone()
    (product,) = list_bank_products(copy)
    value = product.input_value(0)
    if value.get_node().get_type_name() == "FakeQuantize":
        value = value.get_node().input_value(0)
    graph = openvino.Model([opset.result(value)], copy.get_parameters())
    found = open_core().compile_model(graph, "CPU", FLOAT)(image[None])[0][0]
    return found.reshape(len(found), -1).T


def test_patches_of_the_exported_graph_become_those_of_its_eight_bit_model(filled, quantise_once):
    model, features = filled
    places = find_places(model, list(NORMALS))
    ((name, bank),) = places.items()
    np.testing.assert_array_equal(bank.images, 3)
    np.testing.assert_array_equal(bank.cells, np.arange(20))
    eight_bits = quantise_once(("first",))
    found = compute_patches(eight_bits, places, list(NORMALS))[name]
    np.testing.assert_allclose(found, compute_inputs(eight_bits, NORMALS[3])[:20], atol=1e-5)
    assert np.abs(found - features).max() > 1e-3
