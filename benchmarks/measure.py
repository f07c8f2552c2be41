"""Measures speed and memory on this machine: docs/benchmarks.json, and docs/benchmarks.md from it.

    python benchmarks/measure.py [SECTION ...]

Sections: train_step, inference, au_pro, peak_rss_mb, scaling; all by default. peak_rss_mb reads .scratch/timings.jsonl,
which the stages of the last `dvc repro` wrote. The section `preset` is written by benchmarks/compare_presets.py.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from au_pro import measure_au_pro
from inference import find_peak_share, measure_inference
from scaling import measure_scaling
from timing import describe_machine, measure_peak
from train_step import measure_train_step

from efficientad.pipeline.cache import locate_cache
from efficientad.pipeline.stage import TIMINGS, read_json, write_json
from efficientad.training.engine.precision import settle_precision

BENCHMARKS, PAGE = Path("docs/benchmarks.json"), Path("docs/benchmarks.md")


def read_peak_memory() -> dict[str, float]:
    """Return the section `peak_rss_mb`: the last run of each stage, the largest of its items."""
    rows = [json.loads(line) for line in TIMINGS.read_text("utf-8").splitlines()] if TIMINGS.is_file() else []
    last_runs = {row["stage"]: row["peak_rss_mb"] for row in rows}
    peaks: dict[str, float] = {}
    for stage, peak in last_runs.items():
        name = stage.split()[0].removesuffix(".py")
        peaks[name] = max(peak, peaks.get(name, 0.0))
    return peaks


# Scaling comes first: the system counts a child's peak memory from its parent's at the start.
SECTIONS: dict[str, Callable[[], dict[str, Any]]] = {
    "scaling": measure_scaling,
    "train_step": measure_train_step,
    "inference": measure_inference,
    "au_pro": measure_au_pro,
    "peak_rss_mb": read_peak_memory,
}
KINDS = (
    "`_unshared` has the paper's networks, `_shared` shares convolutions with the teacher (train.cpu); both are of",
    "size S at 256 px, without memory banks. The others are the detector that params.yaml exports, at its image size.",
)
WITH_OLD_BANKS = (  # of figures from before memory banks had a backbone of their own
    "`_unshared` has the paper's networks. The others share convolutions with the teacher (train.cpu) and have memory",
    "banks of the teacher's features, except `_no_bank`.",
)
TIMED = ("scaling", "train_step", "inference", "au_pro")


def render(results: dict[str, Any]) -> str:
    """Return the page."""
    lines = [
        "# Benchmarks",
        "",
        "Rendered by `benchmarks/measure.py` from docs/benchmarks.json; do not edit. Medians in one run (`make",
        "bench`), size S, images of 256 x 256 px where nothing else is said, batch 1. The machine is shared, and",
        "sections may have been measured on different ones: only ratios within a section compare. Peak is the measured",
        "most of multiplications.",
        "",
        *(f"- {name}: {value}" for name, value in results["machine"].items()),
    ]
    titles = {
        "train_step": "A training step",
        "preset": "Minutes to an accuracy",
        "au_pro": "AU-PRO",
        "scaling": "Cost against the number of images",
        "peak_rss_mb": "Peak memory of each stage of the default run, MB",
    }
    if "inference" in results:
        lines += [
            "",
            "## Inference",
            "",
            *_show_peak(results, "inference"),
            "| runtime | p50 ms | p95 ms | images per second |",
            "|---|---|---|---|",
        ]
        lines += [
            f"| {name} | {times['p50_ms']} | {times['p95_ms']} | {times['images_per_s']} |"
            for name, times in results["inference"].items()
        ]
        is_old = any(name.endswith("_no_bank") for name in results["inference"])
        lines += [
            "",
            *(WITH_OLD_BANKS if is_old else KINDS),
            "OpenVINO's images per second are those of its asynchronous queue with the hint for throughput.",
        ]
    if "inference_peak_share" in results:
        shares = ", ".join(f"{name} {value}" for name, value in results["inference_peak_share"].items())
        lines += [f"Share of the measured peak of multiplications: {shares}."]
    for section, title in titles.items():
        if section in results:
            lines += ["", f"## {title}", "", *_show_peak(results, section), "| | |", "|---|---|"]
            lines += [f"| {name} | {_show(value)} |" for name, value in results[section].items()]
        if section in results and section in ("preset", "scaling"):
            lines += ["", "Of student and autoencoder, without memory banks (docs/decisions/0020)."]
    return "\n".join(lines) + "\n"


def _show_peak(results: dict[str, Any], section: str) -> list[str]:
    peaks = results.get("section_peak_gmac_per_s", {})
    return [f"Peak {peaks[section]:.0f} GMAC/s.", ""] if section in peaks else []


def _show(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {entry}" for name, entry in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def main() -> None:
    """Measure, keep, render."""
    results = read_json(BENCHMARKS) if BENCHMARKS.is_file() else {}
    results = {"machine": describe_machine()} | {name: values for name, values in results.items() if name != "machine"}
    for name in sys.argv[1:] or SECTIONS:
        print(name, flush=True)
        results[name] = SECTIONS[name]()
        if name in TIMED:
            fastest = torch.bfloat16 if settle_precision("auto", locate_cache()) == "bf16" else torch.float32
            results.setdefault("section_peak_gmac_per_s", {})[name] = round(measure_peak(fastest), 1)
        if name == "inference":
            results["inference_peak_share"] = find_peak_share(results[name])
    write_json(BENCHMARKS, results)
    PAGE.write_text(render(read_json(BENCHMARKS)), "utf-8")


if __name__ == "__main__":
    main()
