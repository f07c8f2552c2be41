"""A graph of some kilobytes with the inputs and outputs of a detector: a file of which any bit can be tried."""

from pathlib import Path

import numpy as np
import openvino
from openvino import opset13 as opset
from tiny_models import HEADER, SIDE

from efficientad.deploy.export.openvino import append_verdict, save_ir


def write_tiny_ir(path: Path) -> Path:
    """Write an IR whose map is the image's brightness, each pixel times a weight of its own."""
    image = opset.parameter([-1, SIDE, SIDE, 3], np.uint8, name="image")
    image.output(0).set_names({"image"})
    brightness = opset.reduce_mean(opset.convert(image, "f32"), np.array([3]), keep_dims=True)
    weights = np.random.default_rng(0).random((1, 1, SIDE, SIDE), np.float32)
    anomaly_map = opset.multiply(opset.transpose(brightness, np.array([0, 3, 1, 2])), opset.constant(weights))
    score = opset.reduce_max(anomaly_map, np.array([1, 2, 3]))
    results = []
    for name, node in (("anomaly_map", anomaly_map), ("anomaly_score", score)):
        node.output(0).set_names({name})
        results.append(opset.result(node, name=name))
    model = openvino.Model(results, [image], "tiny")
    append_verdict(model, HEADER)
    save_ir(model, HEADER, path, fp16=False)
    return path
