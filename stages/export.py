"""Stage export@SIZE-CATEGORY-SEED: detector -> ONNX -> OpenVINO IR, and proof that they say the same."""

from dataclasses import replace

import numpy as np

from efficientad.data.prepared import load_prepared
from efficientad.deploy.engine import ModelHeader
from efficientad.deploy.graph import TorchEngine
from efficientad.deploy.onnx import write_onnx
from efficientad.deploy.openvino import write_openvino
from efficientad.deploy.parity import (
    check_parity,
    choose_images,
    compare_outputs,
    run_reference,
    run_station,
)
from efficientad.deploy.predictor import load_engine
from efficientad.deploy.revision import find_revision
from efficientad.layout import locate_prepared
from efficientad.params import load_params
from efficientad.stage import parse_item, run_stage, write_json
from efficientad.weights import load_detector


def main() -> None:
    """Read params, export in each precision, compare with torch, then judge the differences."""
    item = parse_item()
    params = load_params(category=item.category).export
    detector, values = load_detector(item.detector)
    header = replace(ModelHeader.parse(values, item.detector), git_revision=find_revision())
    write_onnx(detector, header, item.onnx)
    exported = {"onnx_fp32": item.onnx}
    for precision in params.precisions:
        exported[f"openvino_{precision}"] = item.locate_openvino(precision)
        write_openvino(item.onnx, header, item.locate_openvino(precision), fp16=precision == "fp16")
    prepared = load_prepared(locate_prepared(item.category))
    chosen = choose_images(prepared, params.parity_images)
    labels = np.array([prepared.rows[index].label for index in chosen])
    reference = run_reference(TorchEngine(item.detector), prepared, chosen)
    parity = {}
    for name, path in exported.items():
        outputs = run_station(load_engine(path), prepared, chosen)
        parity[name] = compare_outputs(reference, outputs, labels, header.threshold)
    write_json(item.locate_metrics("export"), {name: vars(one) for name, one in parity.items()})
    for name, one in parity.items():
        limit = params.max_map_difference_fp16 if name.endswith("fp16") else params.max_map_difference_fp32
        check_parity(name, one, limit, params.max_auroc_difference)


if __name__ == "__main__":
    run_stage(main)
