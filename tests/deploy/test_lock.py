"""One run at a time writes to a folder."""

import os
import signal
import subprocess
import sys

import pytest

from efficientad.deploy.lock import LOCK, lock_folders
from efficientad.errors import DataError

HOLD = """
import sys, time
from pathlib import Path
from efficientad.deploy.lock import lock_folders
with lock_folders([Path(sys.argv[1])]):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def other(tmp_path):
    """Another process that has the folder."""
    running = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert running.stdout.readline() == "locked\n"
    yield running
    running.kill()
    running.communicate()


def test_a_second_run_is_refused_with_the_number_of_the_first(tmp_path, other):
    with pytest.raises(DataError, match=rf"another one is at it \(process {other.pid}\); wait for it or stop it"):
        lock_folders([tmp_path]).__enter__()
    with lock_folders([tmp_path / "another"]):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows knows no SIGKILL")
def test_a_killed_run_leaves_no_lock(tmp_path, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert (tmp_path / LOCK).exists()
    with lock_folders([tmp_path]):
        pass
    assert not (tmp_path / LOCK).exists()


def test_a_folder_is_free_when_the_run_ends_and_all_are_when_one_is_taken(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    with lock_folders([second]):
        with pytest.raises(DataError):
            lock_folders([first, second]).__enter__()
        with lock_folders([first, first]):
            pass
    with lock_folders([first, second]):
        pass
    assert not [*first.iterdir(), *second.iterdir()]


def test_a_folder_that_cannot_be_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="expected a folder for results at"):
        lock_folders([tmp_path / "file"]).__enter__()


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_that_leads_to_itself_is_an_error(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(DataError, match="expected a folder for results at"):
        lock_folders([tmp_path / "loop/results"]).__enter__()
