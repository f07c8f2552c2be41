"""Float IR -> INT8 IR by NNCF's post-training quantisation; the only file that imports nncf.

Quantised are the convolutions, with what NNCF puts on their inputs. Two things never are: the arithmetic on pixels
before the first convolutions, and everything behind the last ones. The map there is the square of a small difference
of two feature maps, and its largest value, the score, lies far above what calibration on normal images shows: eight
bits fitted to those cut it off.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import nncf
import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset

from efficientad.deploy.export.openvino import read_without_verdict
from efficientad.deploy.export.rounding import round_weights

_IMAGE_CHANNELS = 3
_PATCHES = 256  # of each image, to round the weights of the last convolutions by
_NO_VALUES = ("Result", "Parameter", "Constant", "ShapeOf")  # what comes of a shape is no result of the values
# What stays in float beside those two, from the fastest model to the slowest: convolutions that see the pixels, whose
# range is the image's and not that of normal images; those behind which there is no other; and both.
KEPT: dict[str, tuple[str, ...]] = {
    "nothing": (),
    "first": ("first",),
    "last": ("last",),
    "first and last": ("first", "last"),
}


def quantise(xml: Path, images: NDArray[np.uint8], kept: tuple[str, ...]) -> openvino.Model:
    """Quantise an exported IR on normal images (n, H, W, 3), uint8 RGB, with `kept` ("first", "last") in float.

    What comes back ends in map and score; `append_verdict` adds the rest when the threshold is known.
    """
    nncf.set_log_level(logging.ERROR)
    model = read_without_verdict(xml)
    if "last" not in kept:
        round_last(model, images)
    ignored = nncf.IgnoredScope(names=sorted(find_float_nodes(model, kept)))
    dataset = nncf.Dataset([image[None] for image in images])
    return nncf.quantize(
        model, dataset, preset=nncf.QuantizationPreset.MIXED, target_device=nncf.TargetDevice.CPU,
        subset_size=len(images), ignored_scope=ignored,
    )  # fmt: skip


def round_last(model: openvino.Model, images: NDArray[np.uint8]) -> None:
    """Round the weights of the last convolutions by what they see on the images, in place (see `rounding`).

    The map is the square of a small difference of their results, which steps of their weights would show in.
    """
    last = _list_last(model)
    count = len(model.outputs)
    watched = model.clone()
    names = [node.get_friendly_name() for node in last]
    inputs = {node.get_friendly_name(): node.input(0).get_source_output() for node in _list_convolutions(watched)}
    watched.add_outputs([inputs[name] for name in names])
    compiled = openvino.Core().compile_model(watched, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    layers = [node.input(1).get_source_output().get_node() for node in last]  # tiles of an image share theirs
    weights = {layer.get_friendly_name(): layer.data for layer in layers}
    moments = {name: np.zeros((np.prod(one.shape[1:]),) * 2) for name, one in weights.items()}
    rng = np.random.default_rng(0)
    for image in images:
        results = compiled(image[None])
        for index, (node, layer) in enumerate(zip(last, layers, strict=True)):
            patches = _draw_patches(results[count + index][0], node, rng)
            moments[layer.get_friendly_name()] += patches.T @ patches
    rounded = {
        name: round_weights(one.reshape(len(one), -1).astype(np.float64), moments[name]).reshape(one.shape)
        for name, one in weights.items()
    }
    for node, layer in zip(last, layers, strict=True):
        constant = opset.constant(rounded[layer.get_friendly_name()].astype(np.float32))
        node.input(1).replace_source_output(constant.output(0))


def _draw_patches(values: NDArray[np.float32], node: openvino.Node, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what a convolution sees of (C, h, w) at some places, (N, C x kernel height x kernel width)."""
    attributes = node.get_attributes()
    pads = zip(attributes["pads_begin"], attributes["pads_end"], strict=True)
    padded = np.pad(values, [(0, 0), *pads])
    windows = np.lib.stride_tricks.sliding_window_view(padded, tuple(node.input(1).get_shape()[2:]), axis=(1, 2))
    rows, columns = (rng.integers(side, size=_PATCHES) for side in windows.shape[1:3])
    return windows[:, rows, columns].transpose(1, 0, 2, 3).reshape(_PATCHES, -1).astype(np.float64)


def find_float_nodes(model: openvino.Model, kept: tuple[str, ...]) -> set[str]:
    """Return the names of the operations that stay in float."""
    convolutions, last = _list_convolutions(model), _list_last(model)
    first = [node for node in convolutions if node.input(0).get_partial_shape()[1].get_length() == _IMAGE_CHANNELS]
    names = set().union(*(_list_behind(node) for node in last))  # the tail
    for node in first:
        names |= _list_before(node)
    names |= {node.get_friendly_name() for part in kept for node in {"first": first, "last": last}[part]}
    return names


def _list_convolutions(model: openvino.Model) -> list[openvino.Node]:
    return [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]


def _list_last(model: openvino.Model) -> list[openvino.Node]:
    """Return the convolutions behind which there is no other: those that the maps are differences of."""
    convolutions = _list_convolutions(model)
    names = {node.get_friendly_name() for node in convolutions}
    return [node for node in convolutions if not _list_behind(node) & names]


def _list_behind(start: openvino.Node) -> set[str]:
    def follow(node: openvino.Node) -> list[openvino.Node]:
        return [target.get_node() for output in node.outputs() for target in output.get_target_inputs()]

    return _walk(start, follow)


def _list_before(start: openvino.Node) -> set[str]:
    """The first input's operations; a convolution's second are its weights."""

    def follow(node: openvino.Node) -> list[openvino.Node]:
        return [entry.get_source_output().get_node() for entry in node.inputs()[:1]]

    return _walk(start, follow)


def _walk(start: openvino.Node, follow: Callable[[openvino.Node], list[openvino.Node]]) -> set[str]:
    found: set[str] = set()
    waiting = follow(start)
    while waiting:
        node = waiting.pop()
        if node.get_type_name() in _NO_VALUES or node.get_friendly_name() in found:
            continue
        found.add(node.get_friendly_name())
        waiting += follow(node)
    return found
