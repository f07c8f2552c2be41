"""The stage prepare says what is amiss with a user's files, on the terminal and in its report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml
from import_closure import ROOT
from tiny_images import save_image, save_mask

from efficientad.data.datasets.findings import Findings
from efficientad.data.files.walk import Finding

CHANGES = {
    "data": {"provider": "folder", "image_size": 64, "validation_fraction": 0.3, "near_duplicates": "ignore",
             "region": "region.png", "raw_samples": 2},
    "calibrate": {"false_alarm_rate": 0.4},
}  # fmt: skip


def prepare(project: Path, folder: Path, **data: object) -> subprocess.CompletedProcess[str]:
    """Run the stage on the product `folder`, as DVC does."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    params |= {"categories": [folder.name], "category": {folder.name: {}}}
    for section, values in CHANGES.items():
        params[section] |= values
    params["data"] |= {"root": str(folder.parent), **data}
    (project / "params.yaml").write_text(yaml.safe_dump(params), "utf-8")
    command = [sys.executable, str(ROOT / "stages/prepare.py"), "--category", folder.name]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def test_the_stage_names_what_is_left_out_and_all_that_cannot_be_used(folder_path: Path, tmp_path: Path):
    save_mask(folder_path / "region.png")  # used, and within 16 px of the border, which size L judges
    (folder_path / "notes.txt").touch()
    done = prepare(tmp_path, folder_path)
    assert done.returncode == 0, done.stderr
    report = tmp_path / "metrics/prepare/mine/files.json"
    where = Path("metrics/prepare/mine/files.json")
    assert f"WARNING mine: 1 file left out or not watched (all: {where}):\n  notes.txt: of a format" in done.stdout
    assert [one["file"] for one in json.loads(report.read_text("utf-8"))["left_out"]] == ["notes.txt"]
    for name in ("good/3.png", "dent/1.png"):
        (folder_path / name).write_bytes(b"")
    refused = prepare(tmp_path, folder_path)
    assert refused.returncode == 1
    assert f"DataError: expected images and masks that can be used, 2 files cannot (all: {where}):" in refused.stderr
    assert [one["file"] for one in json.loads(report.read_text("utf-8"))["refused"]] == ["good/3.png", "dent/1.png"]
    save_image(folder_path / "good/3.png", 3, size=(101, 100))
    bounded = prepare(tmp_path, folder_path, max_megapixels=0.01)
    assert "good/3.png: the file has 100 x 101 px, more than the bound of 0.01 megapixels" in bounded.stderr


def test_nothing_amiss_prints_nothing_and_leaves_an_empty_report(tmp_path: Path):
    findings = Findings(tmp_path)
    findings.check()
    findings.write()
    assert findings.describe() == []
    expected = {"left_out": [], "warned": [], "refused": []}
    assert json.loads((tmp_path / "files.json").read_text("utf-8")) == expected


def test_a_report_holds_all_of_what_the_terminal_shows_in_part(tmp_path: Path):
    findings = Findings(tmp_path, warned=[Finding(f"{n}.png", "odd\x1b") for n in range(9)])
    findings.write()
    (text,) = findings.describe()
    assert (text.count("odd\\x1b"), text.splitlines()[-1]) == (5, "  and 4 more")
    assert len(json.loads((tmp_path / "files.json").read_text("utf-8"))["warned"]) == 9
