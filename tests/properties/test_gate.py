"""A commit whose dvc.lock is behind does not pass `make gate`, though the data are elsewhere."""

import sys

import pytest
from clone import Clone

pytestmark = [pytest.mark.property, pytest.mark.long]

GATE = (sys.executable, "stages/gate.py")


@pytest.fixture(scope="module")
def bare(finished, tmp_path_factory) -> Clone:
    """A clone without data and models, as a CI service has it."""
    return Clone(finished, tmp_path_factory.mktemp("bare") / "clone", with_cache=False)


def test_a_commit_in_step_passes(bare):
    assert "in step" in bare.run(*GATE)


def edit(file: str, old: str, new: str):
    def change(clone: Clone) -> None:
        path = clone.root / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    return change


def break_lock(clone: Clone) -> None:
    text = (clone.root / "dvc.lock").read_text("utf-8")
    before, after = text.split("calibrate@L-disc-0:", 1)
    (clone.root / "dvc.lock").write_text(f"{before}calibrate@L-disc-0:{after.replace('md5: ', 'md5: 0', 1)}", "utf-8")


def test_an_entry_of_what_params_dropped_is_no_matter_of_the_gate(bare):
    lock = bare.root / "dvc.lock"
    text = lock.read_text("utf-8")
    entry = text.split("  calibrate@L-disc-0:", 1)[1].split("\n  calibrate@", 1)[0].split("\n  evaluate@", 1)[0]
    lock.write_text(f"{text}  calibrate@L-dropped-0:{entry.replace('md5: ', 'md5: 0')}\n", "utf-8")
    told = bare.run(*GATE)
    bare.run("git", "checkout", "-q", ".")
    assert "in step" in told


BROKEN = {
    "a value of params": (edit("params.yaml", "cases_per_group: 1", "cases_per_group: 2"), "evaluate@L-disc-0"),
    "code of a stage": (edit("stages/evaluate.py", '"""', '"""Edited. '), "evaluate@L-plate-0"),
    "a metric, by hand": (edit("metrics/summary.json", "0.", "0.9"), "summary"),
    "dvc.lock, by hand": (break_lock, "calibrate@L-disc-0"),
    "an image": (lambda clone: (clone.root / "data/raw/disc/good/000.png").unlink(), "prepare@disc"),
    "a category without a run": (edit("params.yaml", "- plate", "- plate\n- washer"), "prepare@washer"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_was_changed_and_not_run_is_named(bare, what):
    change, stage = BROKEN[what]
    if what == "a category without a run":
        bare.change_params(lambda tree: tree["category"].update(washer={}))
        (bare.root / "data/raw/washer").mkdir(exist_ok=True)
    change(bare)
    done = bare.attempt(*GATE)
    bare.run("git", "checkout", "-q", ".")
    assert done.returncode == 1
    assert stage in done.stderr
    assert done.stderr.startswith("dvc.lock is behind: ")


def test_a_file_of_dvc_that_cannot_be_read_does_not_pass_either(bare):
    edit("dvc.yaml", "stages:", "stages: [")(bare)
    done = bare.attempt(*GATE)
    bare.run("git", "checkout", "-q", ".")
    assert done.returncode == 1
    assert "dvc.yaml" in done.stderr
