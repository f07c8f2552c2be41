"""The hash that exported files name: of the code that made them, and of nothing else."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from import_closure import ROOT, find_closure
from tiny_models import HEADER

from efficientad.deploy.export.code import hash_code, list_files
from efficientad.deploy.export.onnx import write_onnx
from efficientad.model.saved_detector import load_detector

SCRIPT = "stages/export.py"
PACKAGE = "src/efficientad"
UNRELATED = [
    "README.md", "docs/decisions/0099.md", "dvc.lock", "tests/test_x.py", f"{PACKAGE}/cli.py",
    f"{PACKAGE}/training/detection.py", f"{PACKAGE}/reporting/figures.py", f"{PACKAGE}/deploy/batch.py",
    f"{PACKAGE}/pipeline/layout.py", f"{PACKAGE}/errors.py", "stages/train.py",
]  # fmt: skip


@pytest.fixture
def clone(tmp_path):
    """A git repository with the code of this one."""
    for name in ("src", "stages"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    run_git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    return tmp_path


def run_git(folder, *arguments):
    who = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True)


def commit(folder):
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "-m", "x")


def add_comment(file):
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as text:
        text.write("# a comment\n")


def hash_of(clone):
    return hash_code(clone / SCRIPT, clone / PACKAGE)


def test_the_files_are_those_that_the_stage_imports_but_for_pipeline_and_errors():
    expected = {file for file in find_closure(ROOT / SCRIPT) if not {"pipeline", "errors.py"} & set(file.parts)}
    assert list_files(ROOT / SCRIPT) == expected
    names = {file.name for file in expected}
    assert {"detector.py", "quantise.py", "metadata.py", "reading.py"} <= names
    assert not {"cli.py", "batch.py", "detection.py", "contact_sheet.py"} & names


@pytest.mark.parametrize("unrelated", UNRELATED)
def test_an_edit_of_anything_else_leaves_it_as_it_is(clone, unrelated):
    before = hash_of(clone)
    add_comment(clone / unrelated)
    assert hash_of(clone) == before
    commit(clone)
    assert hash_of(clone) == before


def test_a_commit_of_anything_else_leaves_the_exported_bytes_as_they_are(clone, models, tmp_path):
    detector, _ = load_detector(models / "detector.safetensors")
    files = [tmp_path / "before.onnx", tmp_path / "after.onnx"]
    for file in files:
        write_onnx(detector, replace(HEADER, code_hash=hash_of(clone)), file)
        for unrelated in UNRELATED:
            add_comment(clone / unrelated)
        commit(clone)
    assert files[0].read_bytes() == files[1].read_bytes()


@pytest.mark.parametrize("used", [SCRIPT, f"{PACKAGE}/model/maps.py", f"{PACKAGE}/deploy/export/onnx.py"])
@pytest.mark.parametrize("committed", [True, False])
def test_an_edit_of_what_the_export_runs_changes_it_committed_or_not(clone, used, committed):
    before = hash_of(clone)
    add_comment(clone / used)
    if committed:
        commit(clone)
    assert hash_of(clone) != before


def test_it_is_the_same_without_git_and_with_other_ends_of_lines(clone):
    before = hash_of(clone)
    shutil.rmtree(clone / ".git")
    for file in clone.rglob("*.py"):
        file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert hash_of(clone) == before


def test_a_line_that_moves_to_the_next_file_changes_it(tmp_path):
    package = tmp_path / "efficientad"
    package.mkdir()
    script = tmp_path / "script.py"
    script.write_text("from efficientad import a, b\n")
    hashes = set()
    for first, second in (("x = 1\ny = 2\n", ""), ("x = 1\n", "y = 2\n")):
        (package / "a.py").write_text(first)
        (package / "b.py").write_text(second)
        hashes.add(hash_code(script, package))
    (package / "b.py").rename(package / "c.py")
    script.write_text("from efficientad import a, c\n")
    hashes.add(hash_code(script, package))
    assert len(hashes) == 3
