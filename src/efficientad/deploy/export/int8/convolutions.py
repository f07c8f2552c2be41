"""Where the convolutions of an OpenVINO graph stand, and which operations stay in float with them."""

from collections.abc import Callable

import openvino

_IMAGE_CHANNELS = 3
# A graph's ends, and what reads a shape alone: no values go through them.
_WITHOUT_VALUES = ("Result", "Parameter", "Constant", "ShapeOf")


def find_float_nodes(model: openvino.Model, kept: tuple[str, ...]) -> set[str]:
    """Return the names of the operations that stay in float; `kept` names some of "first", "block", "second block" and
    "last".

    Always: all behind the last convolutions, and the arithmetic on pixels before the first.
    """
    first, last = list_first(model), list_last(model)
    names = set().union(*(_find_behind(node) for node in last), *(_find_before(node) for node in first))
    block, second = list_first_blocks(model)
    parts = {"first": first, "block": block, "second block": second, "last": [*last, *_list_before(last)]}
    return names | {node.get_friendly_name() for part in kept for node in parts[part]}


def list_first(model: openvino.Model) -> list[openvino.Node]:
    """Return the convolutions that see the pixels."""
    return [node for node in _list_all(model) if node.input(0).get_partial_shape()[1].get_length() == _IMAGE_CHANNELS]


def list_last(model: openvino.Model) -> list[openvino.Node]:
    """Return the convolutions behind which there is no other: those that the maps are differences of."""
    convolutions = _list_all(model)
    names = {node.get_friendly_name() for node in convolutions}
    return [node for node in convolutions if not _find_behind(node) & names]


def list_first_blocks(model: openvino.Model) -> tuple[list[openvino.Node], list[openvino.Node]]:
    """Return the convolutions of a depthwise network's first block, behind those that see the pixels, and its second's.

    What they see is the image still, of which a plain background fills most: eight bits give it one error all over.
    """
    kinds = ("GroupConvolution", "Convolution"), ("Convolution", "GroupConvolution", "Convolution")
    blocks: tuple[list[openvino.Node], list[openvino.Node]] = ([], [])
    for node in list_first(model):
        if _find_next(node, "GroupConvolution") is None:
            continue  # a network of another kind
        for block, types in zip(blocks, kinds, strict=True):
            for kind in types:
                node = _find_next(node, kind)
                block.append(node)
    return blocks


def list_bank_products(model: openvino.Model) -> list[openvino.Node]:
    """Return the convolutions with a bank's patches for weights: the smallest of their results is a distance."""
    return [node for node in list_last(model) if _find_next(_find_next(node, "Add"), "ReduceMin")]


def _find_next(node: openvino.Node | None, kind: str) -> openvino.Node | None:
    """Return the first operation of a kind behind a node, with nothing but sums and ReLU6 between them."""
    while node is not None:
        targets = [target.get_node() for target in node.output(0).get_target_inputs()]
        found = [target for target in targets if target.get_type_name() == kind]
        if found:
            return found[0]
        passed = [target for target in targets if target.get_type_name() in ("Add", "Clamp")]
        node = passed[0] if passed else None
    return None


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
