"""Shared by all benchmarks: the machine's name and the measured peak of its multiplications."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from efficientad.deploy.timing import time_repeatedly


def describe_machine() -> dict[str, Any]:
    """Return processor, threads and the versions that affect a timing."""
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
    """Return the multiplications per second, in 1e9, of a large convolution: 3 x 3, 512 to 512 channels."""
    channels, side = 512, 64
    image = torch.randn(4, channels, side, side, dtype=dtype).to(memory_format=torch.channels_last)
    weight = torch.randn(channels, channels, 3, 3, dtype=dtype)
    with torch.inference_mode():
        times = time_repeatedly(lambda: torch.nn.functional.conv2d(image, weight, padding=1), 9)
    return float(4 * side**2 * channels**2 * 9 / (min(times) * 1e-3) / 1e9)
