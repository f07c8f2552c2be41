"""The whole pipeline under DVC, on two small products of a user's own: slow, and the one test that sees all."""

import json
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from small_project import CATEGORIES, SIZES, Project

from efficientad.data.arrays.prepared import load_prepared
from efficientad.data.images.encoding import write_png
from efficientad.model.weights import load_header
from efficientad.pipeline.scratch import SCRATCH_VARIABLE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("project"))
    project.dvc("repro")
    return project


@pytest.fixture
def restored(project):
    """The project, its params and raw images put back afterwards."""
    params = (project.root / "params.yaml").read_bytes()
    yield project
    (project.root / "params.yaml").write_bytes(params)
    project.run("git", "checkout", "-q", "--", "data/raw", "recipes", "src")
    project.run("git", "clean", "-qfd", "data/raw")


ITEMS = ["S/disc/0", "S/plate/0", "L/disc/0", "L/plate/0"]


def stages_of(category: str) -> set[str]:
    stages = ("train", "fit", "calibrate", "evaluate", "export", "report")
    return {f"prepare@{category}"} | {f"{stage}@{size}-{category}-0" for stage in stages for size in SIZES}


def list_matrix(*stages: str) -> set[str]:
    return {f"{stage}@{size}-{category}-0" for stage in stages for size in SIZES for category in CATEGORIES}


def test_summary_has_every_item_and_the_mean(project):
    summary = project.read("metrics/summary.json")
    keys = ["image_auroc", "image_ap", "image_f1_max", "pixel_auroc", "au_pro", "outline_iou"]
    assert list(summary["items"]) == ITEMS
    for key in keys:
        values = [item[key] for item in summary["items"].values()]
        assert summary["mean"][key] == pytest.approx(np.mean(values), abs=1e-6)
    assert list(summary["mean"]) == keys


@pytest.mark.property
def test_a_second_run_does_nothing(project):
    assert "up to date" in project.dvc("repro")


@pytest.mark.long
@pytest.mark.property
def test_a_forced_second_run_gives_the_same_bytes_everywhere(project):
    """dvc.lock holds a hash of every model, metric, table and picture; every stage runs anew, of one product.

    A commit before of code that no stage runs changes nothing, either: no file names the commit.
    """
    with (project.root / "src/efficientad/cli.py").open("a", encoding="utf-8") as file:
        file.write("# a comment\n")
    project.run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qam", "unrelated")
    lock = (project.root / "dvc.lock").read_text("utf-8")
    assert lock.count("outs:") == 31
    targets = [f"report@{size}-disc-0" for size in SIZES]
    done = project.dvc("repro", "--force", "--no-run-cache", *targets)
    done += project.dvc("repro", "--force", "--no-run-cache", "--single-item", "summary")
    for stage in stages_of("disc") | {"names", "pretraining", "distill@S", "distill@L", "summary"}:
        assert f"Running stage '{stage}'" in done
    assert (project.root / "dvc.lock").read_text("utf-8") == lock


def test_the_scratch_folders_are_gone_and_every_stage_noted_its_cost(project):
    assert [path.name for path in project.root.glob(".scratch/*")] == ["timings.jsonl"]
    rows = [json.loads(line) for line in (project.root / ".scratch/timings.jsonl").read_text("utf-8").splitlines()]
    assert "train.py S disc 0" in {row["stage"] for row in rows}
    assert all(row["seconds"] >= 0 and row["peak_rss_mb"] > 0 for row in rows)


@pytest.mark.parametrize("category", CATEGORIES)
def test_splits_are_disjoint_by_content(project, category):
    rows = load_prepared(project.root / "data/prepared" / category).rows
    digests = {split: {row.sha256 for row in rows if row.split == split} for split in ("train", "validation", "test")}
    assert all(digests.values())
    assert not digests["train"] & digests["validation"]
    assert not (digests["train"] | digests["validation"]) & digests["test"]
    assert all(row.label == 0 for row in rows if row.split != "test")


@pytest.mark.property
@pytest.mark.parametrize("size", SIZES)
def test_exported_models_passed_the_parity_gate(project, size):
    found = project.read(f"metrics/export/{size}/disc/0.json")
    models = found["models"]
    assert set(models) == {"torch_fp32", "onnx_fp32", "openvino_fp32", "openvino_fp16", "openvino_int8"}
    assert models["openvino_fp32"]["max_map_difference"] < 1e-3
    assert models["onnx_fp32"]["verdict_flips"] == 0
    assert models["onnx_fp32"]["image_auroc"] == pytest.approx(models["torch_fp32"]["image_auroc"])
    share = {"S": 0.55, "L": 0.6}[size]  # of a small network the file that describes the graph weighs more
    assert models["openvino_int8"]["megabytes"] < share * models["openvino_fp16"]["megabytes"]
    assert found["int8"]["kept"] == "first"  # the tiny params allow any drop
    assert list(found["int8"]["auroc_drops"]) == list(found["int8"]["au_pro_drops"]) == ["first"]


@pytest.mark.parametrize("size", SIZES)
def test_the_threshold_is_in_the_model_and_its_rate_is_stated(project, size):
    header = load_header(project.root / f"models/{size}/disc/0/detector.safetensors")
    calibrated = project.read(f"metrics/calibrate/{size}/disc/0.json")["threshold"]
    assert header["threshold"] == pytest.approx(calibrated["value"], abs=1e-6)
    assert header["false_alarm_rate"] == pytest.approx(calibrated["false_alarm_rate"])
    assert (header["size"], header["category"], header["image_size"]) == (size, "disc", [64, 64])
    branches = ["student", "autoencoder"]
    if size == "L":
        shares = project.read("metrics/fit/L/disc/0.json")["banks"]
        branches = [f"memory_bank_{scale}" for scale in ("fine", "coarse") if shares[scale] > 0]
    assert header["branches"][::3] == branches


@pytest.mark.parametrize("size", SIZES)
def test_curves_and_sheets_are_there(project, size):
    folder = project.root / f"metrics/report/{size}/plate/0"
    files = {"losses.csv", "roc.csv", "pro.csv", "score_histogram.csv", "confusion.csv", "report.html"}
    sheet = {"contact_sheet.png", "score_histogram.png", "roc.png", "pro.png", "scores.csv", "cases"}
    assert files <= {path.name for path in folder.iterdir()}
    assert sheet == {path.name for path in (folder / "sheet").iterdir()}


@pytest.mark.property
def test_plots_and_metrics_show(project):
    project.dvc("plots", "show", "-o", "plots")
    assert "au_pro" in project.dvc("metrics", "show")


def test_an_override_reruns_its_category_alone(restored):
    restored.change_params(lambda tree: tree["category"].update(disc={"train": {"cpu": {"steps": 3}}}))
    changed = restored.list_changed()
    assert changed
    assert changed <= stages_of("disc")


def test_the_last_lines_say_where_everything_is(project):
    *items, mean_of_s, mean_of_l, look, command = project.run(sys.executable, "stages/results.py").splitlines()
    assert [line.split(":")[0] for line in items] == ITEMS
    assert mean_of_s.startswith("mean of S: image_auroc")
    assert mean_of_l.startswith("mean of L: image_auroc")
    for line in items:
        detector, page = re.search(r"detector (\S+), report (\S+)$", line).groups()
        assert (project.root / detector / "openvino/fp32/1/model.xml").is_file()
        assert (project.root / page).is_file()
    assert (project.root / re.search(r"look at (\S+);", look)[1]).is_file()
    assert command.startswith("efficientad predict FOLDER --model models/S/disc/0")


def test_a_value_of_the_papers_recipe_reruns_training_alone(restored):
    recipe = restored.root / "recipes/paper.yaml"
    recipe.write_text(recipe.read_text("utf-8").replace("steps: 70000", "steps: 50000"), "utf-8")
    assert restored.list_changed() == list_matrix("train")


# What an edit of the code reruns, by the file that is edited; every item of the matrix alike.
EDITS = {
    "cli.py": set(),
    "errors.py": set(),
    "pipeline/params.py": set(),
    "deploy/batch.py": set(),
    "reporting/summary.py": {"report", "summary"},
    "reporting/canvas.py": {"evaluate", "report"},
    "reporting/page/words.py": {"report"},
    "data/datasets/mvtec.py": {"prepare"},
    "data/pretraining/procedural.py": {"pretraining"},
    "teacher/backbones.py": {"distill"},
    "teacher/lite_weights.py": {"distill", "fit"},
    "training/distillation/batches.py": {"distill"},
    "training/detection/batches.py": {"train"},
    "model/efficientnet_lite.py": {"distill", "train", "fit", "calibrate", "evaluate", "export"},
    "model/autoencoder.py": {"train", "fit", "calibrate", "evaluate", "export"},
    "calibration/coreset.py": {"fit"},
    "calibration/bank_weights.py": {"fit"},
    "model/backbone_banks.py": {"train", "fit", "calibrate", "evaluate", "export"},
    "evaluation/pixel_level.py": {"evaluate", "export", "report"},
    "deploy/export/onnx.py": {"export"},
}


@pytest.mark.parametrize("file", EDITS)
def test_an_edit_reruns_exactly_the_stages_that_it_touches(restored, file):
    path = restored.root / "src/efficientad" / file
    path.write_text(path.read_text("utf-8").replace("#0072B2", "#0072B3") + "# edited\n", "utf-8")
    assert {name.split("@")[0] for name in restored.list_changed()} == EDITS[file]


def test_an_option_of_the_export_reruns_export_alone(restored):
    restored.change_params(lambda tree: tree["export"].update(parity_images=6))
    assert {name.split("@")[0] for name in restored.list_changed()} == {"export"}


def test_evaluate_can_be_rerun_without_training(restored):
    restored.change_params(lambda tree: tree["evaluate"].update(fpr_limit=0.2))
    # export measures what each exported model is worth by the same limit
    assert restored.list_changed() == list_matrix("evaluate", "export", "report")


def test_another_false_alarm_rate_reruns_calibrate_and_the_page_that_states_it(restored):
    restored.change_params(lambda tree: tree["calibrate"].update(false_alarm_rate=0.25))
    assert restored.list_changed() == list_matrix("calibrate", "report")


@pytest.mark.parametrize("change", ["changed", "added", "removed"])
def test_a_raw_image_that_is_changed_added_or_removed_reruns_its_category_alone(restored, change):
    good = restored.root / "data/raw/plate/good"
    image = np.full((70, 90, 3), 99, dtype=np.uint8)
    if change == "removed":
        (good / "003.png").unlink()
    else:
        write_png(good / ("003.png" if change == "changed" else "new.png"), image)
    assert restored.list_changed() == {"prepare@plate"}


def test_a_dropped_category_leaves_the_mean_and_is_found_by_prune(restored):
    restored.change_params(lambda tree: tree.update(categories=["plate"]))
    restored.run(sys.executable, "stages/summary.py")
    assert list(restored.read("metrics/summary.json")["items"]) == ["S/plate/0", "L/plate/0"]
    done = subprocess.run(
        [sys.executable, "stages/prune.py"], cwd=restored.root, env=restored.environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "models/S/disc/0" in done.stdout
    assert "plate" not in done.stdout
    restored.change_params(lambda tree: tree.update(categories=[*CATEGORIES]))
    restored.run(sys.executable, "stages/summary.py")


@pytest.mark.property
def test_bad_params_stop_a_stage_with_one_line(restored):
    restored.change_params(lambda tree: tree["train"]["cpu"].update(steps=-1))
    done = subprocess.run(
        [sys.executable, "stages/train.py", "S", "disc", "0"],
        cwd=restored.root, env=restored.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert line == "ParamsError: train.cpu.steps: expected 1 <= value <= 1000000000, got -1"


@pytest.mark.property
@pytest.mark.parametrize(
    ("arguments", "weights"),
    [
        (["stages/distill.py", "S"], "models/S/teacher.safetensors"),
        (["stages/train.py", "S", "disc", "0"], "models/S/disc/0/student.safetensors"),
    ],
)
def test_a_training_killed_at_any_point_ends_in_the_same_bytes(project, tmp_path, arguments, weights):
    found = project.root / weights
    whole = found.read_bytes()
    environment = project.environment | {SCRATCH_VARIABLE: str(tmp_path)}
    command = [sys.executable, *arguments]
    running = subprocess.Popen(command, cwd=project.root, env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(tmp_path.glob("*/resume.ckpt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert list(tmp_path.glob("*/resume.ckpt"))
    found.unlink()
    done = subprocess.run(command, cwd=project.root, env=environment, capture_output=True, text=True, check=True)
    assert "resumed at step" in done.stdout
    assert found.read_bytes() == whole


@pytest.mark.long  # tests/properties/test_experiments.py, too
def test_an_experiment_runs_with_another_value_and_shows_in_the_diff(project):
    """One item, through `dvc exp run -S`, which copies tracked files alone to its workspace."""
    project.run("git", "add", ".")
    project.run("git", "-c", "user.name=t", "-c", "user.email=t@localhost", "commit", "-qm", "results")
    project.dvc("exp", "run", "-q", "-S", "evaluate.fpr_limit=0.1", "evaluate", "summary")
    assert "au_pro" in project.dvc("metrics", "diff", "HEAD")
