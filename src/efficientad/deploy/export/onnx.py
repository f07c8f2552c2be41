"""Detector -> ONNX."""

import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch

from efficientad.deploy.format.graph import StationGraph
from efficientad.deploy.format.metadata import SECTION, describe_model
from efficientad.deploy.format.names import IMAGE, OUTPUTS
from efficientad.deploy.format.sealing import CHECKSUM, seal_onnx
from efficientad.model.checksum import UNSEALED
from efficientad.model.detector import Detector
from efficientad.model.header import ModelHeader
from efficientad.pipeline.writing import write_bytes

OPSET = 18


def write_onnx(detector: Detector, header: ModelHeader, path: Path) -> None:
    """Write the detector's graph, with its header and its checksum as metadata, and check the file with `onnx`.

    Input `image`: uint8 RGB (batch, H, W, 3); outputs: those of `StationGraph`. The batch is free, the size is fixed.
    """
    image = torch.zeros(1, *header.image_size, 3, dtype=torch.uint8)
    names = [IMAGE, *OUTPUTS]
    with warnings.catch_warnings(), TemporaryDirectory() as folder:
        written = Path(folder) / "model.onnx"
        # The exporter that needs no further package; its tracing is exact here: sizes are constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            StationGraph(detector, header).eval(), (image,), written, dynamo=False, opset_version=OPSET,
            input_names=names[:1], output_names=names[1:],
            dynamic_axes={name: {0: "batch"} for name in names},
        )  # fmt: skip
        model = onnx.load(written)
    for key, value in ({CHECKSUM: UNSEALED} | describe_model(header)).items():
        model.metadata_props.add(key=f"{SECTION} {key}", value=value)
    onnx.checker.check_model(model, full_check=True)
    write_bytes(path, seal_onnx(model.SerializeToString()))
