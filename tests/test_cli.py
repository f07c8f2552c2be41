import csv
import json
import os
import re
import subprocess
import sys
from unittest.mock import Mock

import cv2
import numpy as np
import pytest
from small_project import draw_product
from tiny_models import HEADER

from efficientad.cli import main
from efficientad.data.datasets.folder import FolderProvider
from efficientad.data.datasets.prepare import write_prepared
from efficientad.data.datasets.splits import SplitPlan
from efficientad.data.images.encoding import write_png
from efficientad.data.images.reading import read_image


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    for name, size in (("a.png", (70, 100, 3)), ("line 1/b.png", (64, 64, 3))):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_png(path, rng.integers(0, 256, size, dtype=np.uint8))
    return tmp_path / "images"


def read_lines(output):
    return [json.loads(line) for line in (output / "predictions.jsonl").read_text("utf-8").splitlines()]


@pytest.mark.parametrize("model", ["", "detector.onnx", "detector.safetensors"])
def test_predict_a_folder(models, folder, tmp_path, capsys, model):
    assert (
        main(["predict", str(folder), "--model", str(models / model), "--output", str(tmp_path / "out"), "--heat-maps"])
        == 0
    )
    printed, lines = capsys.readouterr().out.splitlines(), read_lines(tmp_path / "out")
    assert [line["image"] for line in lines] == ["a.png", "line 1/b.png"]
    assert printed == [f"{line['verdict']:9} {line['score']:8.4f}  {line['image']}" for line in lines]
    for line in lines:
        assert line["threshold"] == pytest.approx(HEADER.threshold)
        assert line["verdict"] == ("anomalous" if line["score"] > HEADER.threshold else "normal")
        overlay = read_image(tmp_path / "out" / line["heat_map"])
        assert overlay.shape == read_image(folder / line["image"]).shape


def test_predict_one_image_without_heat_maps(models, folder, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["predict", str(folder / "a.png"), "--model", str(models), "--output", str(out)]
    assert main(arguments) == 0
    (line,) = read_lines(out)
    assert set(line) == {"image", "score", "display_score", "threshold", "verdict", "regions", "bytes", "modified"}
    assert line["display_score"] == HEADER.scale_score(line["score"])
    assert {path.name for path in out.iterdir()} == {"predictions.jsonl", "predictions.csv"}
    assert line["verdict"] in capsys.readouterr().out


def test_a_broken_image_is_reported_and_the_rest_is_judged(models, folder, tmp_path, capsys):
    (folder / "aa.png").write_bytes((folder / "a.png").read_bytes()[:300])
    assert main(["predict", str(folder), "--model", str(models), "--output", str(tmp_path / "out")]) == 3
    broken = [line for line in read_lines(tmp_path / "out") if "error" in line]
    assert [line["image"] for line in broken] == ["aa.png"]
    assert len(read_lines(tmp_path / "out")) == 3
    assert "skipped   aa.png" in capsys.readouterr().err


def test_files_of_the_folder_that_are_not_judged_are_named_and_results_are_not(models, folder, tmp_path, capsys):
    (folder / "part.gif").touch()
    (folder / "line 1/linked").symlink_to(tmp_path)
    arguments = ["predict", str(folder), "--model", str(models), "--output", str(folder / "out"), "--heat-maps"]
    for _ in range(2):
        assert main(arguments) == 0
        named = capsys.readouterr().err.split("WARNING ")[1].splitlines()[:3]
        assert named[0] == "2 files not judged:"
        assert [line.split(": ")[0].strip() for line in named[1:]] == ["line 1/linked", "part.gif"]


def test_the_table_and_the_lines_hold_the_same_values(models, folder, tmp_path):
    (folder / "aa, torn.png").write_bytes((folder / "a.png").read_bytes()[:300])
    main(["predict", str(folder), "--model", str(models), "--output", str(tmp_path / "out")])
    text = (tmp_path / "out/predictions.csv").read_text("utf-8")
    assert text.startswith("image,score,display_score,threshold,verdict,regions,heat_map,map,error\n")
    rows = [{key: value for key, value in row.items() if value} for row in csv.DictReader(text.splitlines())]
    for row, line in zip(rows, read_lines(tmp_path / "out"), strict=True):
        if "regions" in line:
            line["regions"] = len(line["regions"])
        assert row == {key: str(value) for key, value in line.items() if key not in ("bytes", "modified")}
    assert ["error" in row for row in rows] == [False, True, False]


def test_the_same_command_continues_after_ctrl_c(models, folder, tmp_path, capsys, monkeypatch):
    arguments = ["predict", str(folder), "--model", str(models), "--output"]
    assert main([*arguments, str(tmp_path / "whole")]) == 0

    def interrupt(record):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("efficientad.deploy.batch.print_record", interrupt)  # when the first record is on disk
        capsys.readouterr()
        assert main([*arguments, str(tmp_path / "out")]) == 130
        assert capsys.readouterr().err == "interrupted; the same command continues from here\n"
        assert main([*arguments, str(tmp_path / "out"), "--restart"]) == 130
        assert "without --restart" in capsys.readouterr().err
    assert [line["image"] for line in read_lines(tmp_path / "out")] == ["a.png"]
    assert main([*arguments, str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    assert "continuing: 1 of 2" in printed.err
    assert printed.out.splitlines()[0].endswith("  line 1/b.png")
    for name in ("predictions.jsonl", "predictions.csv", "predictions.run.json"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_results_of_another_model_are_refused(models, folder, tmp_path, capsys):
    arguments = ["predict", str(folder), "--output", str(tmp_path / "out"), "--model"]
    assert main([*arguments, str(models)]) == 0
    assert main([*arguments, str(models / "detector.onnx")]) == 1
    assert "DataError: expected results of this run" in capsys.readouterr().err
    assert main([*arguments, str(models / "detector.onnx"), "--restart"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("images_path", "model", "message"),
    [("absent", "", "DataError: "), ("empty", "", "DataError: "), ("images", "none.xml", "ModelError: ")],
)
def test_an_error_that_a_user_can_mend_is_one_line(models, folder, tmp_path, capsys, images_path, model, message):
    (tmp_path / "empty").mkdir()
    arguments = [
        "predict",
        str(tmp_path / images_path),
        "--model",
        str(models / model),
        "--output",
        str(tmp_path / "o"),
    ]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error.startswith(message)
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["predict"], ["benchmark", "model.xml", "--threads", "0"]])
def test_wrong_usage_exits_with_2(arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2


def test_benchmark_prints_one_json_object_or_one_line_per_value(models, capsys):
    names = ["model", "runtime", "device", "precision", "threads", "streams"]
    names += ["p50_ms", "p95_ms", "p99_ms", "images_per_s", "images"]
    arguments = ["benchmark", str(models), "--seconds", "0.1", "--threads", "1", "--streams", "1"]
    assert main([*arguments, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    timings = json.loads(line)
    assert list(timings) == names
    assert (timings["runtime"], timings["device"], timings["precision"]) == ("openvino", "CPU", "f32")
    assert (timings["threads"], timings["streams"]) == (1, 1)
    assert main(arguments) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == names


def test_probe_prints_the_accuracy_of_the_shipped_teachers_features(tmp_path, capsys):
    """Bright squares on grey noise: any features tell them apart."""
    draw_product(tmp_path / "raw", np.random.default_rng(0))
    write_prepared(
        FolderProvider(tmp_path / "raw"),
        tmp_path / "prepared",
        (64, 64),
        SplitPlan(train_fraction=0.3, validation_fraction=0.3, seed=0),
        raw_samples=1,
    )
    assert main(["probe", str(tmp_path / "prepared"), "--bank", "50"]) == 0
    metrics = dict(pair.split() for pair in capsys.readouterr().out.split(", "))
    assert set(metrics) == {"image_auroc", "image_ap", "image_f1_max", "au_pro"}
    assert float(metrics["image_auroc"]) == 1.0


def test_a_bank_without_patches_is_refused(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["probe", "prepared", "--bank", "0"])
    assert "expected a whole number from 1, got 0" in capsys.readouterr().err


def test_an_error_of_the_operating_system_is_one_line(models, folder, tmp_path, capsys):
    (tmp_path / "out" / "predictions.csv.part").mkdir(parents=True)
    assert main(["predict", str(folder), "--model", str(models), "--output", str(tmp_path / "out")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("IsADirectoryError: ")


def test_no_memory_for_an_image_is_one_line(models, folder, tmp_path, capsys, monkeypatch):
    error = cv2.error("Failed to allocate 3600000000 bytes\n")
    error.code, error.err = cv2.Error.StsNoMem, "Failed to allocate 3600000000 bytes"
    monkeypatch.setattr("cv2.imdecode", Mock(side_effect=error))
    assert main(["predict", str(folder), "--model", str(models), "--output", str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err.splitlines()[-1]
    assert re.fullmatch(r"MemoryError: .*: Failed to allocate 3600000000 bytes; close other programs .*", told)


def test_a_closed_pipe_gives_no_traceback(models, folder, tmp_path):
    command = [sys.executable, "-m", "efficientad.cli", "predict", str(folder), "--model", str(models)]
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.PIPE, cwd=tmp_path, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("features", [["--teacher", "none.safetensors"], ["--backbone", "resnet"]])
def test_missing_features_of_a_probe_are_one_line(tmp_path, capsys, features):
    assert main(["probe", str(tmp_path), *features]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
