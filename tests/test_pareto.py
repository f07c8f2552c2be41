"""Accuracy against milliseconds: which categories are compared, what was published, and who is beaten by nobody."""

import json
import sys

import pareto
import pytest
import yaml
from import_closure import ROOT
from pareto_page import PAPER, render_front

VALUES = {"image_auroc": 0.9, "au_pro": 0.8, "outline_iou": 0.3}
WITHOUT_MASKS = {"image_auroc": 0.5}


def write_workspace(folder, size, metrics, seconds):
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    tree |= {"sizes": [size], "categories": [*metrics], "seeds": [0], "category": {key: {} for key in metrics}}
    (folder / ".scratch").mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    for category, values in metrics.items():
        file = folder / "metrics/evaluate" / size / category / "0.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps({"metrics": values}), "utf-8")
    rows = [{"stage": f"{stage}.py {size} {category} 0", "cpu_seconds": seconds} for category in metrics
            for stage in ("train", "fit", "evaluate")]  # fmt: skip
    (folder / pareto.TIMINGS).write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder


def fake_latencies(folders, threads):
    models = [{"fp32": {"p50_ms": 10.0 * (i + 1)}, "int8": {"p50_ms": 5.0 * (i + 1)}} for i in range(len(folders))]
    return {"machine": {"threads": threads, "openvino": "2026", "processor": "slow"}, "models": models}


@pytest.fixture
def front(tmp_path, monkeypatch):
    """A run over three workspaces; M has fewer categories than L and S."""
    gears = {"gear": VALUES, "cell": WITHOUT_MASKS}
    write_workspace(tmp_path / "l", "L", gears, 30)
    write_workspace(tmp_path / "s", "S", gears | {"gear": VALUES | {"image_auroc": 1.0}}, 300)
    write_workspace(tmp_path / "m", "M", {"gear": VALUES}, 300)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["pareto.py", "L=l", "S=s", "M=m"])
    (tmp_path / "docs").mkdir()
    pareto.main(fake_latencies)
    return json.loads(pareto.FRONT.read_text("utf-8"))


def test_detectors_are_compared_on_the_categories_that_each_of_them_has(front):
    all_categories, few = front["comparisons"]
    assert all_categories["categories"] == ["cell", "gear"]
    assert [*all_categories["points"]] == ["L", "S"]
    assert [*few["points"]] == ["L", "S", "M"]


def test_points_are_means_over_the_categories_and_over_those_with_masks(front):
    points = front["comparisons"][0]["points"]
    assert points["L"]["image_auroc"] == pytest.approx(0.7)
    assert points["S"]["image_auroc"] == pytest.approx(0.75)
    assert points["L"]["au_pro"] == pytest.approx(0.8)
    assert points["L"]["cpu_minutes"] == pytest.approx(1.0)  # train and fit alone
    assert points["S"]["latency_ms"] == {"fp32": 20.0, "int8": 10.0}
    assert pareto.DRAWING.stat().st_size > 0


def test_what_was_published_stands_where_every_category_has_it():
    point = pareto.quote_published(["bottle", "screw"], {"fp32": 1.0})[PAPER]
    assert point == {"image_auroc": pytest.approx(0.989), "au_pro": pytest.approx(0.954), "latency_ms": {"fp32": 1.0}}
    assert pareto.quote_published(["bottle", "gear"], {}) == {}


def test_the_front_leaves_out_what_another_beats_in_both():
    assert pareto.find_front([1.0, 1.0, 2.0, 2.0], [0.5, 0.6, 0.6, 0.7]) == [1, 3]
    assert pareto.find_front([1.0, 1.0], [0.5, 0.5]) == [0, 1]


def test_the_page_is_rendered_from_what_was_measured():
    front = json.loads((ROOT / "docs/pareto.json").read_text("utf-8"))
    assert (ROOT / "docs/pareto.md").read_text("utf-8") == render_front(front)
