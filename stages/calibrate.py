"""Stage calibrate@SIZE-CATEGORY-SEED: memories of normal images; map quantiles and threshold, from validation ones."""

from pathlib import Path
from tempfile import TemporaryDirectory

from efficientad import __version__
from efficientad.calibration.coreset import fit_memories
from efficientad.calibration.quantiles import fit_map_quantiles
from efficientad.calibration.reconstruction import measure_autoencoder
from efficientad.calibration.threshold import choose_display_scale, fit_threshold
from efficientad.data.prepared import hash_normals, load_prepared
from efficientad.model.inference import compute_detections
from efficientad.model.weights import load_detector, save_weights
from efficientad.pipeline.layout import locate_prepared
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import parse_item, run_stage, write_json


def main() -> None:
    """Read params, remember, fit quantiles, then the threshold on the scores that they give."""
    item = parse_item()
    params = load_params(category=item.category).calibrate
    prepared = load_prepared(locate_prepared(item.category))
    detector, header = load_detector(item.student)
    detector.set_region(prepared.region)
    normals = prepared.indices("validation")
    fit_memories(detector, prepared.images, prepared.indices("train"), params.memory_scales, params.memory_patches)
    quantiles = fit_map_quantiles(detector, prepared, normals, params)
    student, autoencoder, *memories = quantiles.values()
    detector.set_calibration(student, autoencoder, float("inf"), memories)
    with TemporaryDirectory() as folder:
        _, scores = compute_detections(detector, prepared.images, normals, Path(folder) / "maps.npy")
    threshold = fit_threshold(scores, params.false_alarm_rate)
    detector.set_calibration(student, autoencoder, threshold.value, memories)
    header |= {
        "image_size": list(prepared.size),
        "region": prepared.region is not None,
        "category": item.category,
        "threshold": threshold.value,
        "false_alarm_rate": threshold.false_alarm_rate,
        "display_scale": choose_display_scale(scores, threshold.value),
        "student_quantiles": [student.low, student.high],
        "autoencoder_quantiles": [autoencoder.low, autoencoder.high],
        "memory_quantiles": [end for one in memories for end in (one.low, one.high)],
        "memories": detector.describe_memories(),
        "training_data": hash_normals(prepared),
        "version": __version__,
    }
    save_weights(detector, item.detector, header)
    known = measure_autoencoder(detector, prepared.images, normals)
    if known.variation < 1e-3:
        print("warning: the autoencoder says the same of every image; lower train.*.autoencoder_learning_rate")
    levels = {name: vars(one) for name, one in quantiles.items()}
    found = {"threshold": vars(threshold), "quantiles": levels, "autoencoder": known._asdict()}
    write_json(item.locate_metrics("calibrate"), found)


if __name__ == "__main__":
    run_stage(main)
