"""A stage that decodes images says its own words alone."""

import subprocess
import sys

import numpy as np
import pytest
import yaml
from import_closure import ROOT
from noisy_images import write_noisy


@pytest.fixture
def project(tmp_path):
    """Photographs and parts of which libpng and libtiff have something to say."""
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    tree |= {"sizes": ["L"], "categories": ["part"], "category": {"part": {}}}
    tree["data"] |= {"provider": "folder", "root": "raw", "image_size": 64, "raw_samples": 2}
    tree["pretraining"] |= {"provider": "folder", "root": "raw/part/good", "count": 6}
    tree["calibrate"]["false_alarm_rate"] = 0.5
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")
    folder = tmp_path / "raw/part/good"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for index in range(6):
        for name in (f"{index}a", f"{index}b"):
            png, tif = write_noisy(folder, name, rng.integers(0, 256, (32, 40, 3), dtype=np.uint8))
            (png if name.endswith("b") else tif).unlink()  # two files of the same pixels are copies
    return tmp_path


@pytest.mark.parametrize("words", [("prepare", "part"), ("pretraining",)], ids=" ".join)
def test_no_library_speaks(project, words):
    command = [sys.executable, str(ROOT / f"stages/{words[0]}.py"), *words[1:]]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
