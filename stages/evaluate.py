"""Stage evaluate@SIZE-CATEGORY-SEED: the test split -> metrics, curves, contact sheet."""

from pathlib import Path
from tempfile import TemporaryDirectory

from efficientad.data.arrays.prepared import load_prepared
from efficientad.evaluation.kinds import measure_kinds
from efficientad.evaluation.test_split import build_test_split, describe_verdicts, measure
from efficientad.model.inference import compute_detections
from efficientad.model.saved_detector import load_detector
from efficientad.pipeline.layout import locate_prepared
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import parse_item, run_stage, write_json
from efficientad.reporting.report import write_report, write_tables


def main() -> None:
    """Read params, detect, measure, draw."""
    item = parse_item()
    params = load_params(category=item.category).evaluate
    prepared = load_prepared(locate_prepared(item.category))
    detector, header = load_detector(item.detector)
    threshold = header["threshold"]
    with TemporaryDirectory() as folder:
        maps, scores = compute_detections(
            detector, prepared.images, prepared.indices("test"), Path(folder) / "maps.npy"
        )
        split = build_test_split(prepared, maps, scores)
        metrics = measure(split, params.fpr_limit, threshold) | measure_kinds(split)
        verdicts = describe_verdicts(split, threshold)
        write_tables(split, metrics, threshold, item.report)
        write_report(split, metrics, threshold, params.fpr_limit, params.cases_per_group, item.report / "sheet")
    write_json(item.locate_metrics("evaluate"), {"metrics": metrics, "verdicts": verdicts})
    print(f"{item.name}: " + ", ".join(f"{name} {value:.4f}" for name, value in metrics.items()))


if __name__ == "__main__":
    run_stage(main)
