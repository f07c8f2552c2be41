"""The C++ program on files that ask for too much, names that a terminal obeys, and a camera's image of 20 MP."""

import json
import os
import resource
import subprocess
import sys

import numpy as np
import pytest
from lying_images import write_lies
from peak_memory import draw_large, measure_peak

from efficientad.data.files.names import name_product
from efficientad.data.images.encoding import write_png
from efficientad.data.images.reading import read_image
from efficientad.errors import DataError
from efficientad.pipeline.printable import make_printable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names and limits"),
]

LONG = b"l" * 251 + b".png"
NAMES = [b"\xff\xc3.png", b"\x1b]0;owned\x07\x1b[2J.png", b"two\nlines\t.png", "\u202egnp\x9b\u3000.png".encode(),
         b'"quoted"\\.png', "Prüfling 部 😀.png".encode(), b"\xed\xa0\x80\xf4\x90\x80\x80.png", LONG]  # fmt: skip


def infer(build, *arguments, limit=None):
    """Run the program as bytes; with an address space of `limit` bytes."""

    def bound():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    command = [str(build.folder / "efficientad_infer"), *map(os.fsencode, map(os.fspath, arguments))]
    return subprocess.run(command, capture_output=True, check=False, preexec_fn=bound if limit else None)


@pytest.fixture
def plain(tmp_path):
    write_png(tmp_path / "plain.png", np.full((50, 60, 3), 90, np.uint8))
    return tmp_path / "plain.png"


def test_bombs_are_refused_for_pythons_reasons_in_little_memory(build, models, plain, tmp_path):
    """Of an address space with room for an image, and not for 2.7 GB more."""
    lies = write_lies(tmp_path)
    limit = 3_000_000_000
    assert infer(build, models, plain, limit=limit).returncode == 0
    done = infer(build, models, *lies, "--json", limit=limit)
    assert done.returncode == 3
    for line, (file, reason) in zip(done.stdout.splitlines(), lies.items(), strict=True):
        record = json.loads(line)
        assert record["image"] == str(file)
        assert reason in record["error"]
        with pytest.raises(DataError) as caught:
            read_image(file)
        assert record["error"].split(" (to raise it")[0] == str(caught.value).split(" (to raise it")[0]
    assert len(done.stderr.splitlines()) == len(lies)  # libraries say nothing


def test_the_bounds_can_be_chosen_and_are_included(build, models, plain):
    size = plain.stat().st_size / 10**6
    for megapixels, megabytes, code in ((0.003, size, 0), (0.00299, 1, 3), (1, size * 0.99, 3)):
        options = ("--max-megapixels", str(megapixels), f"--max-megabytes={megabytes}")
        assert infer(build, models, plain, *options).returncode == code
    for wrong in ("0", "-1", "nan", "inf", "many", "1x"):
        done = infer(build, models, plain, "--max-megapixels", wrong)
        assert done.returncode == 2
        assert f"expected a number above 0 after --max-megapixels, got {wrong}" in done.stderr.decode()


def test_names_are_escaped_as_python_does(build, models, plain, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    files = [folder / os.fsdecode(name) for name in NAMES]
    for file in files:
        file.write_bytes(plain.read_bytes())
    done = infer(build, models, *files)
    assert done.returncode == 0
    printed = done.stdout.decode("utf-8").split("\n")
    assert [line[20:] for line in printed[:-1]] == [make_printable(str(file)) for file in files]
    broken = folder / os.fsdecode(b"broken\x1b[31m\xfe.png")
    broken.touch()
    done = infer(build, models, *files, broken, "--json", "--heatmap-dir", tmp_path / "drawn")
    lines = done.stdout.decode("utf-8").split("\n")
    assert all(line.isprintable() for line in [*lines, *done.stderr.decode("utf-8").split("\n")])
    records = [json.loads(line) for line in lines[:-1]]
    assert [record["image"].encode("utf-16", "surrogatepass") for record in records] == [
        str(file).encode("utf-16", "surrogatepass") for file in [*files, broken]
    ]
    assert "is empty" in records[-1]["error"]
    for file, record in zip(files, records, strict=False):
        assert record["heat_map"] == name_product(file.name, ".png")
        assert (tmp_path / "drawn" / record["heat_map"]).is_file()
    assert len(list((tmp_path / "drawn").iterdir())) == len(files)  # nothing is left of writing them


def test_heat_maps_take_little_more_memory_than_verdicts_here_as_well(build, models, tmp_path):
    images = [draw_large(tmp_path / "images/0.jpg")]
    for index in range(1, 4):
        images.append(tmp_path / f"images/{index}.jpg")
        images[-1].hardlink_to(images[0])
    program = build.folder / "efficientad_infer"
    for count in (1, 4):
        without = measure_peak(program, models, *images[:count], cwd=tmp_path)
        drawn = measure_peak(program, models, *images[:count], "--heatmap-dir", "drawn", cwd=tmp_path)
        assert drawn <= 1.3 * without, count
