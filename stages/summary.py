"""Stage summary: the metrics of every item in the matrix, and their mean, in one file."""

from efficientad.pipeline.layout import SUMMARY, list_items
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import read_json, run_stage, write_json
from efficientad.reporting.summary import summarise


def main() -> None:
    """Collect the items that params.yaml lists: a dropped category's old files do not count."""
    params = load_params()
    items = list_items(params.sizes, params.categories, params.seeds)
    write_json(SUMMARY, summarise({i.name: read_json(i.locate_metrics("evaluate"))["metrics"] for i in items}))


if __name__ == "__main__":
    run_stage(main)
