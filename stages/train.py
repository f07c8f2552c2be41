"""Stage train@SIZE-CATEGORY-SEED: teacher and normal images -> student and autoencoder."""

from dataclasses import replace

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.model.weights import load_teacher, save_weights
from efficientad.pipeline.cache import locate_cache
from efficientad.pipeline.layout import PRETRAINING, locate_prepared, locate_teacher
from efficientad.pipeline.params import load_params
from efficientad.pipeline.scratch import open_scratch
from efficientad.pipeline.stage import parse_item, run_stage
from efficientad.training.detection.batches import TrainingImages
from efficientad.training.detection.detector import train_detector
from efficientad.training.engine.precision import settle_precision
from efficientad.training.engine.workers import join_workers


def main() -> None:
    """Read params, train, write weights and losses."""
    item = parse_item()
    params = load_params(category=item.category).train
    folder, teacher_path = locate_prepared(item.category), locate_teacher(item.size)
    inputs = [folder / "manifest.json", PRETRAINING / "manifest.json", teacher_path]
    with join_workers() as workers:
        params = replace(params, precision=settle_precision(params.precision, locate_cache()))
        with open_scratch("train", {"item": item, "params": params}, inputs, workers.finish_together) as scratch:
            prepared = load_prepared(folder)
            data = TrainingImages(prepared.images, prepared.indices("train"), load_pretraining(PRETRAINING).images)
            teacher = load_teacher(teacher_path, item.size)
            detector, log = train_detector(item.size, teacher, data, params, item.seed, scratch)
        if workers.is_first:
            save_weights(
                detector, item.student, {"size": item.size, "shared_convolutions": params.recipe.shared_convolutions}
            )
            log.write_csv(item.report / "losses.csv")


if __name__ == "__main__":
    run_stage(main)
