"""How long a model takes for one image, and how many it judges in a second."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from efficientad.deploy.engines.engine import Engine, EngineOptions, run_all
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.format.files import locate_model
from efficientad.deploy.predictor import read_outputs

WARM_UP = 2  # runs that do not count
WARM_UP_QUEUE = 8  # images that do not count
FEWEST = 10  # images that are timed however long they take

_DEFAULTS = EngineOptions()


class Throughput(NamedTuple):
    """The speed at many images in a row."""

    images: int
    images_per_s: float


def time_repeatedly(work: Callable[[], object], repeats: int, seconds: float = 0.0) -> list[float]:
    """Return the milliseconds of each of `repeats` runs, or of more until `seconds` are over; two do not count."""
    for _ in range(WARM_UP):
        work()
    times: list[float] = []
    begun = time.perf_counter()
    while len(times) < repeats or time.perf_counter() - begun < seconds:
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return times


def summarise(times: list[float]) -> dict[str, float]:
    """Return median, 95th and 99th percentile of milliseconds.

    >>> summarise([1.0, 3.0, 2.0])
    {'p50_ms': 2.0, 'p95_ms': 2.9, 'p99_ms': 2.98}
    """
    return {f"p{percent}_ms": round(float(np.percentile(times, percent)), 2) for percent in (50, 95, 99)}


def measure_throughput(engine: Engine, image: NDArray[np.uint8], images: int, seconds: float = 0.0) -> Throughput:
    """Judge a batch (1, H, W, 3) `images` times, or more often until `seconds` are over, eight more not counted.

    Goes through the engine's queue where it has one, and then wants one that was loaded with the hint "THROUGHPUT".
    """
    for _ in run_all(engine, repeat(image, WARM_UP_QUEUE)):
        pass
    started = time.perf_counter()

    def feed() -> Iterator[NDArray[np.uint8]]:
        for index in count():
            if index >= images and time.perf_counter() - started >= seconds:
                return
            yield image

    judged = sum(1 for _ in run_all(engine, feed()))
    return Throughput(judged, round(judged / (time.perf_counter() - started), 1))


def benchmark_model(path: Path, options: EngineOptions = _DEFAULTS, seconds: float = 5.0) -> dict[str, Any]:
    """Time a model on an image of noise: half of `seconds` one image at a time, half of them as many as it can.

    The hint of `options` is set for each half. Their streams are about the latter: one image at a time has the threads
    to itself. Returns

        model                     its file
        runtime, device, precision, threads, streams    what is computed with, see `Setup`
        p50_ms, p95_ms, p99_ms    of one image from pixels of the model's size to the score
        images_per_s              through the runtime's queue, where it has one
        images                    how many the percentiles are of, at least ten

    Raises ModelError as `load_engine` and `read_outputs`.
    """
    file = locate_model(path)
    engine = load_engine(file, replace(options, hint="LATENCY", streams=None))
    image = np.random.default_rng(0).integers(0, 256, (1, *engine.header.image_size, 3), dtype=np.uint8)
    read_outputs(engine.run(image), engine.header)
    times = time_repeatedly(lambda: engine.run(image), FEWEST, seconds / 2)
    queue_engine = load_engine(file, replace(options, hint="THROUGHPUT"))
    throughput = measure_throughput(queue_engine, image, FEWEST, seconds / 2)
    return {
        "model": str(file),
        **queue_engine.describe()._asdict(),
        **summarise(times),
        "images_per_s": throughput.images_per_s,
        "images": len(times),
    }
