"""Two processes at one training end where one process does: the images of each batch are shared out."""

import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fake_clock import FakeClock
from safetensors.torch import load_file
from tiny_training import DISTILL, RECIPE, TRAIN

from efficientad.errors import ParamsError
from efficientad.pipeline.scratch import SCRATCH_VARIABLE
from efficientad.training.detection.detector import train_detector
from efficientad.training.distillation.teacher import distill_teacher
from efficientad.training.engine import precision, speed
from efficientad.training.engine.precision import settle_precision
from efficientad.training.engine.speed import describe_processor
from efficientad.training.engine.workers import Workers, find_workers

SCRIPT = Path(__file__).parents[1] / "tiny_training.py"
TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]


def find_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(script, launchers, folder):
    """Run a script under each launcher at the same time."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen([*launcher, str(script), str(folder)], env=environment,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for launcher in launchers
    ]  # fmt: skip
    output = [process.communicate(timeout=300)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running), "\n".join(output)


def run(launchers, folder):
    launch(SCRIPT, launchers, folder)
    return {name: load_file(folder / f"{name}.safetensors") for name in ("detector", "teacher")}


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return run([[sys.executable]], tmp_path_factory.mktemp("alone"))


def list_launchers(nodes: int) -> list[list[str]]:
    if nodes == 1:
        return [[*TORCHRUN, "--standalone", "--nproc-per-node", "2"]]
    rendezvous = ["--rdzv-backend", "c10d", "--rdzv-endpoint", f"127.0.0.1:{find_port()}", "--rdzv-id", "test"]
    return [[*TORCHRUN, "--nnodes", "2", "--nproc-per-node", "1", *rendezvous]] * 2


@pytest.mark.property
@pytest.mark.long
@pytest.mark.parametrize("nodes", [1, 2])
def test_two_processes_end_in_the_weights_of_one_with_the_whole_batch(tmp_path, alone, nodes):
    """Within 1e-3 of each tensor's largest value: sums in another order round differently, and Muon carries it on.

    Biases that have hardly left zero count as 0.02, a tenth of what the weights are.
    """
    shared = run(list_launchers(nodes), tmp_path)
    for network, weights in alone.items():
        for name, tensor in weights.items():
            if name != "threshold":  # infinite before calibration
                limit = 1e-3 * max(0.02, float(tensor.float().abs().max()))
                torch.testing.assert_close(shared[network][name], tensor, rtol=0, atol=limit, msg=f"{network}.{name}")


@pytest.mark.slow
def test_all_processes_use_the_precision_that_the_first_one_settles(tmp_path, monkeypatch):
    """Each has a folder of its own, as on two machines; what is kept there differs."""
    processor = describe_processor() | {"threads": 1}
    monkeypatch.setattr(precision, "describe_processor", lambda: processor)
    for rank, seconds in enumerate([{False: 2.0, True: 1.0}, {False: 1.0, True: 2.0}]):
        clock = FakeClock()
        monkeypatch.setattr(speed, "_convolve", lambda bfloat16, clock=clock, s=seconds: clock.advance(s[bfloat16]))
        assert settle_precision("auto", tmp_path / f"cache{rank}", clock) == ("bf16", "fp32")[rank]
    launch(Path(__file__).parents[1] / "settle_together.py", list_launchers(nodes=1), tmp_path)
    assert [(tmp_path / f"settled{rank}").read_text("utf-8") for rank in (0, 1)] == ["bf16", "bf16"]


@pytest.mark.slow
def test_the_first_process_leaves_the_scratch_folder_to_the_others_until_they_are_done(tmp_path, monkeypatch):
    monkeypatch.setenv(SCRATCH_VARIABLE, str(tmp_path / "scratch"))
    launch(Path(__file__).parents[1] / "read_late.py", list_launchers(nodes=1), tmp_path)
    assert (tmp_path / "read").read_text("utf-8") == "features"
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.parametrize("training", ["detector", "teacher"])
def test_a_batch_that_cannot_be_shared_evenly_stops_before_any_work(tmp_path, monkeypatch, training):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ParamsError, match="batch_size that 2 processes can share evenly, got 1"):
        if training == "teacher":
            distill_teacher("S", None, replace(DISTILL, batch_size=1), tmp_path)
        else:
            train_detector("S", None, None, replace(TRAIN, cpu=replace(RECIPE, batch_size=1)), 0, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_process_without_torchrun_is_alone(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert find_workers() == Workers(0, 1, 1)
    assert find_workers().nodes == 1


def test_torchruns_environment_says_who_this_is(monkeypatch):
    for name, value in {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    workers = find_workers()
    assert (workers.nodes, workers.is_first) == (2, False)
