"""Times the exported models of several detectors, in turn in one run: docs/latency.json.

    python benchmarks/latency.py models/S/washer/0 models/L/washer/0 [--threads 2]

times the OpenVINO models in FP32 and INT8 of each folder: one image at a time, from pixels of the model's size to the
score. The models take turns, so that another program on the machine slows all of them. Stop other programs anyway.
collect_results.py gives a row the figures of the model that is of its kind: see `find_latency`.
"""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from timing import describe_machine

from efficientad.deploy.engines.engine import Engine, EngineOptions
from efficientad.deploy.engines.load import load_engine
from efficientad.deploy.export.comparison import measure_size
from efficientad.deploy.format.files import locate_ir
from efficientad.deploy.timing import summarise, time_repeatedly
from efficientad.pipeline.stage import write_json

Place = tuple[int, str]  # of a model: index of its folder, precision
LATENCIES = Path("docs/latency.json")
PRECISIONS = ("fp32", "int8")
ROUNDS, REPEATS = 10, 10
KINDS_DIFFER = 0.01  # share by which the files of one kind of model may differ in size


def measure_latencies(folders: Sequence[Path], threads: int) -> dict[str, Any]:
    """Return {"machine": ..., "images": N, "models": [kind and {precision: percentiles} of each folder]}.

    `folders` are models/SIZE/CATEGORY/SEED. `images` were timed of each model. A precision that was not exported is
    left out; FP32 must be there. "threads" are those that OpenVINO reports.

    Raises ModelError as `load_engine`.
    """
    models = [describe_kind(folder) for folder in folders]
    files = {(index, precision): locate_ir(folder, precision)
             for index, folder in enumerate(folders) for precision in PRECISIONS}  # fmt: skip
    options = EngineOptions(threads=threads)
    engines = {place: load_engine(path, options) for place, path in files.items() if path.is_file()}
    times = time_in_turn({place: build_work(engine) for place, engine in engines.items()}, ROUNDS, REPEATS)
    for (index, precision), milliseconds in times.items():
        models[index][precision] = summarise(milliseconds)
    machine = describe_machine() | {"threads": engines[0, "fp32"].describe().threads}
    return {"machine": machine, "images": ROUNDS * REPEATS, "models": models}


def describe_kind(folder: Path) -> dict[str, Any]:
    """Return what the time of a detector depends on: size, pixels of its image, megabytes of its FP32 file."""
    path = locate_ir(folder, "fp32")
    header = load_engine(path).header
    return {"size": header.size, "image_size": list(header.image_size), "megabytes": measure_size(path)}


def build_work(engine: Engine) -> Callable[[], object]:
    """Return a function that judges one image of noise."""
    image = np.random.default_rng(0).integers(0, 256, (1, *engine.header.image_size, 3), dtype=np.uint8)
    return lambda: engine.run(image)


def time_in_turn(works: Mapping[Place, Callable[[], object]], rounds: int, repeats: int) -> dict[Place, list[float]]:
    """Return the milliseconds of `rounds` times `repeats` runs of each work; a round runs all works."""
    times: dict[Place, list[float]] = {place: [] for place in works}
    for _ in range(rounds):
        for place, work in works.items():
            times[place] += time_repeatedly(work, repeats)
    return times


def find_latency(latencies: Mapping[str, Any], kind: Mapping[str, Any]) -> dict[str, Any]:
    """Return {"latency_ms": {precision: median}} of the timed model of this kind, {} where none was timed.

    Equal in kind are detectors of one size and image size whose files differ by less than `KINDS_DIFFER`: then their
    networks and memory banks are equally large. `latencies` is what `measure_latencies` returns.

    >>> timed = {"size": "L", "image_size": [512, 512], "megabytes": 14.0, "fp32": {"p50_ms": 30.5}}
    >>> find_latency({"models": [timed]}, {"size": "L", "image_size": [512, 512], "megabytes": 14.01})
    {'latency_ms': {'fp32': 30.5}}
    """
    for timed in latencies["models"]:
        alike = all(timed[name] == kind[name] for name in ("size", "image_size"))
        if alike and abs(timed["megabytes"] / kind["megabytes"] - 1) < KINDS_DIFFER:
            return {"latency_ms": {name: timed[name]["p50_ms"] for name in PRECISIONS if name in timed}}
    return {}


def main() -> None:
    """Time the folders, keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    write_json(LATENCIES, measure_latencies(options.folders, options.threads))


if __name__ == "__main__":
    main()
