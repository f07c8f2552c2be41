"""A model's card: what one needs to know of a detector before using it, as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

Metrics = Mapping[str, Any]


def render_card(
    name: str,
    facts: Mapping[str, object],
    evaluated: Metrics,
    calibrated: Metrics,
    exported: Metrics,
    sources: Sequence[tuple[str, str]],
) -> str:
    """Return the card of the item SIZE/CATEGORY/SEED.

    `facts` stand in the first table; `evaluated`, `calibrated` and `exported` are what those stages measured, and
    `sources` the hashes by which DVC knows what the detector was made of.
    """
    product = name.split("/")[1]
    parts = [
        f"# Detector {name}",
        "Written by `make card`; results of the commit that holds this file.",
        _render_rows(facts),
        "## Use",
        f"It judges images of {product} taken as those that it saw: the same camera, light and position. On anything "
        "else its scores mean nothing. It marks what it has not seen on good parts, and names no kind of defect.",
        "## Accuracy on the test split, in percent",
        _render_accuracy(evaluated["metrics"]),
        _render_verdicts(evaluated["verdicts"]),
        "## Threshold",
        _render_threshold(calibrated["threshold"]),
        "## Models",
        _render_models(exported["models"]),
        "## Made of",
        _render_rows({path: f"`{digest}`" for path, digest in sources}),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _render_rows(values: Mapping[str, object]) -> str:
    return "\n".join(["| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in values.items())])


def _render_accuracy(metrics: Mapping[str, float]) -> str:
    if not metrics:
        return "No defects to test on."
    names = " | ".join(name.replace("_", " ") for name in metrics)
    return f"| {names} |\n{'|---' * len(metrics)}|\n| {' | '.join(f'{100 * v:.1f}' for v in metrics.values())} |"


def _render_verdicts(verdicts: Mapping[str, float]) -> str:
    defective = verdicts["true_positive"] + verdicts["false_negative"]
    good = verdicts["true_negative"] + verdicts["false_positive"]
    alarms = f"raised {verdicts['false_positive']} false alarms on {good} good ones"
    if not defective:
        return f"At its threshold it {alarms}."
    return f"At its threshold it missed {verdicts['false_negative']} of {defective} defective images and {alarms}."


def _render_threshold(threshold: Mapping[str, Any]) -> str:
    return (
        f"{threshold['value']}, from {threshold['normal_images']} good images that were held out. Over the draw of "
        f"these and of one new good part from the same source, the chance of a false alarm is at most "
        f"{100 * threshold['false_alarm_rate']:.1f} %."
    )


def _render_models(models: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [
        "| model | MB | image AUROC | largest difference of the map from torch | other verdicts |",
        "|---|---|---|---|---|",
    ]
    for name, found in models.items():
        auroc = f"{100 * found['image_auroc']:.1f}" if "image_auroc" in found else "-"
        difference = f"{found['max_map_difference']:.2g}" if "max_map_difference" in found else "-"
        size = found.get("megabytes", "-")
        lines.append(f"| {name} | {size} | {auroc} | {difference} | {found.get('verdict_flips', '-')} |")
    return "\n".join(lines)
