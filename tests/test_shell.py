"""Names out of params.yaml reach no shell, no folder but their own: DVC quotes them, the first stage checks them."""

import json
import os
import shutil
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


REFUSED = "ParamsError: "
OVERLAPPING = "specified in"  # by DVC itself, of two stages' outputs


@pytest.mark.parametrize(
    ("key", "values", "says"),
    [
        ("categories", ["../mine"], REFUSED),
        ("categories", ["gear", "../../mine"], OVERLAPPING),
        ("sizes", ["../mine"], OVERLAPPING),
        ("seeds", ["../mine"], REFUSED),
    ],
)
def test_dvc_removes_nothing_that_lies_where_a_name_leads(tmp_path: Path, key: str, values: list, says: str):
    """DVC removes what a stage wrote before it runs the stage; `dvc repro` by itself, without make, is enough."""
    kept = {name: {part: stage[part] for part in ("matrix", "cmd", "outs", "metrics", "plots") if part in stage}
            | {"deps": [dep for dep in stage["deps"] if dep in ("data/names.txt", "data/pretraining")
                        or dep.startswith(("data/prepared/", "models/"))]}
            for name, stage in STAGES.items()}  # fmt: skip
    (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": kept}, sort_keys=False), "utf-8")
    tree = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    entries = {"category": dict.fromkeys(values)} if key == "categories" else {}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree | {key: values} | entries), "utf-8")
    shutil.copytree(ROOT / "stages", tmp_path / "stages")
    ours = [tmp_path / folder / "mine/0/detector.onnx" for folder in ("data", "models", "models/L", "metrics", ".")]
    ours += [tmp_path / "models/mine/teacher.safetensors"]
    for file in ours:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("years of work", "utf-8")
    assert run(tmp_path, "dvc", "init", "--no-scm", "-q").returncode == 0
    done = run(tmp_path, "dvc", "repro", "--keep-going")
    assert done.returncode != 0
    assert says in done.stderr
    assert [file.read_text("utf-8") for file in ours] == ["years of work"] * len(ours)
