"""Images as tensors."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def convert_to_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Turn uint8 RGB (B, H, W, 3) into float RGB (B, 3, H, W) in [0, 1], channels last in memory."""
    return torch.from_numpy(np.array(images)).permute(0, 3, 1, 2).float() / 255
