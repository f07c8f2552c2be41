"""`efficientad threshold`: show, try and set."""

import re
import shutil

import numpy as np
import pytest
from tiny_models import SIDE

from efficientad.cli import main
from efficientad.data.images.encoding import write_png


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    folder = tmp_path_factory.mktemp("good")
    rng = np.random.default_rng(0)
    for index in range(19):
        write_png(folder / f"{index:02}.png", (rng.integers(0, 256, (SIDE, SIDE, 3)) // (1 + index % 6)).astype("u1"))
    return folder


@pytest.fixture
def model(models, tmp_path):
    """One IR, as a station may have it alone."""
    shutil.copytree(models / "openvino/fp32/1", tmp_path / "model")
    return tmp_path / "model/model.xml"


def read_files(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_alone_it_shows_the_threshold_of_each_file_and_its_origin(models, capsys):
    assert main(["threshold", str(models)]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in shown] == [
        ["detector.onnx", "0.31"], ["openvino/fp16", "0.31"], ["openvino/fp32", "0.31"],
    ]  # fmt: skip
    assert all("at most 0.05 of good images above it, set by the pipeline" in line for line in shown)


def test_what_is_not_judged_is_named_in_print(model, good, tmp_path, capsys):
    folder = tmp_path / "images"
    shutil.copytree(good, folder)
    (folder / "\x1b[2J.png").write_bytes(b"no image")
    (folder / "notes\x1b[2J.gif").write_bytes(b"GIF89a")
    assert main(["threshold", str(model), "--good", str(folder), "--dry-run"]) == 3
    told = capsys.readouterr().err.split("\n")
    assert all(line.isprintable() for line in told)
    assert r"WARNING 1 file not judged:" in told
    assert any(line.strip().startswith(r"notes\x1b[2J.gif: ") for line in told), told
    assert any(line.startswith(r"skipped   \x1b[2J.png  ") for line in told), told


def test_a_larger_image_than_the_bound_is_skipped(model, good, capsys):
    line = ["threshold", str(model), "--good", str(good), "--dry-run", "--max-megapixels", "0.001"]
    assert main(line) == 1
    told = capsys.readouterr().err
    assert "more than the bound of 0.001 megapixels (to raise it: --max-megapixels" in told


def test_a_dry_run_says_the_same_and_writes_nothing(model, good, capsys):
    before = read_files(model.parent)
    line = ["threshold", str(model), "--good", str(good), "--defects", str(good)]
    assert main([*line, "--dry-run"]) == 0
    *tried, last = capsys.readouterr().out.splitlines()
    assert last == "nothing was written: --dry-run"
    assert read_files(model.parent) == before
    assert main(line) == 0
    assert capsys.readouterr().out.splitlines() == tried
    assert re.match(r"model\.xml +0\.31 -> 0\.\d+  at most 0\.05 .* from 19 images; .* misses 19 of 19 def", tried[0])
    assert read_files(model.parent) != before
    assert main(["threshold", str(model)]) == 0
    assert re.search(r"at most 0\.05 .*, set 20\d\d-.*Z from 19 good images", capsys.readouterr().out)


def test_broken_images_are_named_and_make_exit_code_3(model, good, tmp_path, capsys):
    shutil.copytree(good, tmp_path / "images")
    (tmp_path / "images/torn.png").write_bytes((good / "00.png").read_bytes()[:99])
    assert main(["threshold", str(model), "--good", str(tmp_path / "images")]) == 3
    assert "skipped   torn.png" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--good", "GOOD", "--false-alarm-rate", "0.01"], "DataError: expected at least 99 different good images"),
        (["--good", "absent"], "DataError: expected a folder of images at absent"),
        (["--good", "GOOD", "--defects", "EMPTY"], "DataError: expected images in .*, found none"),
    ],
)
def test_what_it_cannot_promise_is_refused_in_a_line_and_leaves_the_model(
    model, good, tmp_path, capsys, arguments, message
):
    (tmp_path / "empty").mkdir()
    before, names = read_files(model.parent), {"GOOD": str(good), "EMPTY": str(tmp_path / "empty")}
    assert main(["threshold", str(model), *(names.get(one, one) for one in arguments)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.match(message, line)
    assert read_files(model.parent) == before


@pytest.mark.parametrize("arguments", ["--dry-run", "--false-alarm-rate 0.01", "--good x --false-alarm-rate 2"])
def test_wrong_usage_exits_with_2(model, arguments):
    with pytest.raises(SystemExit, match="2"):
        main(["threshold", str(model), *arguments.split()])
