"""What travels inside an exported file, by the key names of OpenVINO Model API where it has some.

The same keys stand in an IR's rt_info, below `model_info`, and in an ONNX file's metadata, as `model_info KEY`, which
is where Model API looks for them in either. Its AnomalyDetection runs both files unchanged.
"""

from collections.abc import Mapping

from efficientad.deploy.format.names import ANOMALOUS, NORMAL
from efficientad.model.header import ModelHeader

SECTION = "model_info"
LABELS = (NORMAL.capitalize(), ANOMALOUS.capitalize())  # as Model API writes them

# Fields of `ModelHeader` that have another name in Model API.
_NAMES = {"threshold": "image_threshold", "display_scale": "normalization_scale"}


def describe_model(header: ModelHeader) -> dict[str, str]:
    """Return the metadata of an exported model, all of it as text.

    Model API takes BGR, as OpenCV reads it, and is told to turn the channels round; nothing else is to be done to
    pixels of the model's size. It brings an image of another size there bilinearly, which is not what `resize_image`
    does: give it images of the model's size.
    """
    described = {_NAMES.get(name, name): _write(value) for name, value in header.describe().items()}
    return described | {
        "model_type": "AnomalyDetection",
        "task": "segmentation",
        "labels": " ".join(LABELS),
        "pixel_threshold": _write(header.threshold),
        "resize_type": "standard",
        "reverse_input_channels": "True",
        "color_order": "RGB",
        "normalization": "in the graph: pixels / 255, then ImageNet's mean and deviation",
    }


def parse_metadata(values: Mapping[str, str], where: object) -> ModelHeader:
    """Read `describe_model` back; ModelError names what is missing or no such value."""
    return ModelHeader.parse(values, where, _NAMES)


def _write(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
