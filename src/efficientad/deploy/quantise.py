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

_IMAGE_CHANNELS = 3
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
    """Quantise the IR at `xml` on normal images (n, S, S, 3), uint8 RGB, with `kept` ("first", "last") in float."""
    nncf.set_log_level(logging.ERROR)
    model = openvino.Core().read_model(xml)
    ignored = nncf.IgnoredScope(names=sorted(find_float_nodes(model, kept)))
    dataset = nncf.Dataset([image[None] for image in images])
    return nncf.quantize(
        model, dataset, preset=nncf.QuantizationPreset.MIXED, target_device=nncf.TargetDevice.CPU,
        subset_size=len(images), ignored_scope=ignored,
    )  # fmt: skip


def find_float_nodes(model: openvino.Model, kept: tuple[str, ...]) -> set[str]:
    """Return the names of the operations that stay in float."""
    convolutions = [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]
    first = [node for node in convolutions if node.input(0).get_partial_shape()[1].get_length() == _IMAGE_CHANNELS]
    ends = {node.get_friendly_name(): _list_behind(node) for node in convolutions}
    last = [node for node in convolutions if not ends[node.get_friendly_name()].intersection(ends)]
    names = set().union(*(ends[node.get_friendly_name()] for node in last))  # the tail
    for node in first:
        names |= _list_before(node)
    names |= {node.get_friendly_name() for part in kept for node in {"first": first, "last": last}[part]}
    return names


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
