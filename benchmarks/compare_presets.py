"""Compares the preset `cpu` with a run of ten times its steps, and keeps both in docs/benchmarks.json.

    python benchmarks/compare_presets.py OUTPUT

runs `dvc exp run` in a workspace whose params.yaml names one size, one category with defects and one seed, for example
a clone that was set up for magnetic tiles (docs/results.md has the command). OUTPUT is the benchmarks.json to add to.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from efficientad.pipeline.layout import Item
from efficientad.pipeline.params_file import load_params
from efficientad.pipeline.stage import TIMINGS, read_json, write_json


def run_steps(steps: int) -> dict[str, Any]:
    """Train with this number of steps; return it with the minutes of the train stage and the accuracy."""
    params = load_params()
    (size,), (category,), (seed,) = params.sizes, params.categories, params.seeds
    item = Item(size, category, seed)
    target = f"evaluate@{size}-{category}-{seed}"
    subprocess.run(["dvc", "exp", "run", "-S", f"train.cpu.steps={steps}", target], check=True)
    name = f"train.py {size} {category} {seed}"
    rows = [json.loads(line) for line in TIMINGS.read_text("utf-8").splitlines()]
    seconds = [row["seconds"] for row in rows if row["stage"] == name][-1]
    metrics = read_json(item.locate_metrics("evaluate"))["metrics"]
    return {"steps": steps, "minutes": round(seconds / 60, 1), **metrics}


def main() -> None:
    """Run the preset, then ten times its steps."""
    params = load_params()
    steps = params.train.cpu.steps
    output = Path(sys.argv[1])
    results = read_json(output) if output.is_file() else {}
    results["preset"] = {"data": params.categories[0], "cpu": run_steps(steps)}
    write_json(output, results)
    results["preset"]["ten_times"] = run_steps(10 * steps)
    write_json(output, results)


if __name__ == "__main__":
    main()
