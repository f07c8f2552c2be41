"""Latencies: models take turns, and a row gets those of a model of its own kind alone."""

import shutil
import sys

import pytest
from import_closure import ROOT
from tiny_models import SIDE

sys.path.insert(0, str(ROOT / "benchmarks"))

import latency
from latency import describe_kind, find_latency, measure_latencies, time_in_turn

from efficientad.deploy.timing import WARM_UP
from efficientad.errors import ModelError

TIMED = {"size": "L", "image_size": [512, 512], "megabytes": 20.0, "fp32": {"p50_ms": 30.5}, "int8": {"p50_ms": 17.0}}


def test_models_take_turns():
    turns = []
    works = {(0, "fp32"): lambda: turns.append("a"), (1, "fp32"): lambda: turns.append("b")}
    times = time_in_turn(works, rounds=3, repeats=2)
    assert "".join(turns) == ("a" * (WARM_UP + 2) + "b" * (WARM_UP + 2)) * 3
    assert {place: len(values) for place, values in times.items()} == {(0, "fp32"): 6, (1, "fp32"): 6}


@pytest.mark.parametrize(
    ("change", "is_alike"),
    [
        ({}, True),
        ({"megabytes": 20.1}, True),  # the same networks, weights packed a little differently
        ({"megabytes": 19.9}, True),
        ({"megabytes": 21.0}, False),  # a larger memory bank
        ({"image_size": [256, 256]}, False),
        ({"image_size": [512, 256]}, False),
        ({"size": "S"}, False),
    ],
)
def test_a_detector_of_another_kind_takes_another_time(change, is_alike):
    kind = {name: TIMED[name] for name in ("size", "image_size", "megabytes")} | change
    expected = {"latency_ms": {"fp32": 30.5, "int8": 17.0}} if is_alike else {}
    assert find_latency({"models": [TIMED]}, kind) == expected
    assert find_latency({"models": []}, kind) == {}


def test_folders_of_models_are_timed(models, tmp_path, monkeypatch):
    monkeypatch.setattr(latency, "ROUNDS", 2)
    monkeypatch.setattr(latency, "REPEATS", 3)
    shutil.copytree(models / "openvino/fp32", tmp_path / "openvino/fp32")
    shutil.copytree(models / "openvino/fp16", tmp_path / "openvino/int8")  # as good as any for the clock
    found = measure_latencies([models, tmp_path], threads=1)
    assert (found["machine"]["threads"], found["images"]) == (1, 6)
    without, both = found["models"]
    assert without["image_size"] == both["image_size"] == [SIDE, SIDE]
    assert ("int8" in without, "int8" in both) == (False, True)
    for times in (without["fp32"], both["fp32"], both["int8"]):
        assert 0 < times["p50_ms"] <= times["p95_ms"] <= times["p99_ms"]
    assert find_latency(found, describe_kind(models)) == {"latency_ms": {"fp32": without["fp32"]["p50_ms"]}}


def test_a_folder_without_models_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="expected"):
        measure_latencies([tmp_path], threads=1)
