"""A folder is checked as a whole, and put into words and into JSON."""

import json
import os
import re
from pathlib import Path

import pytest
import yaml
from tiny_images import save_image, save_mask

from efficientad.data.checking.check import check_folder
from efficientad.data.checking.describing import describe_check, escape, format_check, format_params, suggest_params

RATES = {0.05: 19}


def test_the_report_names_the_worst_first_and_what_to_set(folder_path: Path):
    (folder_path / "good/4.png").write_bytes(b"")
    save_mask(folder_path / "masks/dent/9.png")
    text = format_check(check_folder(folder_path, RATES, 0.05))
    lines = text.splitlines()
    assert lines[0] == f"{folder_path}: 13 images, layout folder; 3 problems, 1 warning, 0 notes"
    severities = [line.split()[0] for line in lines if re.match("PROBLEM|WARNING|NOTE", line)]
    assert severities == ["PROBLEM"] * 3 + ["WARNING"]
    assert "good/4.png: the file is empty" in text
    assert "good parts: 9. 6 train, 1 set the threshold, 2 test" in text
    assert re.search(r"^good +10 +0 ", text, re.MULTILINE)
    assert re.search(r"^dent +3 +2 .* 30 x 24, PNG 8 bit colour$", text, re.MULTILINE)


def test_the_params_are_yaml(folder_path: Path):
    params = suggest_params(check_folder(folder_path, RATES, 0.05))
    assert yaml.safe_load("\n".join(format_params(params))) == params
    assert params["categories"] == ["mine"]
    assert params["data"]["root"] == str(folder_path.parent)
    odd = {"categories": ["no", "a: b", "1"], "data": {"root": "/ä b", "group": None, "image_size": [512, 1024]}}
    assert yaml.safe_load("\n".join(format_params(odd))) == odd


def test_machines_get_every_name(folder_path: Path):
    for n in range(7):
        (folder_path / f"good/{n}.png").write_bytes(b"")
    check = check_folder(folder_path, RATES, 0.05)
    described = json.loads(json.dumps(describe_check(check)))
    (broken,) = [finding for finding in described["findings"] if finding["key"] == "broken_image"]
    assert len(broken["names"]) == 7
    assert "and 4 more" in format_check(check)
    assert described["kinds"]["good"]["images"] == 10
    assert described["kinds"]["good"]["broken"] == 7
    assert described["kinds"]["dent"]["masks"] == 2
    assert described["splits"]["usual"]["lowest_false_alarm_rate"] == 0.5


def test_kinds_have_their_splits_where_the_folder_has_them(mvtec_path: Path):
    check = check_folder(mvtec_path, RATES, 0.05)
    assert list(describe_check(check)["kinds"]) == ["train/good", "test/good", "test/bent", "test/crack"]
    assert "train_fraction" not in suggest_params(check)["data"]


def test_a_flat_folder_is_told_what_to_move(tmp_path: Path):
    save_image(tmp_path / "a.png", 1)
    findings = check_folder(tmp_path, RATES, 0.05).findings
    assert "flat_folder" in [finding.key for finding in findings]


@pytest.mark.parametrize("broken", [b"", b"no image"])
def test_a_folder_of_broken_images_alone_is_reported(tmp_path: Path, broken: bytes):
    (tmp_path / "good").mkdir()
    (tmp_path / "good/a.png").write_bytes(broken)
    check = check_folder(tmp_path, RATES, 0.05)
    assert check.has_problem
    assert "unreadable images: 1" in format_check(check)
    json.dumps(describe_check(check))


def test_a_terminal_shows_names_and_does_not_obey_them(tmp_path: Path):
    save_image(tmp_path / "good/a.png", 1)
    for name in (b"\x1b[31mred\n.png", b"\xff.png", "turn\u202e.png".encode()):
        (tmp_path / "good" / os.fsdecode(name)).write_bytes(b"")
    text = format_check(check_folder(tmp_path, RATES, 0.05))
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert "good/\\x1b[31mred\\n.png: the file is empty" in text
    assert escape("ä\udcff") == "ä\\udcff"
