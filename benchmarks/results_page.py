"""Renders docs/results.md from docs/results.json."""

from typing import Any

from data_sets import (
    ABLATIONS,
    BASELINES,
    LEAK,
    PUBLISHED,
    find_title,
    format_mean,
    format_percent,
    select_data_sets,
)

BRANCHES = ("student", "autoencoder", "both", "memory bank", "all")
METRICS = ("image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "au_pro", "au_pro_original", "outline_iou")
COLUMNS = (
    "data", "size", "image AUROC", "image AP", "F1-max", "pixel AUROC", "AU-PRO", "AU-PRO, own size",
    "outline IoU", "FP32 / INT8, ms", "preset, steps", "memory banks", "seeds", "minutes (CPU)", "teacher's error",
)  # fmt: skip


LOOKED_AT = (
    "Choices were made while looking at test images of magnetic tile, screw, bottle, pillQC, ELPV and the embedded",
    "sets, so that their figures are optimistic: docs/experiments/README.md has the list.",
)
TIMES = (
    "Milliseconds are the median time of one image, by `benchmarks/latency.py`; docs/latency.json has the machine",
    "and the number of threads.",
)


def render_results(results: dict[str, Any]) -> str:
    """Return the page; a dash stands for a metric that the data set does not have."""
    data_sets = select_data_sets(results)
    leak = ["", *LEAK] if any(name.startswith("magnetic_tile") for name in data_sets) else []
    lines = [
        "# Results",
        "",
        "Rendered by `benchmarks/collect_results.py` from docs/results.json; do not edit. All metrics are in",
        "percent, of raw scores and maps of the test split: the mean over the seeds, and the standard deviation",
        "where there are several. Pixel metrics are at the model's resolution (`data.image_size`), AU-PRO also at",
        "the size of each image and its mask. Minutes are those of one detector's train stage, or of the fit stage for",
        "size L, which trains nothing, on two cores of a server CPU in bfloat16: by the clock, and in brackets of both",
        "cores together. Not all rows are from the same machine. Memory banks `1/2` and `1/4` held features of the",
        "teacher of the image at 128 and 64 px, in an older version; the others hold features of the backbone.",
        "",
        "Outline IoU is the one pixel metric at the detector's threshold. In each image with an annotated defect, it",
        "is the number of pixels that are both marked and annotated, divided by those that are either; a missed defect",
        "gives 0, and marks elsewhere in the image lower it. Marked are the pixels of each region above the threshold",
        "that reach half of its highest value. The table has the mean over these images.",
        *(TIMES if any("latency_ms" in row for sizes in data_sets.values() for row in sizes.values()) else []),
        *leak,
        "",
        *LOOKED_AT,
        "",
        *render_table(data_sets),
        "",
        "The teacher's error is its mean squared error on held-out photographs; 1 means that it has learned nothing.",
        "",
        *render_commands(data_sets),
        *render_baselines(results.get(BASELINES, {})),
        *render_published(data_sets),
        *render_ablations(results.get(ABLATIONS, {})),
    ]
    return "\n".join(lines)


def render_table(data_sets: dict[str, Any]) -> list[str]:
    """Return the lines of the main table: one row per data set and size."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for name, sizes in data_sets.items():
        for size, figures in sizes.items():
            metrics = [format_mean(figures.get(metric)) for metric in METRICS]
            minutes = f"{figures['minutes']:.1f} ({figures['cpu_minutes']:.1f})"
            seeds = ", ".join(map(str, figures["image_auroc"]["seeds"]))
            error = format_error(figures["teacher"])
            latency = render_latency(figures.get("latency_ms", {}))
            steps = f"{figures['preset']}, {figures['steps']}" if "steps" in figures else "-"
            banks = render_banks(figures)
            cells = [find_title(name), size, *metrics, latency, steps, banks, seeds, minutes, error]
            lines.append("| " + " | ".join(cells) + " |")
    return lines


def render_banks(figures: dict[str, Any]) -> str:
    """Return the scales of the memory banks; of an old row, by how much they shrank an image of 256 px.

    >>> render_banks({"banks": ["fine"]}), render_banks({"bank_scales": [2, 4]}), render_banks({"banks": []})
    ('fine', '1/2, 1/4', '-')
    """
    scales = figures["banks"] if "banks" in figures else [f"1/{scale}" for scale in figures["bank_scales"]]
    return ", ".join(scales) or "-"


def format_error(teacher: dict[str, Any]) -> str:
    """Return a teacher's error on held-out photographs; a dash where its publisher does not tell it."""
    return f"{teacher['held_out_mse']:.3f}" if "held_out_mse" in teacher else "-"


def render_latency(latency_ms: dict[str, float]) -> str:
    """Return the milliseconds of FP32 and of INT8, a dash for what was not timed.

    >>> render_latency({"fp32": 273.06, "int8": 80.0}), render_latency({"fp32": 9.5}), render_latency({})
    ('273.1 / 80.0', '9.5 / -', '-')
    """
    if not latency_ms:
        return "-"
    return " / ".join(f"{latency_ms[name]:.1f}" if name in latency_ms else "-" for name in ("fp32", "int8"))


def render_commands(data_sets: dict[str, Any]) -> list[str]:
    """Return teacher, data and command of each row."""
    lines = []
    for name, sizes in data_sets.items():
        for size, figures in sizes.items():
            lines += [
                f"**{find_title(name)}, {size}**: {describe_teacher(figures['teacher'])}; "
                f"prepared data md5 `{figures['data_md5']}`.",
                "",
                f"    {figures['command']}",
                "",
                *([figures["note"], ""] if "note" in figures else []),
            ]
    return lines


def describe_teacher(teacher: dict[str, Any]) -> str:
    """Return where a teacher comes from; size L has none.

    >>> describe_teacher({"source": "package", "backbone": "efficientnet_lite0"})
    'the features of efficientnet_lite0 as they are'
    """
    if teacher["source"] == "package":
        return f"the features of {teacher['backbone']} as they are"
    origin = f"teacher {teacher['source']}, from {teacher['backbone']}"
    return f"{origin} in {teacher['steps']} steps of {teacher['batch_size']}"


def render_baselines(baselines: dict[str, Any]) -> list[str]:
    """Return a table of nearest patches: one row per data set and features."""
    if not baselines:
        return []
    lines = [
        "## The nearest patch, without a student",
        "",
        "As in PatchCore, on the same images of 256 px and the same split, by `benchmarks/baselines.py`: the squared",
        "distance of each patch to the nearest one in a memory bank of normal patches. The column features names an",
        "ImageNet network (`/8`: its stride 8 alone; `@256`: on images of 256 px instead of 512) or a shipped teacher",
        "(S, M). The choice of the teacher's targets rests on this table: docs/decisions/0024.",
        "",
        "| data | features | patches in the bank | image AUROC | image AP | F1-max | AU-PRO |",
        "|---|---|---|---|---|---|---|",
    ]
    for data, by_features in select_data_sets(baselines).items():
        for features, figures in by_features.items():
            metrics = [format_percent(figures, name) for name in ("image_auroc", "image_ap", "image_f1_max", "au_pro")]
            lines.append(f"| {find_title(data)} | {features} | {figures['bank_size']} | {' | '.join(metrics)} |")
    return [*lines, ""]


def render_published(data_sets: dict[str, Any]) -> list[str]:
    """Return a table of others' figures on the data sets that we have figures of."""
    rows = [(find_title(data), *row) for data in data_sets for row in PUBLISHED.get(data, {}).items()]
    if not rows:
        return []
    return [
        "## Published figures",
        "",
        "| data | method | image AUROC (AU-PRO) |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        "These are not like for like. The published EfficientAD figures come from teachers distilled from",
        "WideResNet-101 on all of ImageNet and from 70,000 steps on a GPU; ours come from a teacher distilled on",
        "two cores from EfficientNet-Lite0 on 1,500 photographs, and from the steps above. PatchCore and CS-Flow",
        "take features from networks that were trained on ImageNet, which our stations do not run. On magnetic tile",
        "everybody splits at random by image, and no two splits are the same.",
        "",
    ]


def render_ablations(ablations: dict[str, Any]) -> list[str]:
    """Return a table per data set: one row per variant, image AUROC and AU-PRO of the maps, together and alone."""
    lines = []
    for name, variants in ablations.items():
        run = next(iter(variants.values()))
        lines += [
            f"## Ablations on {find_title(name)}",
            "",
            f"Size {run['size']}, seed {run['seed']}, {run['steps']} steps: image AUROC / AU-PRO of each map alone and",
            "of the mean of several; `both` are student and autoencoder. By `benchmarks/ablations.py`.",
            "",
        ]
        branches = [branch for branch in BRANCHES if any(branch in figures for figures in variants.values())]
        lines += ["| | " + " | ".join(branches) + " |", "|---" * (1 + len(branches)) + "|"]
        for variant, figures in variants.items():
            cells = [format_branch(figures[branch]) if branch in figures else "-" for branch in branches]
            lines.append("| " + " | ".join([variant, *cells]) + " |")
        lines.append("")
    return lines


def format_branch(figures: dict[str, float]) -> str:
    """Return "image AUROC / AU-PRO" in percent."""
    return f"{format_percent(figures, 'image_auroc')} / {format_percent(figures, 'au_pro')}"
