"""Which arithmetic a training uses on this machine (docs/decisions/0027)."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import torch

from efficientad.errors import ModelError
from efficientad.pipeline.cache import recall, remember
from efficientad.training.engine.speed import describe_processor, measure_speeds
from efficientad.training.engine.workers import agree

Arithmetic = Literal["fp32", "bf16"]
MARGIN = 1.2  # how many times as fast bfloat16's convolutions must be: not all of a step is convolutions


def settle_precision(name: str, cache: Path, clock: Callable[[], float] = time.perf_counter) -> Arithmetic:
    """Turn a params value, "auto", "fp32" or "bf16", into what this training uses; the same in all its processes.

    "auto" on a processor is bfloat16 autocast where a measurement of half a second found its convolutions at least
    `MARGIN` times as fast as float32's. The answer is kept in the folder `cache`, so that a machine stays with its
    choice and repeats its results. On a GPU it is bfloat16 where the GPU has it.
    """
    if name != "auto":
        return _check(name)
    return _check(agree(lambda: _choose_on_gpu() if torch.cuda.is_available() else _choose_on_processor(cache, clock)))


def uses_bfloat16(precision: str) -> bool:
    """Whether a settled precision is bfloat16; ModelError for "auto", which is not settled yet."""
    return _check(precision) == "bf16"


def _check(name: str) -> Arithmetic:
    if name == "bf16":
        return "bf16"
    if name == "fp32":
        return "fp32"
    raise ModelError(f"expected a precision of fp32 or bf16, got {name!r}; `settle_precision` makes one of auto")


def _choose_on_gpu() -> Arithmetic:
    return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"


def _choose_on_processor(cache: Path, clock: Callable[[], float]) -> Arithmetic:
    processor = describe_processor()
    digest = hashlib.sha256(json.dumps(processor, sort_keys=True).encode()).hexdigest()
    file = cache / f"precision-{digest[:16]}.json"
    kept = recall(file)
    if kept is not None and kept.get("processor") == processor and kept.get("precision") in ("fp32", "bf16"):
        return _check(kept["precision"])
    speeds = measure_speeds(clock)
    chosen: Arithmetic = "bf16" if speeds["bf16"] >= MARGIN * speeds["fp32"] else "fp32"
    is_kept = remember(file, {"processor": processor, "precision": chosen, "gmac_per_s": speeds})
    measured = f"measured {speeds['fp32']:.0f} GMAC/s in float32 and {speeds['bf16']:.0f} in bfloat16"
    print(f"precision auto: {chosen}; {measured}{f', kept in {file}' if is_kept else ''}", flush=True)
    return chosen
