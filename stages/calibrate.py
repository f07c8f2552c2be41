"""Stage calibrate@SIZE-CATEGORY-SEED: threshold and display scale, of the scores that `fit` left; seconds."""

from efficientad import __version__
from efficientad.calibration.threshold.choice import choose_display_scale, choose_threshold, measure_margin
from efficientad.calibration.threshold.scores import read_scores
from efficientad.model.header import ModelHeader
from efficientad.model.saved_detector import load_detector
from efficientad.model.weights import save_weights
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import parse_item, run_stage, write_json


def main() -> None:
    """Read params, choose the threshold, and put it into the header of the fitted detector."""
    item = parse_item()
    params = load_params(category=item.category).calibrate
    table = read_scores(item.scores)
    threshold = choose_threshold(table, params.false_alarm_rate, params.threshold)
    detector, fitted = load_detector(item.fitted)
    header = ModelHeader(
        size=fitted["size"],
        image_size=tuple(fitted["image_size"]),
        category=fitted["category"],
        threshold=threshold.value,
        false_alarm_rate=threshold.false_alarm_rate,
        display_scale=choose_display_scale(table.good, threshold.value),
        training_data=fitted["training_data"],
        version=__version__,
        threshold_policy=threshold.policy,
        branches=tuple(detector.list_branches()),
    )
    save_weights(detector, item.detector, fitted | header.describe())
    found = {"threshold": vars(threshold), "margin": measure_margin(table)._asdict()}
    write_json(item.locate_metrics("calibrate"), found)


if __name__ == "__main__":
    run_stage(main)
