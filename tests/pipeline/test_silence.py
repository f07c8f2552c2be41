"""A stage that decodes images says its own words alone."""

import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import yaml
from import_closure import ROOT
from PIL import Image

from efficientad.data.images.encoding import encode_png


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
        pixels = rng.integers(0, 256, (32, 40, 3), dtype=np.uint8)
        whole = encode_png(pixels)
        place = whole.index(b"IDAT") - 4
        profile = struct.pack(">I", 6) + b"iCCPx\0\0abc" + struct.pack(">I", zlib.crc32(b"iCCPx\0\0abc"))
        (folder / f"{index}.png").write_bytes(whole[:place] + profile + whole[place:])
        Image.fromarray(pixels[::-1]).save(folder / f"{index}.tif", tiffinfo={40000: 7})
    return tmp_path


@pytest.mark.parametrize("words", [("prepare", "part"), ("pretraining",)], ids=" ".join)
def test_no_library_speaks(project, words):
    command = [sys.executable, str(ROOT / f"stages/{words[0]}.py"), *words[1:]]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
