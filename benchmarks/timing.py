"""What every benchmark shares: the machine's name, repeated timings, and the measured peak of its multiplications."""

import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

WARM_UP = 2


def time_repeatedly(work: Callable[[], object], repeats: int) -> list[float]:
    """Return the milliseconds of each of `repeats` runs, after two that do not count."""
    for _ in range(WARM_UP):
        work()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return times


def describe_machine() -> dict[str, Any]:
    """Return processor, threads and the versions that a timing depends on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "threads": torch.get_num_threads(),
        "bfloat16": "AMX" if torch.cpu._is_amx_tile_supported()
        else "AVX-512" if torch.cpu._is_avx512_bf16_supported() else "none",
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        **{name: version(name) for name in ("torch", "openvino", "onnxruntime")},
    }  # fmt: skip


def measure_peak(dtype: torch.dtype) -> float:
    """Return the multiplications a second, in 1e9, of a large convolution: 3 x 3, 512 to 512 channels."""
    channels, side = 512, 64
    image = torch.randn(4, channels, side, side, dtype=dtype).to(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, dtype=dtype)
    with torch.inference_mode():
        times = time_repeatedly(lambda: torch.nn.functional.conv2d(image, weight, padding=1), 9)
    return float(4 * side**2 * channels**2 * 9 / (min(times) * 1e-3) / 1e9)


def summarise(times: list[float]) -> dict[str, float]:
    """Return median and 95th percentile of milliseconds."""
    return {"p50_ms": round(float(np.median(times)), 2), "p95_ms": round(float(np.percentile(times, 95)), 2)}
