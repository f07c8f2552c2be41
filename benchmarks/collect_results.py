"""Keeps a finished run's accuracy in docs/results.json and renders docs/results.md from it.

    python benchmarks/collect_results.py NAME --command 'dvc exp run -S ...'

reads, in the workspace of the run, params.yaml, dvc.lock, metrics/ and the timings below .scratch; NAME is the
data set's key. Without NAME it renders alone.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean, pstdev
from typing import Any

import yaml
from original_size import measure_at_original_size

from efficientad.pipeline.layout import SUMMARY, Item, locate_distill_metrics
from efficientad.pipeline.params import load_params
from efficientad.pipeline.stage import TIMINGS, read_json, write_json

RESULTS, PAGE = Path("docs/results.json"), Path("docs/results.md")
ABLATIONS, BASELINES = "ablations", "baselines"
BRANCHES = ("student", "autoencoder", "both", "memory", "all")
METRICS = ("image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "au_pro", "au_pro_original")

# Image AUROC (AU-PRO) in percent, of the papers and of repositories' own tables.
PUBLISHED = {
    "magnetic_tile": {"PatchCore (Roth et al. 2022)": "97.9", "CS-Flow (Rudolph et al. 2022)": "99.3"},
    "mvtec/screw": {"EfficientAD-S, github nelson1425/EfficientAD": "97.9 (95.6)", "EfficientAD-S, anomalib": "96.0"},
}

COLUMNS = (
    "data", "size", "image AUROC", "image AP", "F1-max", "pixel AUROC", "AU-PRO", "AU-PRO, own size",
    "preset, steps", "memories", "seeds", "minutes (CPU)", "teacher's error",
)  # fmt: skip


def collect(command: str) -> dict[str, Any]:
    """Return {size: result} of the run in this folder, one category, all its seeds."""
    params = load_params()
    (category,) = params.categories
    params = load_params(category=category)
    items = read_json(SUMMARY)["items"]
    lock = yaml.safe_load(Path("dvc.lock").read_text("utf-8"))["stages"]
    timings = [json.loads(line) for line in TIMINGS.read_text("utf-8").splitlines()]
    results: dict[str, Any] = {}
    for size in params.sizes:
        found = [
            items[f"{size}/{category}/{seed}"] | _measure_original(Item(size, category, seed)) for seed in params.seeds
        ]
        results[size] = {
            name: {
                "mean": fmean(one[name] for one in found),
                "std": pstdev(one[name] for one in found),
                "seeds": list(params.seeds),
            }
            for name in METRICS
            if name in found[0]
        } | {
            "preset": params.train.preset,
            "steps": params.train.recipe.steps,
            "memory_scales": list(params.calibrate.memory_scales),
            **_find_minutes(timings, [f"train.py {size} {category} {seed}" for seed in params.seeds]),
            "teacher": read_json(locate_distill_metrics(size) / "distill.json"),
            "data_md5": lock[f"prepare@{category}"]["outs"][0]["md5"],
            "command": command,
        }
    return results


def _measure_original(item: Item) -> dict[str, float]:
    found = measure_at_original_size(item)
    return {} if found is None else {"au_pro_original": found}


def _find_minutes(timings: list[dict[str, Any]], stages: list[str]) -> dict[str, float]:
    """Return the mean minutes of the last run of each stage, by the clock and of all threads together."""
    last = {one["stage"]: one for one in timings if one["stage"] in stages}
    return {
        "minutes": fmean(one["seconds"] / 60 for one in last.values()),
        "cpu_minutes": fmean(one["cpu_seconds"] / 60 for one in last.values()),
    }


def render(results: dict[str, Any]) -> str:
    """Return the page; a dash is a metric that the data set cannot give."""
    ablations, baselines = results.get(ABLATIONS, {}), results.get(BASELINES, {})
    results = {name: sizes for name, sizes in results.items() if name not in (ABLATIONS, BASELINES)}
    lines = [
        "# Results",
        "",
        "Rendered by `benchmarks/collect_results.py` from docs/results.json; do not edit. Metrics are on raw scores of",
        "the test split, in percent, mean over the seeds (and their standard deviation where there are several); pixel",
        "metrics at the model's resolution, data.image_size, and AU-PRO also at that of each image and its mask.",
        "Minutes are those of one detector's train stage on two cores of a server CPU in bfloat16, by the clock and of",
        "both cores together; not all rows are of the same machine.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|" + "---|" * len(COLUMNS),
    ]
    for name, sizes in results.items():
        for size, result in sizes.items():
            cells = [_format(result.get(metric)) for metric in METRICS]
            minutes = f"{result['minutes']:.1f} ({result['cpu_minutes']:.1f})"
            seeds = ", ".join(map(str, result["image_auroc"]["seeds"]))
            error = f"{result['teacher']['held_out_mse']:.3f}"
            steps = f"{result['preset']}, {result['steps']}"
            memories = ", ".join(f"1/{scale}" for scale in result["memory_scales"]) or "-"
            lines.append("| " + " | ".join([name, size, *cells, steps, memories, seeds, minutes, error]) + " |")
    lines += ["", "The teacher's error is its mean squared error on held-out photographs; 1 knows nothing.", ""]
    for name, sizes in results.items():
        for size, result in sizes.items():
            teacher = result["teacher"]
            lines += [
                f"**{name}, {size}**: teacher {teacher['source']}, from {teacher['backbone']} in {teacher['steps']} "
                f"steps of {teacher['batch_size']}; prepared data md5 `{result['data_md5']}`.",
                "",
                f"    {result['command']}",
                "",
                *([result["note"], ""] if "note" in result else []),
            ]
    lines += [*_render_baselines(baselines), *_render_published(results), *_render_ablations(ablations)]
    return "\n".join(lines)


def _render_baselines(baselines: dict[str, Any]) -> list[str]:
    """Return a table of nearest patches: a row for each data set's features."""
    if not baselines:
        return []
    lines = [
        "## The nearest patch, without a student",
        "",
        "In the manner of PatchCore, on the same images of 256 px and the same split, by `benchmarks/baselines.py`:",
        "each patch's squared distance to the nearest of a bank of normal ones, in the features that a row names: of",
        "an ImageNet network (`/8`: at that stride alone; `@256`: shown at 256 px, not 512), or of a shipped",
        "teacher (S, M). What they say of the choice of targets: docs/decisions/0024.",
        "",
        "| data | features | bank | image AUROC | image AP | F1-max | AU-PRO |",
        "|---|---|---|---|---|---|---|",
    ]
    for data, features in baselines.items():
        for name, one in features.items():
            cells = [_percent(one, metric) for metric in ("image_auroc", "image_ap", "image_f1_max", "au_pro")]
            lines.append(f"| {data} | {name} | {one['bank_size']} | {' | '.join(cells)} |")
    return [*lines, ""]


def _render_published(results: dict[str, Any]) -> list[str]:
    """Return a table of others' figures on the data sets that we have figures of."""
    rows = [(data, method, value) for data in results for method, value in PUBLISHED.get(data, {}).items()]
    if not rows:
        return []
    return [
        "## Published figures",
        "",
        "| data | method | image AUROC (AU-PRO) |",
        "|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        "Not like for like. The EfficientAD figures are of teachers distilled from WideResNet-101 on all of ImageNet,",
        "and of 70,000 steps on a GPU; ours of a teacher distilled on two cores from EfficientNet-Lite0 on 1,500",
        "photographs, and of the steps above. PatchCore and CS-Flow describe images by networks that were trained on",
        "ImageNet, which our stations do not run. On magnetic tile the splits are seeded and not the same.",
        "",
    ]


def _render_ablations(ablations: dict[str, Any]) -> list[str]:
    """Return a table of each data set: a row a variant, image AUROC and AU-PRO of the maps, together and alone."""
    lines = []
    for name, variants in ablations.items():
        one = next(iter(variants.values()))
        lines += [
            f"## Ablations on {name}",
            "",
            f"Size {one['size']}, seed {one['seed']}, {one['steps']} steps: image AUROC / AU-PRO of each map alone",
            "and of means of several; `both` are student and autoencoder. By `benchmarks/ablations.py`.",
            "",
        ]
        branches = [name for name in BRANCHES if any(name in found for found in variants.values())]
        lines += ["| | " + " | ".join(branches) + " |", "|---" * (1 + len(branches)) + "|"]
        for variant, found in variants.items():
            cells = [_format_branch(found[branch]) if branch in found else "-" for branch in branches]
            lines.append("| " + " | ".join([variant, *cells]) + " |")
        lines.append("")
    return lines


def _format_branch(branch: dict[str, float]) -> str:
    return f"{_percent(branch, 'image_auroc')} / {_percent(branch, 'au_pro')}"


def _percent(found: dict[str, float], metric: str) -> str:
    return f"{100 * found[metric]:.1f}" if metric in found else "-"


def _format(metric: dict[str, float] | None) -> str:
    if metric is None:
        return "-"
    spread = f" ± {100 * metric['std']:.1f}" if metric["std"] else ""
    return f"{100 * metric['mean']:.1f}{spread}"


def main() -> None:
    """Collect, keep, render."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--command", default="dvc repro")
    options = parser.parse_args()
    results = read_json(RESULTS) if RESULTS.is_file() else {}
    if options.name:
        results[options.name] = results.get(options.name, {}) | collect(options.command)
        write_json(RESULTS, results)
    PAGE.write_text(render(read_json(RESULTS)), "utf-8")


if __name__ == "__main__":
    main()
