"""What a header hides or claims too much of is refused before anything is decoded, in little memory."""

import resource
import subprocess
import sys

import pytest
from lying_images import write_lies

from efficientad.data.images import reading
from efficientad.data.images.reading import read_image
from efficientad.errors import DataError

ROOM = 300_000_000  # bytes beyond what the program has when it has imported all; a bomb asks for 2.7 GB


def test_each_is_refused_for_its_own_reason_and_never_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_decode", None)
    for file, reason in write_lies(tmp_path).items():
        with pytest.raises(DataError) as caught:
            read_image(file)
        assert reason in str(caught.value), file.name


def test_a_jpeg_whose_frame_is_where_it_belongs_is_read(tmp_path):
    payload = next(file for file in write_lies(tmp_path) if file.suffix == ".jpg").read_bytes()
    (tmp_path / "whole.jpg").write_bytes(payload[:2] + payload[2 + 2 + 19 :])
    assert read_image(tmp_path / "whole.jpg").shape == (16, 16, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep no such limit")
def test_none_takes_memory(tmp_path):
    lies = write_lies(tmp_path)
    code = f"""
import resource, sys
from pathlib import Path
from efficientad.data.images.reading import read_image
from efficientad.errors import DataError
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * {resource.getpagesize()} + {ROOM},) * 2)
for name in sys.argv[1:]:
    try:
        read_image(Path(name))
    except DataError:
        print("refused")
"""
    done = subprocess.run([sys.executable, "-c", code, *map(str, lies)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["refused"] * len(lies)
