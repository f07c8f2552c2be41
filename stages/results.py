"""Says, after `dvc repro`, where each detector and its report are, and what to try next."""

from collections.abc import Mapping

from efficientad.pipeline.layout import list_items
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import read_json, run_stage
from efficientad.reporting.changes import add_means

SHOWN = ("image_auroc", "au_pro", "outline_iou")


def main() -> None:
    """Print a line for each item that params.yaml lists, then the next step."""
    params = load_params()
    items = list_items(params.sizes, params.categories, params.seeds)
    found = {item.name: read_json(item.locate_metrics("evaluate"), "metrics")["metrics"] for item in items}
    for item in items:
        print(f"{item.name}: {describe(found[item.name])}; detector {item.models}, report {item.page}")
    for mean, metrics in list(add_means(found).items())[len(items) :]:
        print(f"{mean}: {describe(metrics)}")
    first = items[0]
    print(f"Next: look at {first.page}; then judge images of your own:")
    print(f"efficientad predict FOLDER --model {first.models} --heat-maps")


def describe(metrics: Mapping[str, float]) -> str:
    """Return the metrics that a person looks at first."""
    return ", ".join(f"{name} {metrics[name]:.3f}" for name in SHOWN if name in metrics) or "no defects to test on"


if __name__ == "__main__":
    run_stage(main)
