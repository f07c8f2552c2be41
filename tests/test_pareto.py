"""The Pareto front of docs/pareto.json: means over shared categories, and who is beaten by nobody."""

import json
import sys

import pytest
import yaml
from import_closure import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import pareto


def write_workspace(folder, size, metrics, seconds):
    folder.mkdir()
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    tree |= {"sizes": [size], "categories": [*metrics], "seeds": [0], "category": {key: {} for key in metrics}}
    (folder / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    (folder / "metrics").mkdir()
    items = {f"{size}/{category}/0": values for category, values in metrics.items()}
    (folder / pareto.SUMMARY).write_text(json.dumps({"items": items}), "utf-8")
    (folder / pareto.TIMINGS).parent.mkdir()
    rows = [{"stage": f"{stage}.py {size} {category} 0", "cpu_seconds": seconds} for category in metrics
            for stage in ("train", "fit", "evaluate")]  # fmt: skip
    (folder / pareto.TIMINGS).write_text("\n".join(map(json.dumps, rows)), "utf-8")


def fake_latencies(folders, threads):
    models = [{"fp32": {"p50_ms": 10.0 * (i + 1)}, "int8": {"p50_ms": 5.0 * (i + 1)}} for i in range(len(folders))]
    return {"machine": {"threads": threads}, "models": models}


def test_points_are_means_over_the_categories_that_all_workspaces_have(tmp_path, monkeypatch):
    values = {"image_auroc": 0.9, "au_pro": 0.8, "outline_iou": 0.3}
    without_masks = {"image_auroc": 0.5}
    write_workspace(tmp_path / "l", "L", {"gear": values, "cell": without_masks, "other": without_masks}, 30)
    write_workspace(tmp_path / "s", "S", {"gear": values | {"image_auroc": 1.0}, "cell": without_masks}, 300)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(sys, "argv", ["pareto.py", "L=../l", "S=../s"])
    pareto.main(fake_latencies)
    points = json.loads(pareto.FRONT.read_text("utf-8"))["points"]
    assert points["L"]["image_auroc"] == pytest.approx(0.7)
    assert points["S"]["image_auroc"] == pytest.approx(0.75)
    assert points["L"]["au_pro"] == pytest.approx(0.8)
    assert points["L"]["cpu_minutes"] == pytest.approx(1.0)  # train and fit alone
    assert points["S"]["latency_ms"] == {"fp32": 20.0, "int8": 10.0}
    assert points["L"]["categories"] == ["cell", "gear"]
    assert pareto.DRAWING.stat().st_size > 0


def test_the_front_leaves_out_what_another_beats_in_both():
    assert pareto.find_front([1.0, 1.0, 2.0, 2.0], [0.5, 0.6, 0.6, 0.7]) == [1, 3]
    assert pareto.find_front([1.0, 1.0], [0.5, 0.5]) == [0, 1]
