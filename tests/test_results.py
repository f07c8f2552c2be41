"""The pages of results are rendered from what was measured, and so is README's table."""

import json
import sys

import numpy as np
import pytest
import torch
from import_closure import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))

import collect_results
import deployment
import measure
from ablations import measure_branches
from collect_results import average_metrics, average_minutes, name_longest_stage
from data_sets import ABLATIONS, BASELINES, TITLES
from latency import describe_kind
from original_size import compare
from readme_table import BEGIN, END, render_readme, replace_table
from results_page import render_results
from tiny_models import build_tiny

from efficientad.data.arrays.prepared import Prepared, PreparedRow
from efficientad.errors import DataError
from efficientad.pipeline.layout import Item
from efficientad.pipeline.stage import write_json

RESULT = {
    "image_auroc": {"mean": 0.9512, "std": 0.0, "seeds": [0, 1]},
    "au_pro": {"mean": 0.9, "std": 0.012, "seeds": [0, 1]},
    "outline_iou": {"mean": 0.4218, "std": 0.02, "seeds": [0, 1]},
    "latency_ms": {"fp32": 32.04, "int8": 17.0},
    "preset": "cpu", "steps": 400, "banks": ["fine", "coarse"], "minutes": 3.21, "cpu_minutes": 6.0,
    "teacher": {"source": "shipped", "backbone": "efficientnet_lite0", "steps": 100, "batch_size": 4,
                "held_out_mse": 0.8},
    "data_md5": "abc", "command": "dvc repro",
}  # fmt: skip


def test_a_row_has_percent_spread_and_a_dash_for_a_missing_metric():
    (row,) = [line for line in render_results({"tile": {"S": RESULT}}).splitlines() if line.startswith("| tile")]
    assert row == (
        "| tile | S | 95.1 | - | - | - | 90.0 ± 1.2 | - | 42.2 ± 2.0 | 32.0 / 17.0 | cpu, 400 | fine, coarse | 0, 1 "
        "| 3.2 (6.0) | 0.800 |"
    )


def test_rows_from_before_outlines_and_latencies_were_measured_have_dashes():
    old = {name: figures for name, figures in RESULT.items() if name not in ("outline_iou", "latency_ms")}
    (row,) = [line for line in render_results({"tile": {"S": old}}).splitlines() if line.startswith("| tile")]
    assert "| 90.0 ± 1.2 | - | - | - | cpu, 400 |" in row
    assert "docs/latency.json" not in render_results({"tile": {"S": old}})
    assert "docs/latency.json" in render_results({"tile": {"S": old}, "elpv": {"S": RESULT}})
    (row,) = [line for line in render_readme({"tile": {"L": old}}) if line.startswith("| tile")]
    assert row == "| tile | 95.1 | 90.0±1.2 | - | - | - | 3.2 |"


def test_rows_from_before_banks_had_a_backbone_keep_their_scales():
    old = {name: figures for name, figures in RESULT.items() if name != "banks"}
    for scales, cell in (([2, 4], "1/2, 1/4"), ([], "-")):
        (row,) = (
            line
            for line in render_results({"tile": {"S": old | {"bank_scales": scales}}}).splitlines()
            if line.startswith("| tile")
        )
        assert f"| cpu, 400 | {cell} | 0, 1 |" in row


def test_a_row_of_size_l_has_neither_steps_nor_a_teachers_error():
    row = {name: value for name, value in RESULT.items() if name not in ("preset", "steps")}
    row["teacher"] = {"source": "package", "size": "L", "backbone": "efficientnet_lite0"}
    page = render_results({"tile": {"L": row}})
    assert "| 32.0 / 17.0 | - | fine, coarse | 0, 1 | 3.2 (6.0) | - |\n" in page
    assert "**tile, L**: the features of efficientnet_lite0 as they are; prepared data md5 `abc`." in page


def test_a_published_teachers_unknown_error_is_a_dash():
    teacher = {name: value for name, value in RESULT["teacher"].items() if name != "held_out_mse"}
    page = render_results({"tile": {"S": RESULT | {"teacher": teacher | {"source": "published"}}}})
    assert "| 3.2 (6.0) | - |\n" in page


@pytest.mark.property
def test_the_page_and_readmes_table_are_rendered_from_what_was_collected():
    results = json.loads((ROOT / "docs/results.json").read_text("utf-8"))
    assert (ROOT / "docs/results.md").read_text("utf-8") == render_results(results)
    readme = (ROOT / "README.md").read_text("utf-8")
    assert replace_table(readme, results) == readme


def test_the_split_by_tile_comes_first_and_the_split_by_image_says_that_it_leaks():
    results = {"elpv": {"L": RESULT}, "magnetic_tile": {"L": RESULT}, "magnetic_tile_by_tile": {"L": RESULT}}
    for lines in (render_results(results).splitlines(), render_readme(results)):
        first, second, third, *_ = (line for line in lines if line.startswith(("| magnetic", "| ELPV")))
        assert first.startswith("| magnetic tile, split by tile |")
        assert second.startswith("| magnetic tile, split by image (the literature's protocol, which leaks) |")
        assert third.startswith("| ELPV")
        assert any("six images each" in line for line in lines)


def test_readme_has_our_figures_beside_the_best_of_the_neighbour():
    lite0, reduced, lite2 = ({"image_auroc": value} for value in (0.4, 0.5, 0.6))
    features = {"efficientnet_lite0": lite0, "efficientnet_lite0@256": reduced, "efficientnet_lite2": lite2}
    baselines = {"mvtec/screw": features}
    lines = render_readme({"mvtec/screw": {"L": RESULT, "S": RESULT}, "washer": {"L": RESULT}, BASELINES: baselines})
    assert not any("washer" in line for line in lines)  # drawn parts are no evidence
    (row,) = [line for line in lines if line.startswith("| MVTec")]
    published = "EfficientAD-S, github nelson1425/EfficientAD 97.9 (95.6); EfficientAD-S, anomalib 96.0"
    assert row == f"| MVTec AD screw | 95.1 | 90.0±1.2 | 42.2±2.0 | 50.0 | {published} | 3.2 |"


@pytest.mark.parametrize("name", ["magnetic_tile_by_tile", "magnetic_tile"])
def test_readme_names_a_missing_split_of_magnetic_tile_in_a_comment_alone(name):
    other = ({"magnetic_tile_by_tile", "magnetic_tile"} - {name}).pop()
    comments = [line for line in render_readme({other: {"L": RESULT}}) if line.startswith("<!--")]
    assert comments == [f"<!-- {TITLES[name]}: no figures in docs/results.json -->"]


def test_the_text_around_readmes_table_stays():
    results = {"mvtec/screw": {"S": RESULT}}
    readme = replace_table(f"before\n{BEGIN}\nold\n{END}\nbehind\n", results)
    assert (readme.startswith(f"before\n{BEGIN}\n| data |"), readme.endswith(f"\n{END}\nbehind\n")) == (True, True)
    assert "old" not in readme
    assert replace_table(readme, results) == readme


@pytest.mark.parametrize("readme", ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_a_readme_without_the_two_markers_is_refused(readme):
    with pytest.raises(DataError, match="once in README"):
        replace_table(readme, {})


def test_figures_are_means_over_the_seeds_of_the_last_runs():
    metrics = average_metrics([{"image_auroc": 0.8}, {"image_auroc": 1.0}], [0, 1])
    assert metrics == {"image_auroc": {"mean": 0.9, "std": pytest.approx(0.1), "seeds": [0, 1]}}
    outlines = average_metrics([{"image_auroc": 0.8, "outline_iou": 0.5}, {"image_auroc": 1.0}], [0, 1])
    assert outlines == metrics  # a mean over one of two seeds would pass for that of both
    outlines = average_metrics([{"outline_iou": 0.5}, {"outline_iou": 0.4}], [0, 1])
    assert outlines == {"outline_iou": {"mean": 0.45, "std": pytest.approx(0.05), "seeds": [0, 1]}}
    rows = [{"stage": f"train.py S tile {seed}", "seconds": seconds, "cpu_seconds": 2 * seconds}
            for seed, seconds in ((0, 999), (0, 60), (1, 180), (2, 999))]  # fmt: skip
    minutes = average_minutes(rows, ["train.py S tile 0", "train.py S tile 1"])
    assert minutes == {"minutes": 2.0, "cpu_minutes": 4.0}


def test_the_minutes_are_those_of_the_stage_that_does_the_work():
    assert name_longest_stage(Item("S", "tile", 1)) == "train.py S tile 1"
    assert name_longest_stage(Item("L", "tile", 0)) == "fit.py L tile 0"


def test_ablations_have_a_row_per_variant():
    branch = {"image_auroc": 0.9, "au_pro": 0.8}
    full = {"both": branch, "student": {"image_auroc": 0.7}, "autoencoder": branch, "size": "S", "seed": 0, "steps": 5}
    page = render_results({"tile": {"S": RESULT}, ABLATIONS: {"tile": {"full": full}}})
    assert "| | student | autoencoder | both |\n" in page
    assert "| full | 70.0 / - | 90.0 / 80.0 | 90.0 / 80.0 |" in page


def test_baselines_have_a_row_for_each_of_a_data_set_s_features():
    metrics = {"image_auroc": 0.7, "image_ap": 0.5, "image_f1_max": 0.25, "bank_size": 12}
    page = render_results(
        {"tile": {"S": RESULT}, BASELINES: {"tile": {"lite": metrics, "M": {**metrics, "au_pro": 0.75}}}}
    )
    assert "| tile | lite | 12 | 70.0 | 50.0 | 25.0 | - |\n| tile | M | 12 | 70.0 | 50.0 | 25.0 | 75.0 |\n" in page


@pytest.mark.parametrize(("row", "expected"), [([[1, 1, 0, 0]], 1.0), ([[0, 0, 1, 1]], 0.0)])
def test_maps_are_compared_at_the_size_of_each_mask(row, expected):
    masks = [np.broadcast_to(np.arange(16) < 8, (8, 16)), np.broadcast_to(np.arange(6) < 3, (12, 6))]
    assert compare([np.float32(row)] * 2, masks) == expected
    assert compare([np.float32(row)], [np.zeros((8, 16), bool)]) is None


@pytest.mark.parametrize(
    ("size", "scales", "together"),
    [("S", [], "both"), ("S", ["coarse", "fine"], "all"), ("L", ["coarse"], "memory bank")],
)
def test_the_mean_of_all_branches_gives_the_scores_of_the_detector(size, scales, together):
    detector = build_tiny(size, [(scale, 5) for scale in scales])
    detector.quantiles[0] = torch.tensor([0.1, 0.5])
    rng = np.random.default_rng(0)
    images, masks = rng.integers(0, 256, (8, 64, 64, 3), dtype=np.uint8), np.zeros((8, 64, 64), bool)
    masks[4:, 20:30, 20:30] = True
    rows = tuple(PreparedRow(str(i), "test", int(i > 3), "x", True, str(i), 64, 64) for i in range(8))
    accuracy = measure_branches(detector, Prepared(rows, images, masks, (64, 64), None, (), ()))
    with torch.inference_mode():
        scores = detector(torch.from_numpy(images).permute(0, 3, 1, 2) / 255).anomaly_score.numpy()
    pairs = scores[4:, None] > scores[None, :4]
    assert accuracy[together]["image_auroc"] == pytest.approx(pairs.mean())
    own, banks = {"both", "student", "autoencoder"}, {"memory bank"} if scales else set()
    assert set(accuracy) == {"S": own | banks | ({"all"} if scales else set()), "L": banks}[size]
    assert all(0 <= branch["au_pro"] <= 1 for branch in accuracy.values())


def test_the_benchmarks_page_is_rendered_from_what_was_measured():
    results = json.loads((ROOT / "docs/benchmarks.json").read_text("utf-8"))
    assert (ROOT / "docs/benchmarks.md").read_text("utf-8") == measure.render(results)
    assert results["machine"]["threads"] > 0


def test_the_deployment_page_is_rendered_from_what_was_measured():
    results = json.loads((ROOT / "docs/deployment.json").read_text("utf-8"))
    assert (ROOT / "docs/deployment.md").read_text("utf-8") == deployment.render(results)
    assert all(models["openvino_fp32"]["verdict_flips"] == 0 for models in results.values())


def test_a_row_takes_the_latency_of_its_kind_where_one_was_timed(tmp_path, models, monkeypatch):
    monkeypatch.setattr(collect_results, "LATENCIES", tmp_path / "latency.json")
    assert collect_results.read_latency(models) == {}
    timed = {**describe_kind(models), "fp32": {"p50_ms": 30.5}, "int8": {"p50_ms": 17.25}}
    write_json(tmp_path / "latency.json", {"models": [{**timed, "size": "M", "fp32": {"p50_ms": 1.0}}, timed]})
    assert collect_results.read_latency(models) == {"latency_ms": {"fp32": 30.5, "int8": 17.25}}
