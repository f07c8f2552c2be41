"""Stage fit@SIZE-CATEGORY-SEED: memory banks and map quantiles of training images; scores of held-out ones."""

from efficientad.calibration.bank_weights import fit_weights
from efficientad.calibration.coreset import fit_memory_banks
from efficientad.calibration.quantiles import compute_training_maps, fit_map_quantiles
from efficientad.calibration.reconstruction import measure_autoencoder
from efficientad.calibration.threshold.scores import ScoreTable, choose_rows, write_scores
from efficientad.data.arrays.prepared import hash_normals, load_prepared
from efficientad.data.arrays.pretraining import load_pretraining
from efficientad.data.defects.trial import Nuisance, paint_held_out
from efficientad.model.inference import compute_scores
from efficientad.model.maps import Levels
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import save_weights
from efficientad.pipeline.layout import PRETRAINING, locate_prepared
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import parse_item, run_stage, write_json
from efficientad.teacher.lite_weights import load_efficientnet_lite


def main() -> None:
    """Read params, fit memory banks, then quantiles; then score held-out images, which had no part in either."""
    item = parse_item()
    params = load_params(category=item.category).fit
    prepared = load_prepared(locate_prepared(item.category))
    train, held_out = prepared.indices("train"), prepared.indices("validation")
    detector, header = load_detector(item.student)
    detector.set_region(prepared.region)
    patches = {scale: params.bank_patches.select(scale) for scale in params.banks.select(item.size)}
    if patches and detector.backbone_banks is None:
        detector.add_backbone(load_efficientnet_lite(0))
    owners = fit_memory_banks(detector, prepared.images, train, patches, item.seed)
    maps = compute_training_maps(detector, prepared.images, train, owners, prepared.region)
    levels = Levels(params.low_quantile, params.high_quantile, params.high_quantile_of)
    detector.set_quantiles(fit_map_quantiles(maps, levels))
    shares = fit_weights(detector, maps)
    header |= {
        "image_size": list(prepared.size), "region": prepared.region is not None,
        "memory_banks": detector.describe_banks(), "category": item.category, "training_data": hash_normals(prepared),
    }  # fmt: skip
    save_weights(detector, item.fitted, header)

    nuisance = Nuisance(params.nuisance_brightness, params.nuisance_shift)
    trial = paint_held_out(prepared, load_pretraining(PRETRAINING).images, nuisance)
    rows = choose_rows(trial.kinds)
    scores = compute_scores(detector, trial.images[rows])
    write_scores(ScoreTable(trial.parts[rows], trial.kinds[rows], scores), item.scores)

    metrics: dict[str, object] = {"banks": shares} if shares else {}
    metrics["quantiles"] = {branch.name: vars(branch.quantiles) for branch in detector.list_branches()}
    if detector.student_teacher is not None:
        autoencoder = measure_autoencoder(detector.student_teacher, prepared.images, held_out)
        if autoencoder.variation < 1e-3:
            print("warning: the autoencoder gives the same for every image; lower train.*.autoencoder_learning_rate")
        metrics["autoencoder"] = autoencoder._asdict()
    write_json(item.locate_metrics("fit"), metrics)


if __name__ == "__main__":
    run_stage(main)
