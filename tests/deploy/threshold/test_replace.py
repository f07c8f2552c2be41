"""All files of a model or none, whenever the machine stops."""

from pathlib import Path

import pytest

from efficientad.deploy.threshold.replace import finish_replacing, replace_files

NAMES = ("detector.onnx", "openvino/int8/1/model.bin", "openvino/int8/1/model.xml")


@pytest.fixture
def files(tmp_path):
    files = [tmp_path / name for name in NAMES]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("old")
    return files


@pytest.fixture
def journal(tmp_path):
    return tmp_path / ".threshold.json"


def read_all(folder):
    return {file.relative_to(folder).as_posix(): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_all_are_replaced_and_nothing_else_is_left(tmp_path, files, journal):
    replace_files(dict.fromkeys(files, b"new"), journal)
    assert read_all(tmp_path) == dict.fromkeys(NAMES, "new")
    assert not finish_replacing(journal)


@pytest.mark.parametrize("failing", range(4))
def test_where_one_cannot_be_written_all_stay_as_they_were(tmp_path, files, journal, monkeypatch, failing):
    written = []

    def fail(path, content):
        if len(written) == failing:
            raise OSError(28, "No space left on device")
        written.append(path)
        path.write_bytes(content)

    monkeypatch.setattr("efficientad.deploy.threshold.replace._write", fail)
    with pytest.raises(OSError, match="No space left"):
        replace_files(dict.fromkeys(files, b"new"), journal)
    assert read_all(tmp_path) == dict.fromkeys(NAMES, "old")


@pytest.mark.parametrize("renames", range(5))
def test_a_stop_between_any_two_renames_leaves_all_or_is_finished_later(tmp_path, files, journal, monkeypatch, renames):
    """The first rename is the journal's; a stop before it leaves no trace that counts."""
    original, done = Path.replace, []

    def stop(path, target):
        if len(done) == renames:
            raise KeyboardInterrupt
        done.append(path)
        return original(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stop)
        if renames < 4:
            with pytest.raises(KeyboardInterrupt):
                replace_files(dict.fromkeys(files, b"new"), journal)
        else:
            replace_files(dict.fromkeys(files, b"new"), journal)
    assert finish_replacing(journal) == (0 < renames < 4)
    assert read_all(tmp_path) == dict.fromkeys(NAMES, "new" if renames else "old")
