"""Items run side by side end as they do one after another."""

import json
import sys

import pytest
from clone import Clone
from slurm import is_installed, run_slurm

pytestmark = [pytest.mark.property, pytest.mark.long]

LAUNCH = (sys.executable, "stages/launch.py")
CHANGED = ("evaluate@L-disc-0", "evaluate@L-plate-0")


@pytest.fixture(scope="module")
def expected(finished, tmp_path_factory) -> str:
    """dvc.lock after one `dvc repro` with another value."""
    clone = Clone(finished, tmp_path_factory.mktemp("expected") / "clone")
    change(clone)
    clone.dvc("repro")
    return (clone.root / "dvc.lock").read_text("utf-8")


def change(clone: Clone) -> None:
    clone.change_params(lambda tree: tree["evaluate"].update(cases_per_group=2))


def test_two_jobs_on_this_machine_give_the_same_lock(clone, expected):
    change(clone)
    printed = clone.run(*LAUNCH, "--jobs", "2")
    assert {name for name in CHANGED if f"Running stage '{name}'" in printed} == {*CHANGED}
    assert (clone.root / "dvc.lock").read_text("utf-8") == expected
    assert clone.list_changed() == set()


@pytest.mark.skipif(not is_installed(), reason="needs slurm-wlm and munge, as root")
def test_slurm_runs_the_items_and_gives_the_same_lock(clone, expected, tmp_path, monkeypatch):
    change(clone)
    with run_slurm(tmp_path / "slurm") as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        printed = clone.run(*LAUNCH, "--slurm", "--cpus-per-task 1", "--jobs", "4", timeout=300)
    assert printed.count("Submitted batch job") == 8  # 1 names, 2 prepare, 1 pretraining, 1 distill, 2 items, 1 summary
    logs = "".join(path.read_text("utf-8") for path in (clone.root / ".scratch").glob("slurm-*.log"))
    assert {name for name in CHANGED if f"Running stage '{name}'" in logs} == {*CHANGED}
    assert (clone.root / "dvc.lock").read_text("utf-8") == expected


def test_a_failed_item_is_named_and_its_neighbour_is_finished(clone):
    (clone.root / "data/raw/disc/good/000.png").write_bytes(b"no image")
    clone.change_params(lambda tree: tree["category"].update(plate={"data": {"raw_samples": 5}}))
    done = clone.attempt(*LAUNCH, "--jobs", "2")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("failed: disc; ")
    assert "000.png" in done.stdout
    assert "prepare@plate" not in clone.list_changed()


def test_torchrun_distils_once_and_dvc_knows_it(clone):
    """The job of the launcher for size S; for L there is none, as its backbone is finished."""
    clone.change_params(lambda tree: tree.update(sizes=["S", "L"]))
    ask = "import json, sys; sys.path.insert(0, 'stages'); from launch import translate; "
    ask += "print(json.dumps(translate({'S': ['distill@S']}, None, '--standalone --nproc-per-node 2')))"
    distil, commit = json.loads(clone.run(sys.executable, "-c", ask))["S"]
    assert distil == ["torchrun", "--standalone", "--nproc-per-node", "2", "stages/distill.py", "S"]
    assert "mean squared error on held-out images" in clone.run(*distil, timeout=600)
    clone.run(*commit)
    assert "up to date" in clone.dvc("status", "distill@S")
    assert json.loads(clone.run(sys.executable, "-c", ask)) == {}
