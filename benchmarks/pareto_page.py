"""Renders docs/pareto.md from docs/pareto.json."""

from collections.abc import Mapping
from typing import Any

from data_sets import format_percent

PAPER = "paper, published"  # the point of what the authors of an implementation report
COLUMNS = ("detector", "image AUROC", "AU-PRO", "outline IoU", "FP32, ms", "INT8, ms", "training, CPU minutes")


def render_front(front: Mapping[str, Any]) -> str:
    """Return the page of what `pareto.py` kept."""
    machine = front["machine"]
    lines = [
        "# Accuracy against time",
        "",
        "Rendered by `benchmarks/pareto.py` from docs/pareto.json; do not edit. Means over the data sets, in percent,",
        "one seed, of the test split; AU-PRO and outline IoU over those with masks. Milliseconds: median of one image,",
        f"OpenVINO {machine['openvino']}, {machine['processor']}, {machine['threads']} threads, all models in turn in",
        "one run. Training: the stages train and fit, mean of the data sets.",
        "",
        "![Image AUROC and AU-PRO against milliseconds](pareto.png)",
        "",
        "Filled: FP32. Hollow: INT8, drawn at FP32's accuracy.",
    ]
    for comparison in front["comparisons"]:
        lines += ["", "## " + ", ".join(comparison["categories"]), ""]
        lines += ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
        lines += [render_row(name, point) for name, point in comparison["points"].items()]
    return "\n".join([*lines, ""])


def render_row(name: str, point: Mapping[str, Any]) -> str:
    """Return a detector's line of the table, a dash for what is not known.

    >>> render_row("S", {"image_auroc": 0.95, "latency_ms": {"fp32": 20.04}})
    '| S | 95.0 | - | - | 20.0 | - | - |'
    """
    accuracies = [format_percent(dict(point), metric) for metric in ("image_auroc", "au_pro", "outline_iou")]
    times = [f"{point['latency_ms'][key]:.1f}" if key in point["latency_ms"] else "-" for key in ("fp32", "int8")]
    minutes = f"{point['cpu_minutes']:.1f}" if "cpu_minutes" in point else "-"
    return "| " + " | ".join([name, *accuracies, *times, minutes]) + " |"
