"""The metrics of many detectors in one table."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from efficientad.pipeline.writing import write_text


def summarise(items: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return {"mean": metrics, "items": {name: metrics}}.

    Each mean is over the items that have the metric: data sets without masks have no pixel metrics.

    >>> summarise({"S/a/0": {"image_auroc": 1.0}, "S/b/0": {"image_auroc": 0.5, "au_pro": 0.9}})["mean"]
    {'image_auroc': 0.75, 'au_pro': 0.9}
    """
    names = list(dict.fromkeys(name for metrics in items.values() for name in metrics))
    mean = {name: fmean(m[name] for m in items.values() if name in m) for name in names}
    return {"mean": mean, "items": {item: dict(metrics) for item, metrics in items.items()}}


def write_summary_csv(path: Path, items: Mapping[str, Mapping[str, float]]) -> None:
    """Write a row for each item and metric, as `dvc plots` draws them; values to six decimals."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n")
    writer.writerow(("item", "metric", "value"))
    rows = ((item, name, round(value, 6)) for item, metrics in items.items() for name, value in metrics.items())
    writer.writerows(rows)
    write_text(path, lines.getvalue())
