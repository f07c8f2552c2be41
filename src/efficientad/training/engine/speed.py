"""How fast this processor computes a training's convolutions in float32 and in bfloat16."""

import hashlib
import platform
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F

CHANNELS, SIDE, KERNEL = 256, 61, 3  # the third convolution of size S at 256 px, (256, 61, 61) -> (256, 59, 59)
ROUNDS = 5
_CPU_INFO = Path("/proc/cpuinfo")
_NAMES = ("vendor_id", "cpu family", "model", "model name", "CPU implementer", "CPU variant", "CPU part")
_FLAGS = ("flags", "Features")  # on x86, on ARM


def describe_processor(info: Path = _CPU_INFO) -> dict[str, str | int]:
    """Return what a speed belongs to: processor, its instructions as a hash, torch's version, number of threads.

    `info` is Linux's list of processors; without one Python and torch say what they know.
    """
    text = info.read_text(encoding="utf-8", errors="replace") if info.is_file() else ""
    lines = [line.split(":", 1) for line in text.split("\n\n")[0].splitlines() if ":" in line]
    fields = {name.strip(): value.strip() for name, value in lines}
    names = [fields[name] for name in _NAMES if name in fields]
    flags = [fields[name] for name in _FLAGS if name in fields] or [torch.backends.cpu.get_cpu_capability()]
    return {
        "processor": " ".join(names) or platform.processor() or platform.machine(),
        "instructions": hashlib.sha256(" ".join(flags).encode()).hexdigest(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def measure_speeds(clock: Callable[[], float]) -> dict[str, float]:
    """Return the multiplications a second, in 1e9, of a convolution and its gradients in "fp32" and "bf16"."""
    work = {"fp32": partial(_convolve, False), "bf16": partial(_convolve, True)}
    multiplications = 3 * (CHANNELS * KERNEL * (SIDE - KERNEL + 1)) ** 2  # forward, by the image, by the weights
    seconds = time_in_turn(work, clock)
    return {name: multiplications / 1e9 / seconds[name] for name in work}


def time_in_turn(work: Mapping[str, Callable[[], object]], clock: Callable[[], float]) -> dict[str, float]:
    """Return the least seconds of `ROUNDS` runs of each work, after one that does not count.

    The works take turns, so that another program's load falls on all of them; of each the least disturbed run counts.
    """
    rounds = [_time_round(work, clock) for _ in range(1 + ROUNDS)][1:]
    return {name: min(seconds[name] for seconds in rounds) for name in work}


def _time_round(work: Mapping[str, Callable[[], object]], clock: Callable[[], float]) -> dict[str, float]:
    seconds = {}
    for name, run in work.items():
        started = clock()
        run()
        seconds[name] = clock() - started
    return seconds


def _convolve(bfloat16: bool) -> None:
    """Run the convolution with its gradients, as autocast does in a training."""
    image = torch.ones(1, CHANNELS, SIDE, SIDE).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.ones(CHANNELS, CHANNELS, KERNEL, KERNEL).to(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        result = F.conv2d(image, weight)
    result.backward(torch.ones_like(result))  # type: ignore[no-untyped-call]
