import itertools
import time

import numpy as np
import pytest
from tiny_models import HEADER, SIDE

from efficientad.deploy.engines.engine import EngineOptions, Outputs
from efficientad.deploy.timing import (
    FEWEST,
    WARM_UP,
    WARM_UP_QUEUE,
    benchmark_model,
    measure_throughput,
    summarise,
    time_repeatedly,
)

IMAGE = np.zeros((1, SIDE, SIDE, 3), np.uint8)


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still unless it is moved on."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


class FakeEngine:
    """Takes a second for an image, the first two take ten: they compile."""

    header = HEADER

    def __init__(self, clock):
        self.clock, self.runs = clock, itertools.count()

    def run(self, images):
        self.clock[0] += 10.0 if next(self.runs) < 2 else 1.0
        return Outputs(np.zeros((1, SIDE, SIDE), np.float32), np.zeros(1, np.float32))


@pytest.mark.parametrize(("repeats", "seconds", "expected"), [(5, 0.0, 5), (5, 2.0, 5), (1, 7.5, 8)])
def test_times_are_of_one_run_each_without_the_warm_up(clock, repeats, seconds, expected):
    engine = FakeEngine(clock)
    assert time_repeatedly(lambda: engine.run(IMAGE), repeats, seconds) == [1000.0] * expected
    assert next(engine.runs) == expected + WARM_UP


@pytest.mark.parametrize(("images", "seconds", "expected"), [(5, 0.0, 5), (5, 2.0, 5), (1, 7.5, 8)])
def test_throughput_is_images_over_seconds_without_the_warm_up(clock, images, seconds, expected):
    engine = FakeEngine(clock)
    assert measure_throughput(engine, IMAGE, images, seconds) == (expected, 1.0)
    assert next(engine.runs) == expected + WARM_UP_QUEUE


def test_percentiles_are_numpys():
    times = list(np.random.default_rng(0).exponential(10, 500))
    for percent in (50, 95, 99):
        assert summarise(times)[f"p{percent}_ms"] == pytest.approx(np.percentile(times, percent), abs=0.005)


@pytest.mark.parametrize(
    ("file", "runtime"),
    [("", "openvino"), ("detector.onnx", "onnxruntime"), ("detector.safetensors", "torch")],
)
def test_every_runtime_is_timed(models, file, runtime):
    timings = benchmark_model(models / file, seconds=0.2)
    assert timings["runtime"] == runtime
    assert 0 < timings["p50_ms"] <= timings["p95_ms"] <= timings["p99_ms"]
    assert timings["images_per_s"] > 0
    assert timings["images"] >= FEWEST


def test_threads_and_streams_reach_the_engine(models):
    timings = benchmark_model(models, EngineOptions(threads=1, streams=1), seconds=0.0)
    assert (timings["threads"], timings["streams"], timings["images"]) == (1, 1, FEWEST)
