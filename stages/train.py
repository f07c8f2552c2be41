"""Stage train@SIZE-CATEGORY-SEED: teacher and normal images -> student and autoencoder."""

from dataclasses import replace

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.model.detector import Detector
from efficientad.model.weights import load_teacher, load_weights, save_weights
from efficientad.pipeline.cache import locate_cache
from efficientad.pipeline.layout import PRETRAINING, Item, locate_prepared, locate_teacher
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.scratch import open_scratch
from efficientad.pipeline.stage import parse_item, run_stage
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.detection.detector import train_detector
from efficientad.training.engine.loop import LossLog
from efficientad.training.engine.precision import settle_precision
from efficientad.training.engine.workers import join_workers


def main() -> None:
    """Read params, train, write weights and losses."""
    item = parse_item()
    params = load_params(category=item.category).train
    with join_workers() as workers:
        if item.size == "L":
            if workers.is_first:
                pass_on_backbone(item)
            return
        folder, teacher_path = locate_prepared(item.category), locate_teacher(item.size)
        inputs = [folder / "manifest.json", PRETRAINING / "manifest.json", teacher_path]
        params = replace(params, precision=settle_precision(params.precision, locate_cache()))
        with open_scratch("train", {"item": item, "params": params}, inputs, workers.finish_together) as scratch:
            prepared = load_prepared(folder)
            data = TrainingImages(prepared.images, prepared.indices("train"), load_pretraining(PRETRAINING).images)
            teacher = load_teacher(teacher_path, item.size)
            networks, log = train_detector(item.size, teacher, data, params, item.seed, scratch)
        if workers.is_first:
            shared = params.recipe.shared_convolutions
            detector = Detector(item.size, shared)
            detector.student_teacher = networks
            save_weights(detector, item.student, {"size": item.size, "shared_convolutions": shared})
            log.write_csv(item.report / "losses.csv")


def pass_on_backbone(item: Item) -> None:
    """Write a detector of size L, which has nothing to train: the backbone without any memory bank."""
    detector = Detector(item.size)
    assert detector.backbone_banks is not None
    load_weights(detector.backbone_banks.backbone, locate_teacher(item.size))
    save_weights(detector, item.student, {"size": item.size})
    LossLog().write_csv(item.report / "losses.csv")


if __name__ == "__main__":
    run_stage(main)
