"""Writes the table of results in README.md, between two markers, from docs/results.json."""

import re
from typing import Any

from data_sets import BASELINES, DRAWN, LEAK, PUBLISHED, find_title, format_mean, format_percent, select_data_sets

from efficientad.errors import DataError

BEGIN = "<!-- Results: written by benchmarks/collect_results.py, do not edit -->"
END = "<!-- End of the results -->"
COLUMNS = (
    "data", "image AUROC", "AU-PRO", "outline IoU", "nearest patch: AUROC", "published: AUROC (AU-PRO)",
    "training, min",
)  # fmt: skip
SIZE = "L"
NEIGHBOUR = "efficientnet_lite0"  # the network that the memory banks are of
REQUIRED = ("magnetic_tile_by_tile", "magnetic_tile")


def replace_table(readme: str, results: dict[str, Any]) -> str:
    """Return README's text with the table between the markers written anew.

    Raises DataError when a marker is missing or stands there twice.
    """
    if readme.count(BEGIN) != 1 or readme.count(END) != 1 or readme.index(BEGIN) > readme.index(END):
        raise DataError(f"expected {BEGIN} once in README.md and {END} once behind it: put both around the table")
    before, rest = readme.split(BEGIN)
    return f"{before}{BEGIN}\n" + "\n".join(render_readme(results)) + f"\n{END}{rest.split(END)[1]}"


def choose_neighbour(by_features: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the figures of the best of the neighbour's features, whatever their stride and size; {} without any."""
    rows = [figures for features, figures in by_features.items() if re.split("[@/]", features)[0] == NEIGHBOUR]
    return max(rows, key=lambda figures: figures["image_auroc"], default={})


def render_readme(results: dict[str, Any]) -> list[str]:
    """Return the lines of the table: one row per set of photographs, figures of size L in percent, and its neighbours.

    A data set of `REQUIRED` without figures is named in an HTML comment below the table.
    """
    data_sets = {name: sizes[SIZE] for name, sizes in select_data_sets(results).items()
                 if SIZE in sizes and name not in DRAWN}  # fmt: skip
    baselines = results.get(BASELINES, {})
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + "---|" * len(COLUMNS)]
    for name, figures in data_sets.items():
        cells = [
            find_title(name),
            *(format_mean(figures.get(name)).replace(" ", "") for name in ("image_auroc", "au_pro", "outline_iou")),
            format_percent(choose_neighbour(baselines.get(name, {})), "image_auroc"),
            "; ".join(f"{method.split(' (')[0]} {value}" for method, value in PUBLISHED.get(name, {}).items()) or "-",
            f"{figures['minutes']:.1f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    missing = [f"<!-- {find_title(name)}: no figures in docs/results.json -->" for name in REQUIRED
               if name not in data_sets]  # fmt: skip
    return [*lines, *missing, "", *LEAK]
