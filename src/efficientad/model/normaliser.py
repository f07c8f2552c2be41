"""What ImageNet's photographs have in common, by which networks that know them have their pixels."""

import torch
from torch import Tensor, nn

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # RGB in [0, 1]
IMAGENET_STD = (0.229, 0.224, 0.225)


class ImageNormaliser(nn.Module):
    """RGB in [0, 1] -> zero mean and unit variance over ImageNet, per channel."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """Normalise an image (B, 3, H, W)."""
        normalised: Tensor = (image - self.mean) / self.std
        return normalised
