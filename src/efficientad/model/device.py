"""Where torch computes, and with how many digits."""

import torch


def choose_device() -> torch.device:
    """Return the GPU where there is one, else the processor; float32 is whole from then on, see `keep_float32`."""
    keep_float32()
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def keep_float32() -> None:
    """Have a GPU compute convolutions and products of float32 with all of its 24 bits.

    torch's default for convolutions is TF32, with 11 bits: scores of a training on a GPU and its threshold would not
    be those of the same model on a station. bfloat16, where a training asks for it, stays bfloat16.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
