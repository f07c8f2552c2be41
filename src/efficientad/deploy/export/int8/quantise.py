"""Float IR -> INT8 graph by NNCF's post-training quantisation; the only file that imports nncf.

Quantised are the convolutions, with what NNCF puts on their inputs. Two things never are: the arithmetic on pixels
before the first convolutions, and everything behind the last ones. The map there is the square of a small difference
of two feature maps, and its largest values, of which the score is made, lie far above what calibration on normal images
shows: eight bits fitted to those cut them off.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import nncf
import numpy as np
import openvino
from numpy.typing import NDArray

from efficientad.deploy.export.int8.bank_patches import replace_patches
from efficientad.deploy.export.int8.convolutions import find_float_nodes
from efficientad.deploy.export.int8.last_layers import round_last_layers
from efficientad.deploy.export.openvino import read_without_verdict

# What stays in float beside those two: convolutions that see the pixels, whose range is the image's and not that of
# normal images; a depthwise network's first blocks; and the convolutions behind which there is no other
# (docs/decisions/0014, 0032). Of each kind the faster one first.
KEPT: dict[str, tuple[str, ...]] = {
    "first": ("first",),
    "first block": ("first", "block"),
    "first two blocks": ("first", "block", "second block"),
    "first and last": ("first", "last"),
}


def list_candidates(xml: Path) -> dict[str, tuple[str, ...]]:
    """Return those of `KEPT` that differ in what they keep of an exported IR, in their order."""
    model = read_without_verdict(xml)
    candidates, seen = {}, []
    for name, kept in KEPT.items():
        nodes = find_float_nodes(model, kept)
        if nodes not in seen:
            candidates[name] = kept
            seen.append(nodes)
    return candidates


def quantise(
    xml: Path,
    images: NDArray[np.uint8],
    kept: tuple[str, ...],
    patches: Mapping[str, NDArray[np.float32]] = MappingProxyType({}),
) -> openvino.Model:
    """Quantise an exported IR on normal images (n, H, W, 3), uint8 RGB, with `kept` (see `KEPT`) in float.

    patches: those of its memory banks, where they are not to stay as they are; see `compute_patches`.

    What comes back ends in map and score; `append_verdict` adds the rest when the threshold is known.
    """
    nncf.set_log_level(logging.ERROR)
    model = read_without_verdict(xml)
    replace_patches(model, patches)
    if "last" not in kept:
        round_last_layers(model, images)
    ignored = nncf.IgnoredScope(names=sorted(find_float_nodes(model, kept)))
    dataset = nncf.Dataset([image[None] for image in images])
    return nncf.quantize(
        model, dataset, preset=nncf.QuantizationPreset.MIXED, target_device=nncf.TargetDevice.CPU,
        subset_size=len(images), ignored_scope=ignored,
    )  # fmt: skip
