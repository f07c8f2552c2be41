"""A signal ends a training with a line and a code that is not 0, and the next run ends in the same bytes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from efficientad.training.engine.checkpoints import CHECKPOINT_NAME

SCRIPT = Path(__file__).with_name("stopped_training.py")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="signals of Unix")]


def start(folder, name):
    folder.mkdir(exist_ok=True)
    line = [sys.executable, str(SCRIPT), name]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        line, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(running):
    out, err = running.communicate(timeout=200)
    return running.returncode, out, err


def read_until(running, line):
    while (told := running.stdout.readline()) and told != line:
        pass


@pytest.fixture(scope="module", params=["detector", pytest.param("teacher", marks=pytest.mark.long)])
def whole(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    code, _, err = finish(start(folder, request.param))
    assert code == 0, err
    return request.param, (folder / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_a_stopped_training_says_so_and_goes_on_to_the_same_weights(whole, tmp_path, number):
    name, weights = whole
    running = start(tmp_path, name)
    read_until(running, "7\n")
    running.send_signal(number)
    code, _, err = finish(running)
    assert code == 128 + number
    assert err.splitlines()[-1].startswith(f"interrupted by {number.name}; run `dvc repro` again")
    assert "Traceback" not in err
    assert not (tmp_path / "weights.safetensors").exists()
    code, out, err = finish(start(tmp_path, name))
    assert code == 0, err
    assert "resumed at step" in out
    assert (tmp_path / "weights.safetensors").read_bytes() == weights


@pytest.mark.long
def test_a_checkpoint_cut_short_is_told_and_the_training_begins_anew(whole, tmp_path):
    name, weights = whole
    running = start(tmp_path, name)
    read_until(running, "4\n")
    running.kill()
    finish(running)
    checkpoint = tmp_path / "work" / CHECKPOINT_NAME
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    code, out, err = finish(start(tmp_path, name))
    assert code == 0, err
    assert f"warning: expected a checkpoint at work/{CHECKPOINT_NAME}, reading failed" in out
    assert "resumed" not in out
    assert (tmp_path / "weights.safetensors").read_bytes() == weights
