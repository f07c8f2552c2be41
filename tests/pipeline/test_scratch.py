from pathlib import Path

import pytest

from efficientad.pipeline.scratch import SCRATCH_VARIABLE, open_scratch


@pytest.fixture(autouse=True)
def scratch_root(tmp_path, monkeypatch):
    monkeypatch.setenv(SCRATCH_VARIABLE, str(tmp_path / "scratch"))
    return tmp_path / "scratch"


@pytest.fixture
def data(tmp_path) -> Path:
    path = tmp_path / "data"
    path.write_bytes(b"1")
    return path


def fail_in(stage, key, inputs) -> Path:
    with pytest.raises(KeyboardInterrupt), open_scratch(stage, key, inputs) as folder:
        (folder / "checkpoint").write_text("half")
        raise KeyboardInterrupt
    return folder


def test_the_same_work_finds_what_an_interruption_left(data):
    left = fail_in("train", {"steps": 1}, [data])
    with open_scratch("train", {"steps": 1}, [data]) as folder:
        assert folder == left
        assert (folder / "checkpoint").read_text() == "half"


def test_success_leaves_nothing(data, scratch_root):
    with open_scratch("train", {"steps": 1}, [data]) as folder:
        (folder / "checkpoint").touch()
    assert list(scratch_root.iterdir()) == []


def test_the_folder_is_there_until_whoever_shares_it_has_finished(data, scratch_root):
    for may_delete in (False, True):
        asked = []

        def answer(folder, may_delete=may_delete, asked=asked):
            asked.append(folder.is_dir())
            return may_delete

        with open_scratch("train", {}, [data], lambda: answer(folder)) as folder:
            assert not asked
        assert asked == [True]
        assert folder.is_dir() == (not may_delete)


def test_an_interrupted_process_does_not_wait_for_the_others(data):
    asked = []
    with pytest.raises(KeyboardInterrupt), open_scratch("train", {}, [data], lambda: not asked.append(1)):
        raise KeyboardInterrupt
    assert not asked


def test_other_params_inputs_or_stages_are_other_work(data):
    left = fail_in("train", {"steps": 1}, [data])
    assert fail_in("train", {"steps": 2}, [data]) != left
    assert fail_in("distill", {"steps": 1}, [data]) != left
    data.write_bytes(b"2")
    assert fail_in("train", {"steps": 1}, [data]) != left
