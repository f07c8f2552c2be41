import os

from efficientad.pipeline.jobs import list_waves, run_side_by_side

ITEMS = ("S-a-0", "S-b-0", "L-a-0", "L-b-0")
NAMES = ["prepare@a", "prepare@b", "pretraining", "distill@S", "distill@L",
         *(f"train@{item}" for item in ITEMS), *(f"fit@{item}" for item in ITEMS), "summary"]  # fmt: skip


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
    lines = {own: wait.format(folder=tmp_path, own=own, other=other) for own, other in (("a", "b"), ("b", "a"))}
    assert run_side_by_side(lines, 2, os.environ) == []


def test_one_at_a_time_keeps_their_order_and_passes_on_what_they_print(capfd):
    lines = {name: f"echo begins; sleep 0.05; echo ends {name}" for name in ("a", "b")}
    assert run_side_by_side(lines, 1, os.environ) == []
    printed = capfd.readouterr().out.splitlines()
    assert printed == ["a | begins", "a | ends a", "b | begins", "b | ends b"]


def test_a_failure_is_named_and_stops_no_other_job(tmp_path):
    lines = {"a": "exit 3", "b": f"touch {tmp_path}/b"}
    assert run_side_by_side(lines, 1, os.environ) == ["a"]
    assert (tmp_path / "b").exists()
