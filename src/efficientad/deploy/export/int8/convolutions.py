"""Where the convolutions of an OpenVINO graph stand, and which operations stay in float with them."""

from collections.abc import Callable

import openvino

_IMAGE_CHANNELS = 3
# A graph's ends, and what reads a shape alone: no values go through them.
_WITHOUT_VALUES = ("Result", "Parameter", "Constant", "ShapeOf")


def find_float_nodes(model: openvino.Model, kept: tuple[str, ...]) -> set[str]:
    """Return the names of the operations that stay in float; `kept` names some of "first", "last" and "early".

    Always: all behind the last convolutions, and the arithmetic on pixels before the first.
    """
    first, last = list_first(model), list_last(model)
    names = set().union(*(_find_behind(node) for node in last), *(_find_before(node) for node in first))
    parts = {"first": first, "last": [*last, *_list_before(last)], "early": list_early(model)}
    return names | {node.get_friendly_name() for part in kept for node in parts[part]}


def list_first(model: openvino.Model) -> list[openvino.Node]:
    """Return the convolutions that see the pixels."""
    return [node for node in _list_all(model) if node.input(0).get_partial_shape()[1].get_length() == _IMAGE_CHANNELS]


def list_last(model: openvino.Model) -> list[openvino.Node]:
    """Return the convolutions behind which there is no other: those that the maps are differences of."""
    convolutions = _list_all(model)
    names = {node.get_friendly_name() for node in convolutions}
    return [node for node in convolutions if not _find_behind(node) & names]


def list_early(model: openvino.Model) -> list[openvino.Node]:
    """Return the convolutions whose results are a quarter of the highest or more: up to the finest features."""
    kinds = ("Convolution", "GroupConvolution")
    nodes = [node for node in model.get_ordered_ops() if node.get_type_name() in kinds]
    heights = [node.output(0).get_partial_shape()[2].get_length() for node in nodes]
    return [node for node, height in zip(nodes, heights, strict=True) if height >= max(heights) / 4]


def _list_before(convolutions: list[openvino.Node]) -> list[openvino.Node]:
    """Return what these convolutions see, where it is another one's result as it is: a projection of a memory bank."""
    seen = [node.input_value(0).get_node() for node in convolutions]
    seen = [node.input_value(0).get_node() if node.get_type_name() == "Add" else node for node in seen]
    return [node for node in seen if node.get_type_name() == "Convolution"]


def get_weights(convolution: openvino.Node) -> openvino.Node:
    """Return the constant that holds a convolution's weights; the tiles of a large image share theirs."""
    return convolution.input_value(1).get_node()


def _list_all(model: openvino.Model) -> list[openvino.Node]:
    return [node for node in model.get_ordered_ops() if node.get_type_name() == "Convolution"]


def _find_behind(start: openvino.Node) -> set[str]:
    def follow(node: openvino.Node) -> list[openvino.Node]:
        return [target.get_node() for output in node.outputs() for target in output.get_target_inputs()]

    return _walk(start, follow)


def _find_before(start: openvino.Node) -> set[str]:
    """Follow the first input alone; a convolution's second are its weights."""

    def follow(node: openvino.Node) -> list[openvino.Node]:
        return [entry.get_source_output().get_node() for entry in node.inputs()[:1]]

    return _walk(start, follow)


def _walk(start: openvino.Node, follow: Callable[[openvino.Node], list[openvino.Node]]) -> set[str]:
    names: set[str] = set()
    waiting = follow(start)
    while waiting:
        node = waiting.pop()
        if node.get_type_name() in _WITHOUT_VALUES or node.get_friendly_name() in names:
            continue
        names.add(node.get_friendly_name())
        waiting += follow(node)
    return names
