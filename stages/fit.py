"""Stage fit@SIZE-CATEGORY-SEED: memory banks and map quantiles of training images; scores of held-out ones."""

from efficientad.calibration.coreset import fit_memory_banks
from efficientad.calibration.quantiles import fit_map_quantiles
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
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import parse_item, run_stage, write_json


def main() -> None:
    """Read params, fit memory banks, then quantiles; then score held-out images, which had no part in either."""
    item = parse_item()
    params = load_params(category=item.category).fit
    prepared = load_prepared(locate_prepared(item.category))
    train, held_out = prepared.indices("train"), prepared.indices("validation")
    detector, header = load_detector(item.student)
    detector.set_region(prepared.region)
    owners = fit_memory_banks(detector, prepared.images, train, params.bank_scales, params.bank_patches)
    levels = Levels(params.low_quantile, params.high_quantile, params.high_quantile_of)
    detector.set_quantiles(fit_map_quantiles(detector, prepared.images, train, owners, prepared.region, levels))
    header |= {
        "image_size": list(prepared.size),
        "region": prepared.region is not None,
        "memory_banks": detector.describe_banks(),
        "category": item.category,
        "training_data": hash_normals(prepared),
    }
    save_weights(detector, item.fitted, header)

    nuisance = Nuisance(params.nuisance_brightness, params.nuisance_shift)
    trial = paint_held_out(prepared, load_pretraining(PRETRAINING).images, nuisance)
    rows = choose_rows(trial.kinds)
    scores = compute_scores(detector, trial.images[rows])
    write_scores(ScoreTable(trial.parts[rows], trial.kinds[rows], scores), item.scores)

    autoencoder = measure_autoencoder(detector, prepared.images, held_out)
    if autoencoder.variation < 1e-3:
        print("warning: the autoencoder gives the same for every image; lower train.*.autoencoder_learning_rate")
    quantiles = {branch.name: vars(branch.quantiles) for branch in detector.list_branches()}
    write_json(item.locate_metrics("fit"), {"quantiles": quantiles, "autoencoder": autoencoder._asdict()})


if __name__ == "__main__":
    run_stage(main)
