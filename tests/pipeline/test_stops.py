"""How a stage ends that is stopped from outside: with a line, and never with 0."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

STAGE = Path(__file__).with_name("stage_that_waits.py")


def start(folder: Path, work: str, *words: str) -> subprocess.Popen[str]:
    line = [sys.executable, str(STAGE), *words]
    return subprocess.Popen(
        line, cwd=folder, env=os.environ | {"WORK": work}, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(stage: subprocess.Popen[str]) -> tuple[int, str]:
    out, err = stage.communicate(timeout=60)
    assert "went on" not in out
    return stage.returncode, err


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_stage_with_a_line_and_its_code(tmp_path, number):
    stage = start(tmp_path, "wait")
    assert stage.stdout.readline() == "works\n"
    stage.send_signal(number)
    code, err = finish(stage)
    assert code == 128 + number
    assert err.splitlines() == [
        f"interrupted by {number.name}; run `dvc repro` again: finished stages are kept, and a training goes on from "
        "its last checkpoint"
    ]
    assert not list(tmp_path.glob(".scratch/*")), "a stage that did not end counts no cost, and leaves no lock"


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (
            "full",
            "OSError: [Errno 28] No space left on device: 'result'; free space on this disk, then run `dvc repro`",
        ),
        ("denied", "PermissionError: [Errno 13] Permission denied: 'result'; let this user read and write there, then"),
        (
            "memory",
            "MemoryError: [enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory; close ",
        ),
        ("panic", "MemoryError: PyObject pointer is null; close other programs or take smaller images, then run `dvc"),
        (
            "opencv",
            "MemoryError: OpenCV(4.14.0) a.cpp:7: error: (-4:Insufficient memory) Failed to allocate 9 bytes; ",
        ),
        ("fork", "OSError: [Errno 12] Cannot allocate memory; close other programs or take smaller images, then run"),
        ("threads", "MemoryError: can't start new thread; close other programs or take smaller images, then run `dvc"),
        ("data", "DataError: expected images"),
    ],
)
def test_what_the_system_refuses_is_one_line_with_what_to_do(tmp_path, work, told):
    code, err = finish(start(tmp_path, work))
    assert code == 1
    assert len(err.splitlines()) == 1
    assert err.startswith(told)
