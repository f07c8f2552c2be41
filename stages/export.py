"""Stage export@SIZE-CATEGORY-SEED: detector -> ONNX -> OpenVINO IR, and proof that all three give the same maps."""

from dataclasses import replace
from pathlib import Path

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.data.defects.trial import Nuisance, paint_held_out
from efficientad.deploy.engines.torch import TorchEngine
from efficientad.deploy.export.code import hash_code
from efficientad.deploy.export.comparison import check_models, compare_models
from efficientad.deploy.export.models import export_models
from efficientad.deploy.export.parity import choose_images
from efficientad.model.header import ModelHeader
from efficientad.model.saved_detector import load_detector
from efficientad.pipeline.layout import PRETRAINING, locate_prepared
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import parse_item, run_stage, write_json


def main() -> None:
    """Read params, export in each precision, compare with torch, then judge the differences."""
    item = parse_item()
    params = load_params(category=item.category)
    prepared = load_prepared(locate_prepared(item.category))
    nuisance = Nuisance(params.fit.nuisance_brightness, params.fit.nuisance_shift)
    trial = paint_held_out(prepared, load_pretraining(PRETRAINING).images, nuisance)
    detector, values = load_detector(item.detector)
    header = replace(ModelHeader.parse(values, item.detector), code_hash=hash_code(Path(__file__)))
    fpr_limit = params.evaluate.fpr_limit
    exported, choice = export_models(detector, header, prepared, trial, item.models, params.export, fpr_limit)
    chosen = choose_images(prepared, params.export.parity_images)
    models = compare_models(TorchEngine(item.detector), exported, prepared, chosen, fpr_limit)
    int8 = {"int8": vars(choice)} if choice else {}
    write_json(item.locate_metrics("export"), {"images": len(chosen), **int8, "models": models})
    check_models(models, params.export)


if __name__ == "__main__":
    run_stage(main)
