"""The last convolutions' weights rounded to eight bits by what they see on normal images.

The map is the square of a small difference of their results, in which steps of their weights would show.
"""

from collections.abc import Iterator

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.export.int8.convolutions import get_weights, list_last
from efficientad.deploy.export.int8.rounding import round_weights

_PATCHES = 256  # drawn from each image
_IMAGES_AT_ONCE = 8  # whose patches are multiplied together


def round_last_layers(model: openvino.Model, images: NDArray[np.uint8]) -> None:
    """Round the weights of the last convolutions in place, by normal images (n, H, W, 3); see `round_weights`."""
    convolutions = list_last(model)
    weights = {get_weights(node).get_friendly_name(): get_weights(node) for node in convolutions}
    products = sum_products(model, convolutions, images)
    constants = {name: opset.constant(_round(node, products[name])) for name, node in weights.items()}
    for convolution in convolutions:
        constant = constants[get_weights(convolution).get_friendly_name()]
        convolution.input(1).replace_source_output(constant.output(0))


def sum_products(
    model: openvino.Model, convolutions: list[openvino.Node], images: NDArray[np.uint8]
) -> dict[str, NDArray[np.float64]]:
    """Return X^T X of the patches X (N, K) that convolutions see on the images, by the names of their weights.

    The products are summed in float32 over a few images, which takes a tenth of the time, and then in float64.
    """
    sums: dict[str, NDArray[np.float64]] = {}
    for patches in _draw_all(model, convolutions, images):
        for name, drawn in patches.items():
            together = np.concatenate(drawn)
            sums[name] = sums.get(name, 0.0) + (together.T @ together).astype(np.float64)
    return sums


def _draw_all(
    model: openvino.Model, convolutions: list[openvino.Node], images: NDArray[np.uint8]
) -> Iterator[dict[str, list[NDArray[np.float32]]]]:
    """Yield patches of a few images at a time, by the names of the weights."""
    names = [get_weights(node).get_friendly_name() for node in convolutions]
    compiled = _compile_inputs(model, convolutions)
    rng = np.random.default_rng(0)
    for first in range(0, len(images), _IMAGES_AT_ONCE):
        patches: dict[str, list[NDArray[np.float32]]] = {name: [] for name in names}
        for image in images[first : first + _IMAGES_AT_ONCE]:
            inputs = compiled(image[None])
            for index, (name, node) in enumerate(zip(names, convolutions, strict=True)):
                patches[name].append(_draw_patches(inputs[index][0], node, rng))
        yield patches


def _compile_inputs(model: openvino.Model, nodes: list[openvino.Node]) -> openvino.CompiledModel:
    """Compile a graph that ends in the first inputs of these operations, in float32."""
    copy = model.clone()
    copies = {node.get_friendly_name(): node for node in copy.get_ordered_ops()}
    results = [opset.result(copies[node.get_friendly_name()].input_value(0)) for node in nodes]
    inputs = openvino.Model(results, copy.get_parameters())
    return open_core().compile_model(inputs, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})


def _draw_patches(values: NDArray[np.float32], node: openvino.Node, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return what a convolution sees of (C, h, w) at some places, (N, C x kernel height x kernel width)."""
    attributes = node.get_attributes()
    pads = zip(attributes["pads_begin"], attributes["pads_end"], strict=True)
    padded = np.pad(values, [(0, 0), *pads])
    windows = np.lib.stride_tricks.sliding_window_view(padded, tuple(node.input(1).get_shape()[2:]), axis=(1, 2))
    rows, columns = (rng.integers(side, size=_PATCHES) for side in windows.shape[1:3])
    return windows[:, rows, columns].transpose(1, 0, 2, 3).reshape(_PATCHES, -1)


def _round(weights: openvino.Node, products: NDArray[np.float64]) -> NDArray[np.float32]:
    values = weights.data
    rows = values.reshape(len(values), -1).astype(np.float64)
    return round_weights(rows, products).reshape(values.shape).astype(np.float32)
