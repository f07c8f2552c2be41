"""What a run cost, from the timings that its stages wrote."""

import json
import subprocess
import sys

import pytest
import yaml
from default_cost import Cost, add_costs, list_stages, read_costs
from import_closure import ROOT

from efficientad.errors import DataError

STAGES = {
    "prepare": {"matrix": {"category": "${categories}"}, "cmd": "python stages/prepare.py ${item}"},
    "train": {
        "matrix": {"category": "${categories}", "seed": "${seeds}"},
        "cmd": "python stages/train.py ${item}",
    },
    "summary": {"cmd": "python stages/summary.py"},
}
TIMES = [  # the first run of a stage was repeated; the last two rows belong to no stage of dvc.yaml's matrix
    ("prepare.py gear", 100, 200), ("prepare.py gear", 1, 2), ("train.py gear 0", 30, 20), ("train.py gear 1", 31, 21),
    ("summary.py", 0.5, 0.25), ("prune.py --delete", 1000, 1000), ("train.py bolt 0", 1000, 1000),
]  # fmt: skip


def write_project(folder, times=TIMES):
    (folder / ".scratch").mkdir(parents=True)
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": STAGES}, sort_keys=False), "utf-8")
    (folder / "params.yaml").write_text(yaml.safe_dump({"categories": ["gear"], "seeds": [0, 1]}), "utf-8")
    rows = [{"stage": stage, "cpu_seconds": cpu, "seconds": wall, "peak_rss_mb": 1.0} for stage, cpu, wall in times]
    (folder / ".scratch/timings.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def run(*projects):
    command = [sys.executable, str(ROOT / "benchmarks/default_cost.py"), *map(str, projects)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_last_run_of_each_stage_of_the_matrix_counts_once(tmp_path):
    costs = read_costs(write_project(tmp_path / "project"))
    assert costs == [
        Cost("prepare.py gear", 1, 2), Cost("train.py gear 0", 30, 20), Cost("train.py gear 1", 31, 21),
        Cost("summary.py", 0.5, 0.25),
    ]  # fmt: skip
    assert add_costs(costs) == Cost("sum", 62.5, 43.25)


def test_a_missing_stage_is_an_error_and_not_a_smaller_sum(tmp_path):
    project = write_project(tmp_path / "project", TIMES[:3])
    with pytest.raises(DataError, match=r"\['train.py gear 1', 'summary.py'\]"):
        read_costs(project)
    done = run(project)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("DataError: expected timings of all stages")


def test_the_program_prints_each_stage_the_sum_and_the_ratio_of_two_projects(tmp_path):
    project = write_project(tmp_path / "project")
    other = write_project(tmp_path / "other", [(stage, 4 * cpu, 2 * wall) for stage, cpu, wall in TIMES])
    lines = run(project).stdout.splitlines()
    assert [line.split()[-2:] for line in lines[1:]] == [
        ["1.0", "2.0"], ["30.0", "20.0"], ["31.0", "21.0"], ["0.5", "0.2"], ["62.5", "43.2"],
    ]  # fmt: skip
    assert run(project, other).stdout.splitlines()[-1] == f"{project} / {other}: CPU 0.250, wall 0.500"


def test_every_stage_of_this_project_is_found():
    pipeline = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))
    params = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    commands = list_stages(pipeline, params)
    assert {command.split()[0] for command in commands} == {f"{stage}.py" for stage in pipeline["stages"]}
    assert not any("$" in command for command in commands)
