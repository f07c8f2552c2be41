"""Colour augmentation: the training images' jitter and the pretraining images' grey.

Images are float RGB (B, 3, H, W) in [0, 1]. Factors and choices come in from outside, drawn from a
generator that depends on seed and step alone: an interrupted training goes on with the same ones.
"""

import torch
from torch import Tensor

_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
JITTERS = ("brightness", "contrast", "saturation")


def convert_to_grey(image: Tensor) -> Tensor:
    """Return the luma of an image in three equal channels."""
    weights = torch.tensor(_LUMA, dtype=image.dtype, device=image.device).view(1, 3, 1, 1)
    return (image * weights).sum(dim=1, keepdim=True).expand_as(image)


def jitter_colour(image: Tensor, kind: str, factor: float) -> Tensor:
    """Scale brightness, contrast or saturation by `factor` (1 = unchanged), clamped to [0, 1].

    Brightness is scaled about black, contrast about the image's mean luma, saturation about each pixel's
    luma. Raises KeyError for another kind.
    """
    anchor = {
        "brightness": lambda: torch.zeros_like(image),
        "contrast": lambda: convert_to_grey(image).mean(dim=(1, 2, 3), keepdim=True),
        "saturation": lambda: convert_to_grey(image),
    }[kind]()
    return (anchor + factor * (image - anchor)).clamp(0, 1)
