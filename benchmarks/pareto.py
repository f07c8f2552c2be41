"""Accuracy against milliseconds and training of several detectors: docs/pareto.json, docs/pareto.md, docs/pareto.png.

    python benchmarks/pareto.py 'L=../l' 'L, nearest patch=../nearest' 'S=../s' 'M=../m' [--threads 2]

Each workspace has one size and one seed, trained and evaluated, and its first category exported. These models are
timed in turn in one run. There is one comparison for each set of categories that a workspace has, of all workspaces
that have these. The paper's networks are S without memory banks; beside a workspace named S stands what was published
of it, with the milliseconds of S.
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import chdir
from pathlib import Path
from statistics import fmean
from typing import Any

from data_sets import PUBLISHED
from latency import measure_latencies
from pareto_page import PAPER, render_front

from efficientad.pipeline.layout import Item
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import TIMINGS, read_json, write_json
from efficientad.reporting.canvas import ANOMALOUS_COLOUR, NORMAL_COLOUR, label_axes, open_figure

FRONT, PAGE, DRAWING = Path("docs/pareto.json"), Path("docs/pareto.md"), Path("docs/pareto.png")
ACCURACIES = {"image_auroc": "image AUROC", "au_pro": "AU-PRO"}
AUTHORS = "EfficientAD-S, github nelson1425/EfficientAD"  # of `PUBLISHED`


def collect_workspace(workspace: Path) -> dict[str, Any]:
    """Return {"folder", "metrics": {category: metrics}, "cpu_minutes": {category: minutes of train and fit}}."""
    with chdir(workspace):
        params = load_params()
        (size,), (seed,) = params.sizes, params.seeds
        items = {category: Item(size, category, seed) for category in params.categories}
        metrics = {c: read_json(item.locate_metrics("evaluate"))["metrics"] for c, item in items.items()}
        rows = map(json.loads, TIMINGS.read_text("utf-8").splitlines())
        seconds = {row["stage"]: row["cpu_seconds"] for row in rows}  # of a stage's last run
    minutes = {
        category: sum(seconds.get(f"{stage}.py {size} {category} {seed}", 0.0) for stage in ("train", "fit")) / 60
        for category in items
    }
    return {"folder": workspace / items[params.categories[0]].models, "metrics": metrics, "cpu_minutes": minutes}


def compare(workspaces: Mapping[str, Mapping[str, Any]], latencies: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a comparison for each set of categories that a workspace has, the largest set first.

    Each is {"categories": [...], "points": {name: means, cpu_minutes, latency_ms}}, of all workspaces with these
    categories. AU-PRO and outline IoU are means over those of them with masks. One detector alone is no comparison.
    """
    sets = sorted({frozenset(one["metrics"]) for one in workspaces.values()}, key=len, reverse=True)
    comparisons = []
    for categories in sets:
        points = {
            name: average(one, sorted(categories)) | {"latency_ms": latencies[name]}
            for name, one in workspaces.items()
            if categories <= set(one["metrics"])
        }
        if "S" in points:
            points |= quote_published(sorted(categories), points["S"]["latency_ms"])
        if len(points) > 1:
            comparisons.append({"categories": sorted(categories), "points": points})
    return comparisons


def average(workspace: Mapping[str, Any], categories: Sequence[str]) -> dict[str, float]:
    """Return the means over `categories` of a workspace's metrics, over those that have it, and of its minutes."""
    known = [workspace["metrics"][category] for category in categories]
    means = {
        metric: round(fmean(one[metric] for one in known if metric in one), 4)
        for metric in (*ACCURACIES, "outline_iou")
        if any(metric in one for one in known)
    }
    return means | {"cpu_minutes": round(fmean(workspace["cpu_minutes"][one] for one in categories), 2)}


def quote_published(categories: Sequence[str], latency_ms: Mapping[str, float]) -> dict[str, Any]:
    """Return {PAPER: means of the published figures}, or {} where some of the categories have none."""
    quoted = [PUBLISHED.get(f"mvtec/{category}", {}).get(AUTHORS) for category in categories]
    if not all(quoted):
        return {}
    aurocs, au_pros = zip(*(str(figures).rstrip(")").split(" (") for figures in quoted), strict=True)
    means = {"image_auroc": aurocs, "au_pro": au_pros}
    return {
        PAPER: {metric: round(fmean(map(float, values)) / 100, 4) for metric, values in means.items()}
        | {"latency_ms": latency_ms}
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


def draw(comparisons: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw a row for each comparison: image AUROC and AU-PRO against milliseconds, the front as a line."""
    with open_figure(path, 1080, 380 * len(comparisons)) as figure:
        for row, comparison in zip(figure.subplots(len(comparisons), 2, squeeze=False), comparisons, strict=True):
            for axes, (metric, title) in zip(row, ACCURACIES.items(), strict=True):
                draw_points(axes, comparison["points"], metric)
                names = f"{len(comparison['categories'])} data sets"
                if len(comparison["categories"]) < 4:
                    names = " and ".join(comparison["categories"])
                label_axes(axes, f"{title}, mean of {names}", "milliseconds an image, two threads", "percent")


def draw_points(axes: Any, points: Mapping[str, Mapping[str, Any]], metric: str) -> None:
    """Draw one metric: FP32 filled, INT8 hollow with FP32's accuracy, which the export's trial holds it to."""
    placed = [
        (milliseconds, 100 * one[metric], name, precision)
        for name, one in points.items()
        for precision, milliseconds in one["latency_ms"].items()
    ]
    front = sorted(placed[i][:2] for i in find_front([p[0] for p in placed], [p[1] for p in placed]))
    axes.plot(*zip(*front, strict=True), color="#999999", linewidth=1)
    for x, y, name, precision in placed:
        colour = ANOMALOUS_COLOUR if name == PAPER else NORMAL_COLOUR
        axes.plot(x, y, "o", color=colour, markerfacecolor="none" if precision == "int8" else colour, markersize=7)
        if precision == "fp32":
            offset = (0, 8) if name == next(iter(points)) else (0, -15)  # neighbours' names would meet
            axes.annotate(name, (x, y), offset, textcoords="offset points", fontsize=9, ha="center")
    axes.set_xscale("log")
    axes.set_xticks([10, 20, 50, 100, 200, 500], ["10", "20", "50", "100", "200", "500"])
    axes.minorticks_off()
    axes.margins(x=0.2, y=0.2)


def main(measure: Callable[[Sequence[Path], int], dict[str, Any]] = measure_latencies) -> None:
    """Collect, time, keep, draw; without workspaces only write page and picture anew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspaces", nargs="*", metavar="NAME=FOLDER")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    if options.workspaces:
        folders = {name: Path(folder).resolve() for name, folder in (one.split("=", 1) for one in options.workspaces)}
        workspaces = {name: collect_workspace(folder) for name, folder in folders.items()}
        timed = measure([one["folder"] for one in workspaces.values()], options.threads)
        latencies = {
            name: {key: round(model[key]["p50_ms"], 1) for key in ("fp32", "int8") if key in model}
            for name, model in zip(workspaces, timed["models"], strict=True)
        }
        write_json(FRONT, {"machine": timed["machine"], "comparisons": compare(workspaces, latencies)})
    front = read_json(FRONT)
    PAGE.write_text(render_front(front), "utf-8")
    draw(front["comparisons"], DRAWING)


if __name__ == "__main__":
    main()
