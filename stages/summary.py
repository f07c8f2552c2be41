"""Stage summary: the metrics of every item in the matrix, and their mean, in one file, and as a table."""

from efficientad.pipeline.layout import SUMMARY, SUMMARY_TABLE, list_items
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import read_json, run_stage, write_json
from efficientad.reporting.summary import summarise, write_summary_csv


def main() -> None:
    """Collect the items that params.yaml lists: a dropped category's old files do not count."""
    params = load_params()
    items = list_items(params.sizes, params.categories, params.seeds)
    metrics = {item.name: read_json(item.locate_metrics("evaluate"), "metrics")["metrics"] for item in items}
    write_json(SUMMARY, summarise(metrics))
    write_summary_csv(SUMMARY_TABLE, metrics)


if __name__ == "__main__":
    run_stage(main)
