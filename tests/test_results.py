import json
import sys

import numpy as np
import pytest
import torch
from import_closure import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import deployment
import measure
from ablations import measure_branches
from collect_results import ABLATIONS, BASELINES, render
from original_size import compare

from efficientad.data.prepared import Prepared, PreparedRow
from efficientad.model.detector import Detector

RESULT = {
    "image_auroc": {"mean": 0.9512, "std": 0.0, "seeds": [0, 1]},
    "au_pro": {"mean": 0.9, "std": 0.012, "seeds": [0, 1]},
    "preset": "cpu", "steps": 400, "memory_scales": [2, 4], "minutes": 3.21, "cpu_minutes": 6.0,
    "teacher": {"source": "shipped", "backbone": "efficientnet_lite0", "steps": 100, "batch_size": 4,
                "held_out_mse": 0.8},
    "data_md5": "abc", "command": "dvc repro",
}  # fmt: skip


def test_a_row_has_percent_spread_and_a_dash_for_what_is_missing():
    (row,) = [line for line in render({"tile": {"S": RESULT}}).splitlines() if line.startswith("| tile")]
    assert row == "| tile | S | 95.1 | - | - | - | 90.0 ± 1.2 | - | cpu, 400 | 1/2, 1/4 | 0, 1 | 3.2 (6.0) | 0.800 |"


def test_the_page_and_the_readme_say_what_was_collected():
    results = json.loads((ROOT / "docs/results.json").read_text("utf-8"))
    assert (ROOT / "docs/results.md").read_text("utf-8") == render(results)
    readme = (ROOT / "README.md").read_text("utf-8")
    for name, sizes in results.items():
        if name in (ABLATIONS, BASELINES):
            continue
        auroc = f"{100 * sizes['S']['image_auroc']['mean']:.1f}"
        overlap = f"{100 * sizes['S']['au_pro']['mean']:.1f}" if "au_pro" in sizes["S"] else "-"
        assert f"| {auroc} | {overlap} |" in readme


def test_ablations_have_a_row_a_variant():
    branch = {"image_auroc": 0.9, "au_pro": 0.8}
    full = {"both": branch, "student": {"image_auroc": 0.7}, "autoencoder": branch, "size": "S", "seed": 0, "steps": 5}
    page = render({"tile": {"S": RESULT}, ABLATIONS: {"tile": {"full": full}}})
    assert "| | student | autoencoder | both |\n" in page
    assert "| full | 70.0 / - | 90.0 / 80.0 | 90.0 / 80.0 |" in page


def test_baselines_have_a_row_for_each_of_a_data_set_s_features():
    one = {"image_auroc": 0.7, "image_ap": 0.5, "image_f1_max": 0.25, "bank_size": 12}
    page = render({"tile": {"S": RESULT}, BASELINES: {"tile": {"lite": one, "M": {**one, "au_pro": 0.75}}}})
    assert "| tile | lite | 12 | 70.0 | 50.0 | 25.0 | - |\n| tile | M | 12 | 70.0 | 50.0 | 25.0 | 75.0 |\n" in page


@pytest.mark.parametrize(("found", "expected"), [([[1, 1, 0, 0]], 1.0), ([[0, 0, 1, 1]], 0.0)])
def test_maps_are_compared_at_the_size_of_each_mask(found, expected):
    masks = [np.broadcast_to(np.arange(16) < 8, (8, 16)), np.broadcast_to(np.arange(6) < 3, (12, 6))]
    assert compare([np.float32(found)] * 2, masks) == expected
    assert compare([np.float32(found)], [np.zeros((8, 16), bool)]) is None


@pytest.mark.parametrize(("scales", "together"), [((), "both"), ((2, 4), "all")])
def test_the_branches_together_are_what_the_detector_says(scales, together):
    torch.manual_seed(0)
    detector = Detector("S", memories=[(scale, 5) for scale in scales]).eval()
    for memory in detector.memories:
        memory.projection.normal_()
    detector.student_quantiles.copy_(torch.tensor([0.1, 0.5]))
    rng = np.random.default_rng(0)
    images, masks = rng.integers(0, 256, (8, 64, 64, 3), dtype=np.uint8), np.zeros((8, 64, 64), bool)
    masks[4:, 20:30, 20:30] = True
    rows = tuple(PreparedRow(str(i), "test", int(i > 3), "x", True, str(i), 64, 64) for i in range(8))
    found = measure_branches(detector, Prepared(rows, images, masks, (64, 64), None, (), ()))
    with torch.inference_mode():
        scores = detector(torch.from_numpy(images).permute(0, 3, 1, 2) / 255).anomaly_score.numpy()
    pairs = scores[4:, None] > scores[None, :4]
    assert found[together]["image_auroc"] == pytest.approx(pairs.mean())
    assert set(found) == {"both", "student", "autoencoder"} | ({"memory", "all"} if scales else set())
    assert all(0 <= one["au_pro"] <= 1 for one in found.values())


def test_the_benchmarks_page_is_rendered_from_what_was_measured():
    found = json.loads((ROOT / "docs/benchmarks.json").read_text("utf-8"))
    assert (ROOT / "docs/benchmarks.md").read_text("utf-8") == measure.render(found)
    assert found["machine"]["threads"] > 0


def test_the_deployment_page_is_rendered_from_what_was_measured():
    found = json.loads((ROOT / "docs/deployment.json").read_text("utf-8"))
    assert (ROOT / "docs/deployment.md").read_text("utf-8") == deployment.render(found)
    assert all(models["openvino_fp32"]["verdict_flips"] == 0 for models in found.values())
