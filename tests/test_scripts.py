"""The scripts around a run, by hand in a wrong place: a line that says what is missing, and no traceback."""

import shutil
import subprocess
import sys

import pytest
from import_closure import ROOT

SCRIPTS = [("launch",), ("gate",), ("prune",), ("prune", "--delete"), ("card",), ("names",)]


def run(folder, script, *options):
    command = [sys.executable, str(ROOT / f"stages/{script}.py"), *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def check_refused(done):
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    assert line.startswith(("DataError: expected ", "ParamsError: ")), done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", SCRIPTS, ids=" ".join)
def test_outside_of_a_project(tmp_path, words):
    check_refused(run(tmp_path, *words))


@pytest.mark.parametrize("words", SCRIPTS, ids=" ".join)
def test_in_a_project_whose_params_are_cut(tmp_path, words):
    text = (ROOT / "params.yaml").read_text("utf-8")
    (tmp_path / "params.yaml").write_text(text[: text.index("fit:")], "utf-8")
    shutil.copy(ROOT / "dvc.yaml", tmp_path)
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    check_refused(run(tmp_path, *words))


@pytest.mark.parametrize("text", [None, "", "stages: [1]", "stages:\n  a: 1\n", "{"])
@pytest.mark.parametrize("script", ["gate", "card"])
def test_in_a_project_whose_lock_is_no_lock(tmp_path, script, text):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n", "utf-8")
    subprocess.run([sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=tmp_path, check=True)
    if text is not None:
        (tmp_path / "dvc.lock").write_text(text, "utf-8")
    done = run(tmp_path, script)
    check_refused(done)
    assert "dvc.lock" in done.stderr
