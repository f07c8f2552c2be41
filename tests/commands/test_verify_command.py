"""`efficientad verify`: what each model says of itself, and which are refused."""

import json
import shutil

import pytest
from tiny_graph import write_tiny_ir

from efficientad.cli import main
from efficientad.deploy.format.model_file import read_model_file


def test_a_folder_is_checked_model_by_model(models, capsys):
    assert main(["verify", str(models), "--json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["model"].removeprefix(f"{models}/"), one["precision"]) for one in shown] == [
        ("detector.onnx", "fp32"), ("detector.safetensors", "fp32"),
        ("openvino/fp16/1/model.xml", "fp16"), ("openvino/fp32/1/model.xml", "fp32"),
    ]  # fmt: skip
    for one in shown:
        assert (one["kind"], one["category"], one["version"], one["threshold"]) == ("detector", "washer", "0.1.0", 0.31)
        assert one["origin"] == "set by the pipeline"
    assert shown[3]["checksum"] == read_model_file(models / "openvino/fp32/1/model.xml").checksum
    assert len({one["checksum"] for one in shown}) == 4


def test_in_words_it_says_what_a_model_is_and_where_its_threshold_comes_from(models, capsys):
    file = models / "openvino/fp32/1/model.xml"
    assert main(["verify", str(file)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        str(file),
        f"  checksum   {read_model_file(file).checksum}, as stated",
        "  product    washer, size S, 64 x 64 px, fp32",
        "  version    0.1.0, code 4567ef",
        "  trained on 0123abcd",
        "  threshold  0.31, at most 0.05 of good images above it, set by the pipeline",
    ]


def test_a_path_that_moves_the_cursor_is_written_out(models, tmp_path, capsys):
    shutil.copytree(models / "openvino/fp32/1", tmp_path / "\x1b[2Jwhole")
    shutil.copytree(models / "openvino/fp32/1", tmp_path / "\x1b[2Jcut")
    (tmp_path / "\x1b[2Jcut/model.bin").write_bytes(b"cut")
    assert main(["verify", str(tmp_path)]) == 1
    told = capsys.readouterr()
    for text in (told.out, told.err):
        assert r"\x1b[2J" in text
        assert all(line.isprintable() for line in text.split("\n"))


def test_a_damaged_model_is_refused_and_the_others_are_still_checked(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_tiny_ir(tmp_path / name / "model.xml")
    damaged = tmp_path / "a/model.bin"
    damaged.write_bytes(b"\xff" + damaged.read_bytes()[1:])
    assert main(["verify", str(tmp_path), "--json"]) == 1
    out, err = capsys.readouterr()
    first, second = map(json.loads, out.splitlines())
    assert set(first) == {"model", "error"}
    assert second["checksum"]
    (line,) = err.splitlines()
    assert line.startswith(f"ModelError: expected an OpenVINO IR at {tmp_path / 'a/model.xml'} with the checksum")


def test_weights_that_are_no_detector_yet_are_checked_as_well(tmp_path, capsys):
    from efficientad.teacher.shipped import locate_shipped_teacher

    path = tmp_path / "S.safetensors"
    shutil.copy(locate_shipped_teacher("S"), path)
    assert main(["verify", str(path)]) == 0
    assert "size S, fp16; no detector: it has no threshold" in capsys.readouterr().out
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    assert main(["verify", str(path)]) == 1


@pytest.mark.parametrize("name", ["", "absent.xml", "notes.txt"])
def test_where_there_is_no_model_nothing_is_claimed(tmp_path, capsys, name):
    (tmp_path / "notes.txt").touch()
    assert main(["verify", str(tmp_path / name)]) == 1
    assert "expected a model at" in capsys.readouterr().err
