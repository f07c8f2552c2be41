"""Accuracy against milliseconds of several detectors, from finished workspaces: docs/pareto.json and docs/pareto.png.

    python benchmarks/pareto.py 'L=../l' 'L, fine bank alone=../fast' 'S=../s' [--threads 2]

Each workspace has the same categories, one size and one seed, trained, evaluated and exported. The models of the first
category are timed in turn in one run. Accuracy is the mean over the categories that all workspaces have.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from statistics import fmean
from typing import Any

from latency import measure_latencies

from efficientad.pipeline.layout import SUMMARY
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import TIMINGS, read_json, write_json
from efficientad.reporting.canvas import NORMAL_COLOUR, label_axes, open_figure

FRONT, DRAWING = Path("docs/pareto.json"), Path("docs/pareto.png")
ACCURACIES = {"image_auroc": "image AUROC", "au_pro": "AU-PRO"}


def collect_workspace(workspace: Path) -> dict[str, Any]:
    """Return {"folder", "metrics": {category: metrics}, "cpu_minutes": {category: minutes of train and fit}}."""
    with chdir(workspace):
        params = load_params()
        (size,), (seed,) = params.sizes, params.seeds
        items = {name.split("/")[1]: metrics for name, metrics in read_json(SUMMARY)["items"].items()}
        lines = TIMINGS.read_text("utf-8").splitlines()
        seconds = {row["stage"]: row["cpu_seconds"] for row in map(json.loads, lines)}
    minutes = {
        category: sum(seconds[f"{stage}.py {size} {category} {seed}"] for stage in ("train", "fit")) / 60
        for category in items
    }
    return {
        "folder": workspace / "models" / size / params.categories[0] / str(seed),
        "metrics": items,
        "cpu_minutes": minutes,
    }


def average(workspaces: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return of each workspace the means over the categories that all have; AU-PRO over those of them with masks."""
    shared = sorted(set.intersection(*(set(one["metrics"]) for one in workspaces.values())))
    return {
        name: {
            **{
                metric: round(fmean(one["metrics"][c][metric] for c in shared if metric in one["metrics"][c]), 4)
                for metric in (*ACCURACIES, "outline_iou")
            },
            "cpu_minutes": round(fmean(one["cpu_minutes"][category] for category in shared), 2),
            "categories": shared,
        }
        for name, one in workspaces.items()
    }


def find_front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """Return the places of those that no other beats: none costs less, or as little, and gains more.

    >>> find_front([1.0, 2.0, 3.0], [0.9, 0.8, 0.95])
    [0, 2]
    """
    return [
        i
        for i in range(len(costs))
        if not any(
            costs[j] <= costs[i] and gains[j] >= gains[i] and (costs[j], gains[j]) != (costs[i], gains[i])
            for j in range(len(costs))
        )
    ]


def draw(points: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw image AUROC and AU-PRO against milliseconds: FP32 filled, INT8 hollow; the front as a line."""
    with open_figure(path, 1080, 420) as figure:
        for axes, (metric, title) in zip(figure.subplots(1, 2), ACCURACIES.items(), strict=True):
            placed = [
                (one["latency_ms"][precision], 100 * one[metric], name, precision)
                for name, one in points.items()
                for precision in one["latency_ms"]
            ]
            front = sorted(placed[i][:2] for i in find_front([p[0] for p in placed], [p[1] for p in placed]))
            axes.plot(*zip(*front, strict=True), color="#999999", linewidth=1)
            for x, y, name, precision in placed:
                hollow = "none" if precision == "int8" else NORMAL_COLOUR
                axes.plot(x, y, "o", color=NORMAL_COLOUR, markerfacecolor=hollow, markersize=7)
                axes.annotate(f"{name} {precision.upper()}", (x, y), (6, -3), textcoords="offset points", fontsize=9)
            axes.set_xscale("log")
            axes.margins(x=0.25, y=0.15)
            label_axes(axes, title, "milliseconds an image, two threads", "percent, mean of the data sets")


def main(measure: Callable[[Sequence[Path], int], dict[str, Any]] = measure_latencies) -> None:
    """Collect, time, keep, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspaces", nargs="+", metavar="NAME=FOLDER")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    folders = {name: Path(folder) for name, folder in (one.split("=", 1) for one in options.workspaces)}
    workspaces = {name: collect_workspace(folder.resolve()) for name, folder in folders.items()}
    timed = measure([one["folder"] for one in workspaces.values()], options.threads)
    points = average(workspaces)
    for name, model in zip(points, timed["models"], strict=True):
        points[name]["latency_ms"] = {key: round(model[key]["p50_ms"], 1) for key in ("fp32", "int8") if key in model}
    write_json(FRONT, {"machine": timed["machine"], "points": points})
    draw(points, DRAWING)


if __name__ == "__main__":
    main()
