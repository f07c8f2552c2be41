"""What `dvc repro` runs, what it does not, and what is left when it is stopped."""

import os
import signal
import subprocess
import sys
import time

import pytest
from clone import Clone, list_run

pytestmark = [pytest.mark.property, pytest.mark.long]

EVALUATE = "evaluate@L-disc-0"
CHAIN = ("train", "fit", "calibrate", "evaluate", "export")


def test_a_fresh_folder_runs_the_whole_pipeline_without_a_network(finished):
    if not finished.was_offline:
        pytest.skip("this system starts no program without a network: see `unshare --net`")
    assert list(finished.read("metrics/summary.json")["items"]) == ["L/disc/0", "L/plate/0"]
    assert (finished.root / "models/L/plate/0/openvino/int8/1/model.xml").is_file()


def test_an_override_of_one_category_runs_exactly_its_stages(clone):
    clone.change_params(lambda tree: tree["category"].update(disc={"evaluate": {"cases_per_group": 2}}))
    assert list_run(clone.dvc("repro")) == ["prepare@disc", *(f"{stage}@L-disc-0" for stage in (*CHAIN, "report"))]
    # Its metrics are what they were, so that the summary of all had no reason to run.
    assert clone.dvc("metrics", "diff", "HEAD") == ""


def test_another_checkout_gives_the_same_hashes(finished, tmp_path):
    """From the commit and the images alone, in a folder of another name; one product, up to its metrics and models."""
    clone = Clone(finished, tmp_path / "another name", with_cache=False)
    before = (clone.root / "dvc.lock").read_bytes()
    ran = list_run(clone.dvc("repro", "export@L-disc-0", EVALUATE))
    assert {*ran} == {"names", "prepare@disc", "pretraining", "distill@L", *(f"{stage}@L-disc-0" for stage in CHAIN)}
    assert (clone.root / "dvc.lock").read_bytes() == before


def test_a_value_that_goes_there_and_back_is_taken_from_the_run_cache(clone):
    """But for the stage evaluate, whose metrics lie in git: it runs again, for seconds."""
    before = (clone.root / "dvc.lock").read_bytes()
    fit, calibrate = (f"{stage}@L-disc-0" for stage in ("fit", "calibrate"))
    for quantile, ran in ((0.8, [fit, calibrate]), (0.9, [])):
        clone.change_params(lambda tree, quantile=quantile: tree["fit"].update(low_quantile=quantile))
        done = clone.dvc("repro", calibrate)
        assert list_run(done) == ran
    assert all(f"Stage '{stage}' is cached" in done for stage in (fit, calibrate))
    assert (clone.root / "dvc.lock").read_bytes() == before


def test_metrics_diff_shows_what_changed_and_nothing_else(clone):
    clone.change_params(lambda tree: tree["evaluate"].update(fpr_limit=0.1))
    clone.dvc("repro", "summary")
    _, *rows = clone.dvc("metrics", "diff", "HEAD").splitlines()
    assert {row.split()[1].split(".")[-1] for row in rows} == {"au_pro"}
    assert len(rows) == 3  # two items and their mean


def test_a_repro_that_is_killed_ends_after_the_next_one_in_the_same_bytes(clone):
    """SIGKILL to DVC and the stage that it runs, so that neither can put anything in order."""
    before = (clone.root / "dvc.lock").read_bytes()
    # Without the cache's help: what it has of this stage would be taken.
    command = ["dvc", "repro", "--force", "--no-run-cache", "--single-item", "fit@L-disc-0"]
    running = subprocess.Popen(command, cwd=clone.root, env=clone.environment, stdout=subprocess.PIPE, text=True,
                               start_new_session=True)  # fmt: skip
    for line in running.stdout:
        if line.startswith("> python stages/fit.py"):
            break
    time.sleep(0.5)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert not (clone.root / "models/L/disc/0/fitted.safetensors").exists()
    assert list_run(clone.run(*command)) == ["fit@L-disc-0"]
    assert (clone.root / "dvc.lock").read_bytes() == before


def test_wrong_params_stop_the_first_stage_before_it_does_any_work(clone):
    """Though only a later stage reads the value."""
    clone.change_params(lambda tree: tree["export"].update(int8_images=-1))
    clone.change_params(lambda tree: tree["category"].update(disc={"data": {"raw_samples": 5}}))
    done = clone.try_dvc("repro")
    assert done.returncode != 0
    assert list_run(done.stdout) == ["prepare@disc"]
    assert "ParamsError: export.int8_images: expected 1 <= value" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(clone.root.glob(".scratch/timings.jsonl"))  # no stage came to its end


def test_a_dropped_category_leaves_no_trace(clone):
    """Neither in the summary's mean, nor on the disk, nor in dvc.lock; and what is left needs no run."""
    clone.change_params(lambda tree: tree.update(categories=["plate"], category={"plate": {}}))
    clone.run(sys.executable, "stages/prune.py", "--delete")
    assert list_run(clone.dvc("repro")) == ["names", "summary"]
    assert list(clone.read("metrics/summary.json")["items"]) == ["L/plate/0"]
    assert "disc" not in (clone.root / "dvc.lock").read_text("utf-8")
    paths = [path.relative_to(clone.root) for path in clone.root.rglob("disc*")]
    assert {path.parts[0] for path in paths if path.parts[:2] != ("data", "raw")} <= {".git", ".dvc"}
    assert "up to date" in clone.dvc("repro")
    assert "in step" in clone.run(sys.executable, "stages/gate.py")
