"""What a change did to accuracy, as Markdown: one table, and one picture that a forge draws from its text."""

from collections.abc import Iterable, Mapping
from typing import Any

from efficientad.reporting.summary import summarise

Metrics = Mapping[str, float]


def add_means(items: Mapping[str, Metrics]) -> dict[str, Metrics]:
    """Return the items SIZE/CATEGORY/SEED, behind them the mean of each size that has several.

    >>> list(add_means({"L/a/0": {}, "L/b/0": {}, "S/a/0": {}}))
    ['L/a/0', 'L/b/0', 'S/a/0', 'mean of L']
    """
    by_size: dict[str, dict[str, Metrics]] = {}
    for name, metrics in items.items():
        by_size.setdefault(name.split("/")[0], {})[name] = metrics
    return dict(items) | {f"mean of {size}": summarise(own)["mean"] for size, own in by_size.items() if len(own) > 1}


def render_table(now: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Return a table in percent of metrics/summary.json; `before`, that of another commit, may be empty.

    Behind a value stands by how many points it changed. Items that are gone have no row.
    """
    rows, old = add_means(now["items"]), add_means(before.get("items", {}))
    names = list(dict.fromkeys(name for metrics in rows.values() for name in metrics))
    lines = [f"| | {' | '.join(name.replace('_', ' ') for name in names)} |", "|---" * (len(names) + 1) + "|"]
    for row, metrics in rows.items():
        cells = [_render_cell(metrics.get(name), old.get(row, {}).get(name)) for name in names]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw_bars(now: Mapping[str, Any], before: Mapping[str, Any], metric: str) -> str:
    """Return a bar chart in percent of one metric, in the language Mermaid, the values before as a line.

    Empty when no item has the metric.
    """
    values = {name: 100 * metrics[metric] for name, metrics in now["items"].items() if metric in metrics}
    old = {name: 100 * metrics.get(metric, 0) for name, metrics in before.get("items", {}).items()}
    if not values:
        return ""
    lowest = min([*values.values(), *(old[name] for name in values if name in old)])
    names = ", ".join(f'"{name}"' for name in values)
    lines = ["```mermaid", "xychart-beta", f'    title "{metric.replace("_", " ")}"', f"    x-axis [{names}]"]
    lines += [f'    y-axis "percent" {max(0, lowest // 10 * 10 - 10):.0f} --> 100', f"    bar {_list(values.values())}"]
    if values.keys() <= old.keys():
        lines.append(f"    line {_list(old[name] for name in values)}")
    return "\n".join([*lines, "```", ""])


def list_moved(now: Mapping[str, Any], before: Mapping[str, Any], tolerance: float) -> list[str]:
    """Return a sentence for each metric, of an item in both summaries, that moved by more than `tolerance`.

    >>> list_moved({"items": {"L/a/0": {"au_pro": 0.9}}}, {"items": {"L/a/0": {"au_pro": 0.95}}}, 0.01)
    ['L/a/0 au_pro: 0.9500 -> 0.9000']
    """
    return [
        f"{item} {name}: {before['items'][item][name]:.4f} -> {value:.4f}"
        for item, metrics in now["items"].items()
        for name, value in metrics.items()
        if name in before["items"].get(item, {}) and abs(value - before["items"][item][name]) > tolerance
    ]


def _render_cell(value: float | None, before: float | None) -> str:
    if value is None:
        return "-"
    change = None if before is None else round(100 * (value - before), 1)
    return f"{100 * value:.1f}" + (f" ({change:+.1f})" if change else "")


def _list(values: Iterable[float]) -> str:
    return "[" + ", ".join(f"{value:.1f}" for value in values) + "]"
