"""Names out of params.yaml reach no shell: DVC quotes them, and a check stands before DVC."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from import_closure import ROOT

STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
NAMES = ["x; touch pwned #", "x'; touch pwned; '", "$(touch pwned)", "--out"]
RECORD = "import json, sys; open('calls.jsonl', 'a').write(json.dumps(sys.argv) + '\\n')"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The commands of dvc.yaml over scripts that only record how they were called."""
    (tmp_path / "stages").mkdir()
    for name in STAGES:
        (tmp_path / f"stages/{name}.py").write_text(RECORD, "utf-8")
    kept = {name: {key: stage[key] for key in ("matrix", "cmd") if key in stage} for name, stage in STAGES.items()}
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": kept}, sort_keys=False), "utf-8")
    assert run(tmp_path, "dvc", "init", "--no-scm", "-q").returncode == 0
    return tmp_path


def run(folder: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(ROOT / "src"), "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, *(["-m"] if module == "dvc" else []), module, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def name_matrix(folder: Path, **values: list) -> None:
    tree = {"sizes": ["L"], "categories": ["gear"], "seeds": [0]} | values
    (folder / "params.yaml").write_text(yaml.safe_dump(tree), "utf-8")


def test_dvc_runs_a_stage_with_any_name_as_one_word_and_of_two_lines_neither(project: Path):
    name_matrix(project, categories=[*NAMES, "x\ntouch pwned\n"])
    assert run(project, "dvc", "repro", "--keep-going").returncode != 0
    calls = [json.loads(line) for line in (project / "calls.jsonl").read_text("utf-8").splitlines()]
    for stage, entry in STAGES.items():
        of_stage = [call[1:] for call in calls if call[0] == f"stages/{stage}.py"]
        values = {"size": ["L"], "category": NAMES, "seed": ["0"]}
        keys = list(entry.get("matrix", {}))
        expected = [[word for key, value in zip(keys, row, strict=True) for word in (f"--{key}", value)]
                    for row in rows([values[key] for key in keys])]  # fmt: skip
        assert sorted(of_stage) == sorted(expected), stage
    assert {path.name for path in project.iterdir()} <= {
        "stages", "dvc.yaml", "dvc.lock", "params.yaml", "calls.jsonl", ".dvc", ".dvcignore"
    }  # fmt: skip


def rows(columns: list[list[str]]) -> list[list[str]]:
    return [[first, *rest] for first in columns[0] for rest in rows(columns[1:])] if columns else [[]]


def test_make_checks_params_before_dvc_reads_them(tmp_path: Path):
    (recipe,) = [line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if "dvc repro &&" in line]
    assert recipe.strip().startswith("python stages/check_params.py && dvc repro")
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree | {"categories": ["x; touch pwned #"]}), "utf-8")
    done = run(tmp_path, str(ROOT / "stages/check_params.py"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ParamsError: categories[0]: expected 1 to 100 letters")
    assert len(done.stderr.splitlines()) == 1
