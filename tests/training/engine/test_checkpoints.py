import signal

import pytest
import torch

from efficientad.pipeline.stops import list_handlers
from efficientad.training.engine.checkpoints import CHECKPOINT_NAME, Checkpoints, KeepHandlers, find_checkpoint

STATE = {"global_step": 3, "state_dict": {"weight": torch.arange(1000.0)}}


def test_without_a_checkpoint_there_is_nothing_to_go_on_from(tmp_path, capsys):
    assert find_checkpoint(tmp_path) is None
    assert not capsys.readouterr().out


def test_a_checkpoint_is_found_and_leaves_no_part(tmp_path):
    path = tmp_path / CHECKPOINT_NAME
    Checkpoints().save_checkpoint(STATE, path)
    assert find_checkpoint(tmp_path) == path
    assert torch.equal(torch.load(path)["state_dict"]["weight"], STATE["state_dict"]["weight"])
    assert [file.name for file in tmp_path.iterdir()] == [CHECKPOINT_NAME]


@pytest.mark.parametrize("kept", [0, 1, 1000, -1])
def test_a_checkpoint_cut_short_is_told_and_counts_as_none(tmp_path, capsys, kept):
    path = tmp_path / CHECKPOINT_NAME
    Checkpoints().save_checkpoint(STATE, path)
    path.write_bytes(path.read_bytes()[:kept])
    assert find_checkpoint(tmp_path) is None
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"warning: expected a checkpoint at {path}, reading failed: ")
    assert line.endswith("; the training begins anew")


def test_a_librarys_own_handler_is_taken_away_when_training_starts():
    wanted = list_handlers()
    keep = KeepHandlers(wanted)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        keep.on_train_start(None, None)
        assert list_handlers() == wanted
    finally:
        signal.signal(signal.SIGTERM, wanted[signal.SIGTERM])
