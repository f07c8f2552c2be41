import json
from pathlib import Path

import pytest

from efficientad.pipeline.cache import CACHE_VARIABLE, locate_cache, recall, remember


def test_the_folder_is_the_one_that_the_user_names(monkeypatch, tmp_path):
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "named"))
    assert locate_cache() == tmp_path / "named"


def test_without_a_name_it_lies_in_the_users_caches(monkeypatch, tmp_path):
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert locate_cache() == tmp_path / "efficientad"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert locate_cache() == tmp_path / ".cache/efficientad"


def test_a_user_without_a_home_has_one_too(monkeypatch):
    def fail():
        raise RuntimeError

    for name in (CACHE_VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", fail)
    assert locate_cache() == Path(".scratch/cache")


def test_what_is_remembered_is_recalled_and_nothing_else_is_left(tmp_path):
    file = tmp_path / "new" / "answer.json"
    assert recall(file) is None
    for values in ({"a": 1}, {"a": [2.5, "b"]}):
        remember(file, values)
        assert recall(file) == values
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[1]", b"\xff\xfe", b"null"])
def test_a_damaged_answer_is_none_and_is_replaced(tmp_path, content):
    file = tmp_path / "answer.json"
    file.write_bytes(content)
    assert recall(file) is None
    remember(file, {"a": 1})
    assert recall(file) == {"a": 1}


@pytest.mark.parametrize("obstacle", ["a file in place of the folder", "a folder in place of the file"])
def test_what_cannot_be_written_is_told_and_stops_nothing(tmp_path, capsys, obstacle):
    file = tmp_path / "cache" / "answer.json"
    if obstacle.startswith("a file"):
        file.parent.write_text("")
    else:
        (file / "inside").mkdir(parents=True)
    remember(file, {"a": 1})
    assert recall(file) is None
    assert CACHE_VARIABLE in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.part"))


def test_a_write_that_breaks_off_leaves_the_old_answer(tmp_path, monkeypatch):
    file = tmp_path / "answer.json"
    remember(file, {"a": 1})
    monkeypatch.setattr(json, "dumps", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        remember(file, {"a": 2})
    monkeypatch.undo()
    assert recall(file) == {"a": 1}
