"""The whole image at the size that the autoencoder sees."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from efficientad.model.sizes import VIEW_PX


def view_whole(image: Tensor) -> Tensor:
    """Bring an image (B, C, H, W) to 256 x 256.

    Where no side is enlarged: the mean over each new pixel's area, as two products with constant matrices, which every
    runtime computes alike. Otherwise bilinear.
    """
    height, width = (int(side) for side in image.shape[-2:])  # plain numbers when traced, too
    if (height, width) == (VIEW_PX, VIEW_PX):
        return image
    if min(height, width) < VIEW_PX:
        return F.interpolate(image, (VIEW_PX, VIEW_PX), mode="bilinear", align_corners=False)
    narrow = (image @ _build_area_means(width).to(image)).transpose(-1, -2)
    return (narrow @ _build_area_means(height).to(image)).transpose(-1, -2)


def _build_area_means(side: int) -> Tensor:
    """Return the matrix (side, 256) of each pixel's share in the means."""
    step = side / VIEW_PX
    first = np.arange(VIEW_PX) * step
    pixel = np.arange(side)[:, None]
    overlap = np.minimum(pixel + 1, first + step) - np.maximum(pixel, first)
    return torch.from_numpy(np.clip(overlap, 0, None) / step).float()
