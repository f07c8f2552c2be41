"""Two processes at one work: the second waits, and says for whom."""

import os
import signal
import sys

import pytest
from test_stops import finish, start

from efficientad.pipeline.locks import alone_at

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the signals are of POSIX")


def test_a_second_process_at_the_same_stage_waits_for_the_first(tmp_path):
    first = start(tmp_path, "wait", "0")
    assert first.stdout.readline() == "works\n"
    second = start(tmp_path, "wait a while", "0")
    told = second.stderr.readline()
    assert told == f"stage_that_waits.py 0: process {first.pid} works at the same; waiting for its end\n"
    first.send_signal(signal.SIGKILL)  # which leaves the lock's file
    assert finish(first) == (-signal.SIGKILL, "")
    assert finish(second) == (0, "")
    assert [path.name for path in tmp_path.glob(".scratch/*")] == ["timings.jsonl"]


def test_another_item_does_not_wait(tmp_path):
    first = start(tmp_path, "wait", "0")
    assert first.stdout.readline() == "works\n"
    assert finish(start(tmp_path, "wait a while", "0.0")) == (0, "")
    first.kill()
    finish(first)


def test_of_torchruns_processes_the_first_one_alone_locks(tmp_path, monkeypatch):
    with alone_at(tmp_path / "lock", "work"):
        assert (tmp_path / "lock").read_text() == str(os.getpid())
        monkeypatch.setenv("RANK", "1")
        with alone_at(tmp_path / "lock", "work"):
            pass
        assert (tmp_path / "lock").is_file()
    assert not list(tmp_path.iterdir())
