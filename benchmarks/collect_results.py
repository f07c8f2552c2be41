"""Keeps a finished run's accuracy in docs/results.json and writes docs/results.md and README's table from it.

    python benchmarks/collect_results.py NAME --command 'dvc exp run -S ...'

reads, in the workspace of the run, params.yaml, dvc.lock, metrics/, the models, the timings below .scratch and
docs/latency.json, if benchmarks/latency.py wrote it. NAME is the key of the data set, such as magnetic_tile_by_tile.
Without NAME it only writes the page and the table.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import yaml
from latency import LATENCIES, describe_kind, find_latency
from original_size import measure_at_original_size
from readme_table import replace_table
from results_page import METRICS, render_results

from efficientad.model.weights import load_header
from efficientad.pipeline.layout import SUMMARY, Item, locate_distill_metrics
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import TIMINGS, read_json, write_json

RESULTS, PAGE, README = Path("docs/results.json"), Path("docs/results.md"), Path("README.md")


def collect(command: str) -> dict[str, Any]:
    """Return {size: figures} of the run in this folder: one category, all its seeds."""
    params = load_params()
    (category,) = params.categories
    params = load_params(category=category)
    metrics = read_json(SUMMARY)["items"]
    lock = yaml.safe_load(Path("dvc.lock").read_text("utf-8"))["stages"]
    timings = [json.loads(line) for line in TIMINGS.read_text("utf-8").splitlines()]
    figures: dict[str, Any] = {}
    for size in params.sizes:
        items = [Item(size, category, seed) for seed in params.seeds]
        figures[size] = {
            **average_metrics([metrics[item.name] | measure_original(item) for item in items], list(params.seeds)),
            **({} if size == "L" else {"preset": params.train.preset, "steps": params.train.recipe.steps}),
            "banks": list_banks(items[0]),
            **average_minutes(timings, [name_longest_stage(item) for item in items]),
            **read_latency(items[0].models),
            "teacher": read_json(locate_distill_metrics(size) / "distill.json"),
            "data_md5": lock[f"prepare@{category}"]["outs"][0]["md5"],
            "command": command,
        }
    return figures


def list_banks(item: Item) -> list[str]:
    """Return the scales of the memory banks that an item's detector has: those that got a share."""
    return [scale for scale, _ in load_header(item.fitted).get("memory_banks", [])]


def name_longest_stage(item: Item) -> str:
    """Return the stage, as timings.jsonl names it, whose minutes are an item's: `train`, or `fit` of size L."""
    return f"{'fit' if item.size == 'L' else 'train'}.py {item.size} {item.category} {item.seed}"


def read_latency(folder: Path) -> dict[str, Any]:
    """Return {"latency_ms": {"fp32": x, "int8": y}} of a detector's exported models, {} where none was timed."""
    return find_latency(read_json(LATENCIES), describe_kind(folder)) if LATENCIES.is_file() else {}


def measure_original(item: Item) -> dict[str, float]:
    """Return AU-PRO at the images' own size, nothing where no mask is known."""
    au_pro = measure_at_original_size(item)
    return {} if au_pro is None else {"au_pro_original": au_pro}


def average_metrics(runs: list[dict[str, float]], seeds: list[int]) -> dict[str, Any]:
    """Return mean and standard deviation over the seeds of each metric that the runs have."""
    return {
        name: {"mean": fmean(run[name] for run in runs), "std": pstdev(run[name] for run in runs), "seeds": seeds}
        for name in METRICS
        if all(name in run for run in runs)
    }


def average_minutes(timings: list[dict[str, Any]], stages: list[str]) -> dict[str, float]:
    """Return the mean minutes of the last run of each stage: by the clock, and of all threads together."""
    last_runs = {row["stage"]: row for row in timings if row["stage"] in stages}
    return {
        "minutes": fmean(row["seconds"] / 60 for row in last_runs.values()),
        "cpu_minutes": fmean(row["cpu_seconds"] / 60 for row in last_runs.values()),
    }


def main() -> None:
    """Collect, keep, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--command", default="dvc repro")
    options = parser.parse_args()
    results = read_json(RESULTS) if RESULTS.is_file() else {}
    if options.name:
        results[options.name] = results.get(options.name, {}) | collect(options.command)
        write_json(RESULTS, results)
    results = read_json(RESULTS)
    PAGE.write_text(render_results(results), "utf-8")
    README.write_text(replace_table(README.read_text("utf-8"), results), "utf-8")


if __name__ == "__main__":
    main()
