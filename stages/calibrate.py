"""Stage calibrate@SIZE-CATEGORY-SEED: map quantiles and threshold, from validation normals only."""

from pathlib import Path
from tempfile import TemporaryDirectory

from efficientad import __version__
from efficientad.calibration import choose_display_scale, fit_threshold
from efficientad.data.prepared import hash_normals, load_prepared
from efficientad.inference import compute_detections, compute_raw_maps
from efficientad.layout import locate_prepared
from efficientad.maps import fit_quantiles, select_cells
from efficientad.params import load_params
from efficientad.reconstruction import measure_autoencoder
from efficientad.stage import parse_item, run_stage, write_json
from efficientad.weights import load_detector, save_weights


def main() -> None:
    """Read params, fit quantiles, then the threshold on the scores that they give."""
    item = parse_item()
    params = load_params(category=item.category).calibrate
    prepared = load_prepared(locate_prepared(item.category))
    detector, header = load_detector(item.student)
    detector.set_region(prepared.region)
    normals = prepared.indices("validation")
    levels = (params.low_quantile, params.high_quantile)
    student, autoencoder = (
        fit_quantiles([select_cells(one, prepared.region) for one in maps], *levels)
        for maps in compute_raw_maps(detector, prepared.images, normals)
    )
    detector.set_calibration(student, autoencoder, threshold=float("inf"))
    with TemporaryDirectory() as folder:
        _, scores = compute_detections(detector, prepared.images, normals, Path(folder) / "maps.npy")
    threshold = fit_threshold(scores, params.false_alarm_rate)
    detector.set_calibration(student, autoencoder, threshold.value)
    header |= {
        "image_size": list(prepared.size),
        "region": prepared.region is not None,
        "category": item.category,
        "threshold": threshold.value,
        "false_alarm_rate": threshold.false_alarm_rate,
        "display_scale": choose_display_scale(scores, threshold.value),
        "student_quantiles": [student.low, student.high],
        "autoencoder_quantiles": [autoencoder.low, autoencoder.high],
        "training_data": hash_normals(prepared),
        "version": __version__,
    }
    save_weights(detector, item.detector, header)
    known = measure_autoencoder(detector, prepared.images, normals)
    if known.variation < 1e-3:
        print("warning: the autoencoder says the same of every image; lower train.*.autoencoder_learning_rate")
    quantiles = {"student": vars(student), "autoencoder": vars(autoencoder)}
    found = {"threshold": vars(threshold), "quantiles": quantiles, "autoencoder": known._asdict()}
    write_json(item.locate_metrics("calibrate"), found)


if __name__ == "__main__":
    run_stage(main)
