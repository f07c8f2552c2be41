"""`efficientad check` on folders in order and out of order."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from efficientad.cli import main


def fill(folder, kinds):
    rng = np.random.default_rng(0)
    for kind, count in kinds.items():
        (folder / kind).mkdir(parents=True)
        for n in range(count):
            pixels = rng.integers(90, 160, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / kind / f"{n:03}.png")
    return folder


@pytest.fixture
def gear(tmp_path):
    return fill(tmp_path / "gear", {"good": 12, "dent": 3})


def run(*arguments):
    return main(["check", *map(str, arguments)])


def test_a_folder_in_order_exits_with_0(gear, capsys):
    assert run(gear, "--false-alarm-rate", 0.5) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"{gear}: 15 images, layout folder; 0 problems, ")
    assert sorted(path.name for path in gear.parent.iterdir()) == ["gear"]


def test_a_problem_exits_with_3(gear, capsys):
    assert run(gear) == 3
    assert "PROBLEM    12 good parts are few" in capsys.readouterr().out


def test_json_is_one_object_and_progress_is_elsewhere(gear, capsys):
    assert run(gear, "--json") == 3
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) == 1
    assert json.loads(printed)["kinds"]["good"]["images"] == 12


def test_output_holds_the_sheet_the_report_and_the_parts(gear, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out/checked"
    run(gear, "--output", out)
    assert sorted(path.name for path in out.iterdir()) == ["contact_sheet.png", "report.json"]
    assert json.loads((out / "report.json").read_text("utf-8"))["images"] == 15
    same = (("good/001.png", "good/002.png"),)
    monkeypatch.setattr("efficientad.data.checking.check.find_copies", lambda _: _make_copies(same))
    run(gear, "--output", out)
    assert "parts.csv" in capsys.readouterr().out
    lines = (out / "parts.csv").read_text("utf-8").splitlines()
    assert lines[0] == "name,group"
    assert len(lines) == 16


def _make_copies(alike):
    from efficientad.data.checking.copies import Copies

    return Copies((), alike)


def test_an_output_among_the_images_is_refused(gear, capsys):
    assert run(gear, "--output", gear / "checked") == 1
    assert "outside of the images'" in capsys.readouterr().err
    assert not (gear / "checked").exists()


@pytest.mark.parametrize("folder", ["absent", "empty"])
def test_nothing_to_check_is_one_line(tmp_path, capsys, folder):
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / folder) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("DataError: expected ")


def test_whatever_lies_there_gives_a_report(gear, tmp_path, capsys):
    good = gear / "good"
    for name, content in {
        "empty.png": b"",
        "a.jpg": b"\xff\xd8",
        "b.tif": b"II*\x00\xff\xff\xff\xff",
        "c.bmp": b"BM",
        "d.webp": b"RIFF....WEBP",
        "e\n\x1b.png": b"\x89PNG\r\n\x1a\n",
        "f.gif": b"GIF",
    }.items():
        (good / name).write_bytes(content)  # fmt: skip
    (good / os.fsdecode(b"\xff.png")).write_bytes((good / "000.png").read_bytes())
    (good / "iend.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xaeB`\x82")
    (good / "loop.png").symlink_to("loop.png")
    os.mkfifo(good / "pipe.png")
    (gear / "masks").mkdir()
    assert run(gear, "--output", tmp_path / "out") == 3
    assert "unreadable images: 7" in capsys.readouterr().out
    assert run(gear, "--json") == 3
    json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("rate", ["0", "0.9", "nan", "much"])
def test_a_rate_that_is_none_is_refused(gear, rate):
    with pytest.raises(SystemExit, match="2"):
        run(gear, "--false-alarm-rate", rate)


def test_without_output_the_stations_packages_are_enough(gear):
    absent = "{'torch', 'lightning', 'matplotlib', 'sklearn', 'scipy', 'skimage', 'onnx', 'yaml', 'openvino', 'dvc'}"
    code = (
        "import sys; from efficientad.cli import main; main(['check', sys.argv[1]]); "
        f"print('loaded', *sorted({absent} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(gear)], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded"
