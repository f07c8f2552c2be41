"""What the C++ programs say and write: escaped, nothing of the libraries beneath, and files whole or not at all."""

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from changed_ir import change_metadata
from noisy_images import write_noisy
from tiny_graph import write_tiny_ir

from efficientad.data.images.encoding import write_png
from efficientad.pipeline.printable import make_printable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names and limits"),
]

OBEYED = os.fsdecode(b"\x1b[2J\xc2\x9b31m\xff\n") + "\u202e"  # by terminals
SIDE = 200  # px


@pytest.fixture
def tiny(tmp_path):
    return write_tiny_ir(tmp_path / "model.xml")


@pytest.fixture
def image(tmp_path):
    """An image whose heat map has some ten kilobytes."""
    write_png(tmp_path / "noise.png", np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8))
    return tmp_path / "noise.png"


def run(build, program: str, *arguments: object, **options) -> subprocess.CompletedProcess:
    """Run one as bytes: its names need not be UTF-8."""
    command = [str(build.folder / program), *(os.fsencode(str(argument)) for argument in arguments)]
    return subprocess.run(command, **{"capture_output": True, "timeout": 300} | options)


def read(printed: bytes) -> str:
    """Return what was printed, in which there must be nothing that a terminal obeys."""
    text = printed.decode("utf-8")
    assert text.replace("\n", "").isprintable()
    return text


def test_the_benchmark_escapes_names(build, tiny, tmp_path):
    absent = tmp_path / f"{OBEYED}.xml"
    done = run(build, "efficientad_benchmark", absent)
    assert (done.returncode, done.stdout) == (1, b"")
    assert read(done.stderr).startswith(f"efficientad_benchmark: expected a model at {make_printable(str(absent))}, ")
    folder = tmp_path / OBEYED
    folder.mkdir()
    for file in (tiny, tiny.with_suffix(".bin")):
        shutil.copy(file, folder)
    done = run(build, "efficientad_benchmark", folder / tiny.name, 1)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(read(done.stdout))["model"] == str(folder / tiny.name)


def test_the_example_escapes_names_and_values_of_models(build, tiny, image, tmp_path):
    (tmp_path / "changed").mkdir()
    model = change_metadata(tiny, tmp_path / "changed", "category", "\u009b2J\u202e")
    done = run(build, "judge", model, image)
    assert done.returncode == 0
    assert read(done.stdout).startswith("\\x9b2J\\u202e: ")
    done = run(build, "judge", model, tmp_path / OBEYED)
    assert (done.returncode, done.stdout) == (1, b"")
    assert read(done.stderr).startswith(f"expected an image at {make_printable(str(tmp_path / OBEYED))}, ")


def test_libraries_say_nothing(build, tiny, tmp_path):
    images = write_noisy(tmp_path, "noisy", np.full((32, 32, 3), 90, np.uint8))
    done = run(build, "efficientad_infer", tiny, *images)
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 2, b"")
    talking = os.environ | {"TBB_VERSION": "1"}  # OpenVINO's threads tell their version
    for program, arguments in (("efficientad_infer", [images[1]]), ("efficientad_benchmark", [1])):
        done = run(build, program, tiny, *arguments, env=talking)
        assert done.returncode == 0
        assert b"oneTBB: VERSION" not in done.stderr, program


@pytest.mark.parametrize(("option", "suffix"), [("--heatmap-dir", ".png"), ("--map-dir", ".tiff")])
def test_a_file_that_cannot_be_written_is_an_error_and_leaves_nothing(build, tiny, image, tmp_path, option, suffix):
    """The disk takes only the beginning of a file, all but its end, or a folder has its name."""
    folder = tmp_path / "drawn"
    name = folder / f"{image.name}{suffix}"
    command = ("efficientad_infer", tiny, image, option, folder)
    says = f"efficientad_infer: expected to write {name}, could not; check the folder and its space\n"
    assert run(build, *command).returncode == 0
    for limit in (1000, name.stat().st_size - 5):
        name.unlink(missing_ok=True)
        done = run(build, *command, preexec_fn=lambda most=limit: bound_files(most))
        assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", says)
        assert not list(folder.iterdir())
    name.mkdir()
    done = run(build, *command)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", says)
    assert list(folder.iterdir()) == [name]


def bound_files(most: int) -> None:
    """Let no file grow beyond so many bytes."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_results_that_stdout_does_not_take_are_an_error(build, tiny, image, options):
    with Path("/dev/full").open("wb") as full:
        done = run(build, "efficientad_infer", tiny, image, *options, capture_output=False, stdout=full,
                   stderr=subprocess.PIPE)  # fmt: skip
    assert done.returncode == 1
    assert (
        done.stderr
        == b"efficientad_infer: expected to write results to stdout, got No space left on device; check its disk\n"
    )
