"""Which arithmetic a training uses on this machine."""

from typing import Literal

import torch


def uses_bfloat16(name: str) -> bool:
    """Whether a params value means bfloat16 on this machine."""
    return choose_precision(name) == "bf16-mixed"


def choose_precision(name: str) -> Literal["32-true", "bf16-mixed"]:
    """Turn a params value into Lightning's precision.

    "auto" is bfloat16 autocast where the processor multiplies it natively (AMX or AVX-512 BF16, or a GPU
    that has it) and float32 elsewhere: emulated bfloat16 is slower than float32.
    """
    if name == "auto":
        if torch.cuda.is_available():
            native = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
        return "bf16-mixed" if native else "32-true"
    return "bf16-mixed" if name == "bf16" else "32-true"
