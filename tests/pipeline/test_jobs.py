import os
import shlex
from pathlib import Path

import pytest

from efficientad.pipeline.jobs import Job, list_waves, reproduce, run_by_torchrun, run_side_by_side, submit

ITEMS = ("S-a-0", "S-b-0", "L-a-0", "L-b-0")
NAMES = ["prepare@a", "prepare@b", "pretraining", "distill@S", "distill@L",
         *(f"train@{item}" for item in ITEMS), *(f"fit@{item}" for item in ITEMS), "summary"]  # fmt: skip


def by_shell(line: str) -> Job:
    return [["sh", "-c", line]]


def test_every_stage_is_in_one_wave_and_after_those_that_stand_before_it():
    waves = list_waves(NAMES)
    assert [list(wave) for wave in waves] == [
        ["a", "b"], [""], ["S", "L"], [*ITEMS], [""],
    ]  # fmt: skip
    assert sorted(name for wave in waves for stages in wave.values() for name in stages) == sorted(NAMES)
    assert waves[3]["L-a-0"] == ["train@L-a-0", "fit@L-a-0"]


def test_two_jobs_run_at_the_same_time(tmp_path):
    """Each ends only after the other one has begun."""
    wait = "cd {folder}; touch {own}; for i in $(seq 500); do [ -e {other} ] && exit 0; sleep 0.02; done; exit 1"
    jobs = {own: by_shell(wait.format(folder=tmp_path, own=own, other=other)) for own, other in ("ab", "ba")}
    assert run_side_by_side(jobs, 2, os.environ) == []


def test_one_at_a_time_keeps_their_order_and_passes_on_what_they_print(capfd):
    jobs = {name: by_shell(f"echo begins; sleep 0.05; echo ends {name}") for name in ("a", "b")}
    assert run_side_by_side(jobs, 1, os.environ) == []
    printed = capfd.readouterr().out.splitlines()
    assert printed == ["a | begins", "a | ends a", "b | begins", "b | ends b"]


def test_a_failure_is_named_and_stops_no_other_job(tmp_path):
    jobs = {"a": by_shell("exit 3"), "b": [["touch", f"{tmp_path}/b"]]}
    assert run_side_by_side(jobs, 1, os.environ) == ["a"]
    assert (tmp_path / "b").exists()


def test_a_command_that_fails_ends_its_job(tmp_path):
    assert run_side_by_side({"a": [["false"], ["touch", f"{tmp_path}/a"]]}, 1, os.environ) == ["a"]
    assert not (tmp_path / "a").exists()


def test_a_program_that_is_missing_is_named(capfd):
    assert run_side_by_side({"a": [["no-such-program"]]}, 1, os.environ) == ["a"]
    assert "expected the program no-such-program on the PATH" in capfd.readouterr().out


HOSTILE = "S-x; touch pwned $(touch pwned) `touch pwned` '; touch pwned #"


@pytest.mark.parametrize("slurm", [None, "--mem 8G"], ids=["here", "slurm"])
def test_no_shell_reads_the_name_of_a_stage(tmp_path, monkeypatch, slurm):
    """Programs that note their arguments stand for dvc, torchrun and sbatch, which gives its script to a shell."""
    monkeypatch.chdir(tmp_path)
    note = f"#!/bin/sh\nprintf '%s\\n' \"$@\" >> {tmp_path}/arguments\n"
    wrap = '#!/bin/sh\nwhile [ "$1" != --wrap ]; do shift; done\nexec sh -c "$2"\n'
    for name, text in {"dvc": note, "torchrun": note, "sbatch": wrap}.items():
        (tmp_path / name).write_text(text, "utf-8")
        (tmp_path / name).chmod(0o755)
    jobs = {
        "a": reproduce([f"fit@{HOSTILE}"]),
        "b": run_by_torchrun(f"distill@{HOSTILE}", ["distill.py", HOSTILE], f"--rdzv-id {shlex.quote(HOSTILE)}"),
    }
    if slurm:
        jobs = {name: submit(job, slurm, "log") for name, job in jobs.items()}
    environment = os.environ | {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    assert run_side_by_side(jobs, 1, environment) == []
    noted = (tmp_path / "arguments").read_text("utf-8").splitlines()
    assert [line for line in noted if "pwned" in line] == [f"fit@{HOSTILE}", HOSTILE, HOSTILE, f"distill@{HOSTILE}"]
    assert not Path("pwned").exists()
