"""The patches of memory banks as an eight-bit backbone sees them.

Eight bits change a feature by an error that depends on the feature, so parts that look alike get the same error. A bank
of float features is as far from all of them; one of the eight-bit features of the same places is not
(docs/decisions/0032).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import openvino
from numpy.typing import NDArray
from openvino import opset13 as opset

from efficientad.deploy.engines.core import open_core
from efficientad.deploy.export.int8.convolutions import get_weights, list_bank_products
from efficientad.pipeline.progress import track

Images = Sequence[NDArray[np.uint8]]  # each (H, W, 3)
Patches = NDArray[np.float32]  # (N, D), of a memory bank
_SAME = 1e-3  # of the patches' mean square: a feature so near to a patch is the one that it was taken from


class Places(NamedTuple):
    """Where the patches of a memory bank were taken from."""

    patches: Patches
    images: NDArray[np.intp]  # (N,), -1 where a patch is on none of them
    cells: NDArray[np.intp]  # (N,), row by row


def find_places(model: openvino.Model, images: Images) -> dict[str, Places]:
    """Return the places of each memory bank's patches, by the name of the bank's convolution; {} without banks.

    model: the float graph. images: those that the patches were taken from, or some of them. A patch is found by its
    features.
    """
    banks = {product.get_friendly_name(): read_patches(product) for product in list_bank_products(model)}
    if not banks:
        return {}
    nearest = {name: np.full(len(bank), _SAME * np.square(bank).sum(axis=1).mean()) for name, bank in banks.items()}
    places = {name: Places(bank, *np.full((2, len(bank)), -1, np.intp)) for name, bank in banks.items()}
    compute_features = _compile_features(model)
    for index, image in enumerate(track(images, "images for memory banks")):
        for name, features in compute_features(image).items():
            distances, cells = _find_nearest(banks[name], features)
            found = distances < nearest[name]
            nearest[name][found] = distances[found]
            places[name].images[found], places[name].cells[found] = index, cells[found]
    return places


def compute_patches(quantised: openvino.Model, places: Mapping[str, Places], images: Images) -> dict[str, Patches]:
    """Return each memory bank's patches as an eight-bit graph computes them, by the name of the bank's convolution.

    places, images: see `find_places`. A patch that is on none of the images stays as it is.
    """
    patches = {name: bank.patches.copy() for name, bank in places.items()}
    compute_features = _compile_features(quantised)
    for index in np.unique(np.concatenate([bank.images[bank.images >= 0] for bank in places.values()])):
        for name, features in compute_features(images[int(index)]).items():
            here = places[name].images == index
            patches[name][here] = features[places[name].cells[here]]
    return patches


def read_patches(product: openvino.Node) -> Patches:
    """Return the patches that a bank's convolution multiplies with; see `compute_nearest_map`."""
    weights: Patches = get_weights(product).data[:, :, 0, 0] / -2
    return weights


def replace_patches(model: openvino.Model, patches: Mapping[str, Patches]) -> None:
    """Give memory banks of a float graph other patches, in place; by the names of the banks' convolutions."""
    for product in list_bank_products(model):
        if product.get_friendly_name() in patches:
            bank = patches[product.get_friendly_name()]
            _set_constant(product, -2 * bank[:, :, None, None])
            (add,) = product.output(0).get_target_inputs()
            _set_constant(add.get_node(), np.square(bank).sum(axis=1)[None, :, None, None])


def _set_constant(node: openvino.Node, values: NDArray[np.float32]) -> None:
    """Give an operation another second input, which is a constant under the old one's name."""
    old = node.input_value(1).get_node()
    assert old.get_type_name() == "Constant"
    new = opset.constant(values.astype(np.float32))
    new.set_friendly_name(old.get_friendly_name())
    node.input(1).replace_source_output(new.output(0))


def _compile_features(model: openvino.Model) -> Callable[[NDArray[np.uint8]], dict[str, NDArray[np.float32]]]:
    """Return what computes of an image what each memory bank compares, (cells, D) by the name of its convolution.

    In float32, before it is rounded for the product.
    """
    copy = model.clone()
    products = list_bank_products(copy)
    names = [product.get_friendly_name() for product in products]
    results = [opset.result(_skip_rounding(product.input_value(0))) for product in products]
    graph = openvino.Model(results, copy.get_parameters())
    compiled = open_core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def compute(image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        found = zip(names, compiled(image[None]).values(), strict=True)
        return {name: one[0].reshape(one.shape[1], -1).T for name, one in found}

    return compute


def _skip_rounding(output: openvino.Output) -> openvino.Output:
    while output.get_node().get_type_name() == "FakeQuantize":
        output = output.get_node().input_value(0)
    return output


def _find_nearest(patches: Patches, features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return each patch's squared distance to the nearest of features (n, D), and which that is."""
    squares = np.square(features).sum(axis=1) - 2 * patches @ features.T
    cells = squares.argmin(axis=1)
    return squares[np.arange(len(patches)), cells] + np.square(patches).sum(axis=1), cells
