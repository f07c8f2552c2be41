import ast
import os
import sys
from pathlib import Path

import pytest
from import_closure import ROOT

from efficientad.pipeline.writing import replacing, write_bytes, write_text

# What may open a file for writing by itself, and why.
OWN_WAYS = {
    "src/efficientad/pipeline/writing.py": "the one way",
    "src/efficientad/pipeline/stage.py": "appends to the log of costs",
    "src/efficientad/data/arrays/row_file.py": "rows of a part that `replacing` puts in place, or of work in progress",
    "src/efficientad/training/engine/features.py": "appends to work in progress, synced before its mark",
    "src/efficientad/model/inference.py": "a temporary file",
    "src/efficientad/data/download/archive.py": "unpacks into a folder that gets its name when it is on the disk",
    "src/efficientad/data/download/install.py": "the record in that folder",
    "src/efficientad/data/download/transfer.py": "appends to a part that is checked and renamed",
    "src/efficientad/deploy/records.py": "appends records; sorts them into parts that it syncs",
    "src/efficientad/deploy/threshold/replace.py": "several files as one, by a journal",
    "src/efficientad/deploy/export/openvino.py": "a temporary file",
    "src/efficientad/pipeline/locks.py": "a file that is locked, with the number of its process",
    "src/efficientad/pipeline/silence.py": "the terminal",
}
WRITERS = {
    "write_text", "write_bytes", "tofile", "save_file", "save_model", "imwrite", "savez", "savetxt", "memmap",
    "open_memmap", "copy", "copyfile", "copytree", "touch", "save", "savefig", "dump", "serialize",
}  # fmt: skip
# What these are besides: the one way, a write into memory, a copy in memory.
HARMLESS = ("write_text(", "write_bytes(", "save(state, ", "copy.", ".copy()")
IN_MEMORY = ("content", "drawn")  # what a BytesIO is called here


def find_writes(code: str) -> list[str]:
    """Return the calls in a file's code that write a file by themselves, and not by `pipeline.writing`."""
    return [ast.unparse(node) for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and is_write(node)]


def is_write(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    text = ast.unparse(call)
    if name in WRITERS:
        is_in_memory = any(ast.unparse(argument) in IN_MEMORY for argument in call.args)
        return not (is_in_memory or text.startswith(HARMLESS) or text.endswith(HARMLESS))
    return name.lstrip("_") in ("open", "NamedTemporaryFile") and any(map(is_writing_mode, list_values(call)))


def list_values(call: ast.Call) -> list[object]:
    """Return the constants among a call's arguments."""
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    return [value.value for value in values if isinstance(value, ast.Constant)]


def is_writing_mode(value: object) -> bool:
    return isinstance(value, str) and set(value) <= set("rwaxbt+") and bool(set(value) & set("wax+"))


def list_code():
    return [*sorted((ROOT / "src").rglob("*.py")), *sorted((ROOT / "stages").glob("*.py"))]


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')", "np.save(path, array)", "torch.save(state, path)", "with path.open('wb') as file: pass",
        "save_file(state, path)", "figure.savefig(path)", "onnx.save(model, path)", "open(path, mode='a')",
        "array.tofile(path)", "shutil.copy(a, b)", "np.load(path, mmap_mode='r+').flush(); path.open('r+b')",
    ],
)  # fmt: skip
def test_a_write_of_its_own_is_found(line):
    assert find_writes(line)


@pytest.mark.parametrize(
    "line",
    [
        "path.open('rb')", "path.open(encoding='utf-8')", "torch.save(state, content)", "figure.savefig(drawn)",
        "from efficientad.pipeline.writing import write_text\nwrite_text(path, 'x')",
    ],
)  # fmt: skip
def test_reading_and_the_one_way_are_none(line):
    assert not find_writes(line)


def test_every_result_is_written_by_one_function():
    found = {file.relative_to(ROOT).as_posix(): find_writes(file.read_text("utf-8")) for file in list_code()}
    others = {name: calls for name, calls in found.items() if calls and name not in OWN_WAYS}
    assert not others
    assert not [name for name in OWN_WAYS if not found.get(name)], "these write nothing of their own any more"


@pytest.mark.parametrize("fails_in", ["block", "fsync", "replace"])
def test_after_an_error_the_old_file_is_there_and_the_new_one_gone(tmp_path, monkeypatch, fails_in):
    path = tmp_path / "result.json"
    path.write_text("old")

    def fail(*_):
        raise OSError(28, "No space left on device")

    if fails_in == "fsync":
        monkeypatch.setattr("os.fsync", fail)
    if fails_in == "replace":
        monkeypatch.setattr("pathlib.Path.replace", fail)
    with pytest.raises(OSError, match="No space left"), replacing(path) as part:
        part.write_text("half")
        if fails_in == "block":
            fail()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.skipif(sys.platform != "linux", reason="names of open files are read from /proc")
def test_the_content_reaches_the_disk_before_the_name_and_then_the_folder(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def note(handle):
        calls.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        fsync(handle)

    monkeypatch.setattr("os.fsync", note)
    monkeypatch.setattr("pathlib.Path.replace", lambda part, path: (calls.append("name"), replace(part, path)))
    write_bytes(tmp_path / "new/model.bin", b"weights")
    assert calls == [str(tmp_path / "new/.model.bin.part"), "name", str(tmp_path / "new")]
    assert (tmp_path / "new/model.bin").read_bytes() == b"weights"


def test_what_a_killed_process_left_is_replaced(tmp_path):
    (tmp_path / ".result.part").write_text("a long rest of another process")
    write_text(tmp_path / "result", "short")
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"result": "short"}


def test_each_process_that_shares_a_file_writes_a_part_of_its_own(tmp_path):
    with replacing(tmp_path / "shared", shared=True) as mine, replacing(tmp_path / "shared") as other:
        assert mine != other
        mine.write_text("mine")
        other.write_text("another one's")
    assert (tmp_path / "shared").read_text() == "mine"


def test_line_ends_and_bytes_of_names_stay(tmp_path):
    write_text(tmp_path / "names.csv", "a\nb\r\n\udcff")
    assert (tmp_path / "names.csv").read_bytes() == b"a\nb\r\n\xff"
