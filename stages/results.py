"""Says, after `dvc repro`, where each detector and its report are, and what to try next."""

from efficientad.pipeline.layout import list_items
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import read_json, run_stage

SHOWN = ("image_auroc", "au_pro", "outline_iou")


def main() -> None:
    """Print a line for each item that params.yaml lists, then the next step."""
    params = load_params()
    items = list_items(params.sizes, params.categories, params.seeds)
    for item in items:
        metrics = read_json(item.locate_metrics("evaluate"))["metrics"]
        accuracy = ", ".join(f"{name} {metrics[name]:.3f}" for name in SHOWN if name in metrics)
        print(f"{item.name}: {accuracy or 'no defects to test on'}; detector {item.models}, report {item.page}")
    first = items[0]
    print(f"Next: look at {first.page}; then judge images of your own:")
    print(f"efficientad predict FOLDER --model {first.models} --heat-maps")


if __name__ == "__main__":
    run_stage(main)
