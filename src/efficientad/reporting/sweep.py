"""The picture of a sweep: what a metric does when one value of params changes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from efficientad.errors import DataError
from efficientad.reporting.canvas import NORMAL_COLOUR, label_axes, open_figure


def collect_points(table: Sequence[Mapping[str, Any]], param: str, metric: str) -> list[tuple[float, float]]:
    """Return (value of the param, metric's mean over all items), sorted, of experiments and commits.

    `table` is what `dvc exp show --json` prints. Raises DataError with fewer than two values.
    """
    revisions = [entry for commit in table for entry in (commit, *_list_experiments(commit))]
    found = {_find_point(revision.get("data") or {}, param, metric) for revision in revisions}
    points = sorted(point for point in found if point is not None)
    if len({value for value, _ in points}) < 2:
        raise DataError(f"expected experiments with two values of {param} or more and {metric}, got {points}")
    return points


def draw_sweep(points: Sequence[tuple[float, float]], param: str, metric: str, path: Path) -> None:
    """Write a PNG with a point for each experiment, joined in the order of the param."""
    with open_figure(path) as figure:
        axes = figure.subplots()
        axes.plot(
            [value for value, _ in points], [100 * result for _, result in points], marker="o", color=NORMAL_COLOUR
        )
        label_axes(axes, f"{len(points)} experiments", param, f"{metric.replace('_', ' ')}, percent")


def _list_experiments(commit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [revision for experiment in commit.get("experiments") or () for revision in experiment["revs"]]


def _find_point(data: Mapping[str, Any], param: str, metric: str) -> tuple[float, float] | None:
    value: Any = (data.get("params") or {}).get("params.yaml", {}).get("data", {})
    for name in param.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    summary = (data.get("metrics") or {}).get("metrics/summary.json", {}).get("data", {})
    result = summary.get("mean", {}).get(metric)
    if result is None or not isinstance(value, int | float):
        return None
    return round(float(value), 9), float(result)  # a range counts up to 0.30000000000000004
