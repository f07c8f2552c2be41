import json
import sys

from import_closure import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import measure
from collect_results import render

RESULT = {
    "image_auroc": {"mean": 0.9512, "std": 0.0, "seeds": [0, 1]},
    "au_pro": {"mean": 0.9, "std": 0.012, "seeds": [0, 1]},
    "preset": "cpu", "steps": 400, "minutes": 3.21, "cpu_minutes": 6.0,
    "teacher": {"source": "shipped", "backbone": "efficientnet_lite0", "steps": 100, "batch_size": 4,
                "held_out_mse": 0.8},
    "data_md5": "abc", "command": "dvc repro",
}  # fmt: skip


def test_a_row_has_percent_spread_and_a_dash_for_what_is_missing():
    (row,) = [line for line in render({"tile": {"S": RESULT}}).splitlines() if line.startswith("| tile")]
    assert row == "| tile | S | 95.1 | - | - | - | 90.0 ± 1.2 | cpu, 400 | 0, 1 | 3.2 (6.0) | 0.800 |"


def test_the_page_and_the_readme_say_what_was_collected():
    results = json.loads((ROOT / "docs/results.json").read_text("utf-8"))
    assert (ROOT / "docs/results.md").read_text("utf-8") == render(results)
    readme = (ROOT / "README.md").read_text("utf-8")
    for sizes in results.values():
        auroc = f"{100 * sizes['S']['image_auroc']['mean']:.1f}"
        overlap = f"{100 * sizes['S']['au_pro']['mean']:.1f}" if "au_pro" in sizes["S"] else "-"
        assert f"| {auroc} | {overlap} |" in readme


def test_the_benchmarks_page_is_rendered_from_what_was_measured():
    found = json.loads((ROOT / "docs/benchmarks.json").read_text("utf-8"))
    assert (ROOT / "docs/benchmarks.md").read_text("utf-8") == measure.render(found)
    assert found["machine"]["threads"] > 0
