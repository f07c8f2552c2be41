"""Tensors of the KServe V2 inference protocol, in JSON."""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import numpy as np
from numpy.typing import NDArray

from efficientad.deploy.format.names import ANOMALY_MAP, ANOMALY_SCORE, DISPLAY_SCORE, IMAGE, IS_ANOMALOUS, OUTPUTS
from efficientad.model.header import ModelHeader
from efficientad.serving.refusals import Refusal

_CHANNELS = 3
_DATATYPES = {ANOMALY_MAP: "FP32", ANOMALY_SCORE: "FP32", DISPLAY_SCORE: "FP32", IS_ANOMALOUS: "BOOL"}


def describe_tensors(header: ModelHeader) -> dict[str, list[dict[str, Any]]]:
    """Return the inputs and outputs of a model's metadata; -1 stands for any number of images."""
    height, width = header.image_size
    shapes = {name: [-1, 1, height, width] if name == ANOMALY_MAP else [-1] for name in OUTPUTS}
    return {
        "inputs": [{"name": IMAGE, "datatype": "UINT8", "shape": [-1, height, width, _CHANNELS]}],
        "outputs": [{"name": name, "datatype": _DATATYPES[name], "shape": shapes[name]} for name in OUTPUTS],
    }


def parse_request(body: bytes) -> dict[str, Any]:
    """Return an inference request's JSON object; Refusal where it is none."""
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _refuse("a JSON object", type(error).__name__ if isinstance(error, RecursionError) else error) from error
    if not isinstance(request, dict):
        raise _refuse("a JSON object", type(request).__name__)
    return request


def read_images(request: Mapping[str, Any], image_size: tuple[int, int]) -> NDArray[np.uint8]:
    """Return the images (B, H, W, 3) of a request's one input, whose data may be flat or nested.

    `image_size` is height and width. Raises Refusal naming what does not fit.
    """
    inputs = request.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
        raise _refuse(f"one tensor in inputs, called {IMAGE}", _shorten(inputs))
    tensor = inputs[0]
    for name, expected in (("name", IMAGE), ("datatype", "UINT8")):
        if tensor.get(name) != expected:
            raise _refuse(f"{expected} as {name} of the input", _shorten(tensor.get(name)))
    shape, form = tensor.get("shape"), [*image_size, _CHANNELS]
    if not isinstance(shape, list) or shape[1:] != form or not isinstance(shape[0], int) or shape[0] < 1:
        raise _refuse(f"the shape [images, {form[0]}, {form[1]}, {form[2]}]", _shorten(shape))
    return _read_pixels(tensor.get("data"), [int(length) for length in shape])


def choose_outputs(request: Mapping[str, Any]) -> list[str]:
    """Return the names of the outputs that a request asks for, all where it names none; Refusal for unknown ones."""
    asked = request.get("outputs") or [{"name": name} for name in OUTPUTS]
    if not isinstance(asked, list) or not all(isinstance(one, dict) and one.get("name") in OUTPUTS for one in asked):
        raise _refuse(f"outputs of {', '.join(OUTPUTS)}", _shorten(asked))
    return [one["name"] for one in asked]


def write_tensor(name: str, values: NDArray[Any]) -> dict[str, Any]:
    """Return an output, its data flat, row by row."""
    return {
        "name": name, "datatype": _DATATYPES[name], "shape": list(values.shape), "data": values.reshape(-1).tolist(),
    }  # fmt: skip


def _read_pixels(data: Any, shape: list[int]) -> NDArray[np.uint8]:
    try:
        values = np.asarray(data)
    except (ValueError, OverflowError) as error:  # rows of different lengths
        raise _refuse(f"{math.prod(shape)} whole numbers as data", "rows of different lengths") from error
    if values.size != math.prod(shape):
        raise _refuse(f"{math.prod(shape)} whole numbers as data", f"{values.size}")
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 255:
        raise _refuse("whole numbers from 0 to 255 as data", "others")
    return values.astype(np.uint8).reshape(shape)


def _shorten(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _refuse(expected: str, got: object) -> Refusal:
    return Refusal(HTTPStatus.BAD_REQUEST, f"expected {expected}, got {got}")
