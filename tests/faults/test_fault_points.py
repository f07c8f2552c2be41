"""The points cover every stage, every signal and every write; and the faults come where they should."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from fault_points import BRIEF, SIGNALS, STAGES, list_points
from import_closure import ROOT

HOOKS = Path(__file__).parent / "hooks"
POINTS = list_points()
WRITE = """
from pathlib import Path
from efficientad.pipeline.writing import write_text
for name in ("first", "second", "third"):
    write_text(Path(name), name)
"""


def run(code, fault, folder):
    path = os.pathsep.join([str(HOOKS), str(ROOT / "src")])
    environment = os.environ | {"PYTHONPATH": path, "FAULT": json.dumps(fault)}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


def test_there_are_sixty_or_more_and_no_two_are_the_same():
    assert len({(point.stage, point.where) for point in POINTS}) == len(POINTS) >= 60


def test_every_stage_is_ended_by_every_signal_and_at_a_write():
    stages = {name.split("@")[0] for name in STAGES}
    assert stages == set(yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"])
    for stage in STAGES:
        own = [point for point in POINTS if point.stage == stage]
        assert {point.number for point in own if point.kind == "moment"} == (set() if stage in BRIEF else set(SIGNALS))
        assert {point.call for point in own if point.kind == "write"} == {"fsync", "replace"}


def test_they_are_the_same_every_time():
    assert list_points() == POINTS


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize(
    ("call", "nth", "left"),
    [("replace", 2, {"first", ".second.part"}), ("fsync", 1, {".first.part"}), ("fsync", 4, {"first", "second"}),
     ("fsync", 7, {"first", "second", "third"})],
)  # fmt: skip
def test_a_process_ends_just_before_the_call_that_is_named(tmp_path, call, nth, left):
    done = run(WRITE, {"call": call, "nth": nth, "signal": int(signal.SIGKILL)}, tmp_path)
    assert done.returncode == (-signal.SIGKILL if nth < 7 else 0)
    assert {file.name for file in tmp_path.iterdir()} == left


def test_calls_are_counted(tmp_path):
    run(WRITE, {"count": str(tmp_path / "counts.json")}, tmp_path)
    assert json.loads((tmp_path / "counts.json").read_text()) == {"fsync": 6, "replace": 3}


def test_the_clock_stands_back_by_as_much_as_is_asked(tmp_path):
    done = run("import time; print(time.time())", {"clock_back_s": 10**6}, tmp_path)
    plain = run("import time; print(time.time())", {}, tmp_path)
    assert 10**6 - 600 < float(plain.stdout) - float(done.stdout) <= 10**6 + 600
