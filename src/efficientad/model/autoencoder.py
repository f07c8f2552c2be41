"""The autoencoder that learns the logical constraints of a whole image (arXiv 2303.14535, table 8)."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from efficientad.model.pdn import TEACHER_CHANNELS, initialise_he
from efficientad.model.resizing import view_whole

_DECODER_SIZES = (3, 8, 15, 32, 63, 127)
_DROPOUT = 0.2


class Autoencoder(nn.Module):
    """Normalised image (B, 3, H, W) -> teacher-like features (B, 384, h, w) through 64 numbers.

    Whatever H x W is, the encoder sees the image at 256 x 256 (`view_whole`): the bottleneck stays 1 x 1, so that the
    network cannot copy and must know what the whole product looks like.
    """

    def __init__(self) -> None:
        super().__init__()
        channels = [3, 32, 32, 64, 64, 64]
        layers: list[nn.Module] = []
        for n_in, n_out in pairwise(channels):  # 256 -> 128 -> 64 -> 32 -> 16 -> 8
            layers += [nn.Conv2d(n_in, n_out, 4, stride=2, padding=1), nn.ReLU(inplace=True)]
        self.encoder = nn.Sequential(*layers, nn.Conv2d(64, 64, 8))  # 8 -> 1
        self.decoder = nn.ModuleList(nn.Conv2d(64, 64, 4, padding=2) for _ in _DECODER_SIZES)
        self.head = nn.Sequential(
            nn.Conv2d(64, 64, 3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(64, TEACHER_CHANNELS, 3, padding=1),
        )
        initialise_he(self)

    def forward(
        self, image: Tensor, map_size: tuple[int, int], generators: Sequence[np.random.Generator] | None = None
    ) -> Tensor:
        """Reconstruct the teacher's features (B, 384, *map_size) of a normalised image (B, 3, H, W).

        With `generators`, one an image, dropout is drawn from them, as in training; without, there is none.
        """
        hidden = self.encoder(view_whole(image))  # (B, 64, 1, 1)
        for side, conv in zip(_DECODER_SIZES, self.decoder, strict=True):
            hidden = F.interpolate(hidden, (side, side), mode="bilinear", align_corners=False)
            hidden = F.relu(conv(hidden), inplace=True)  # side + 1
            if generators is not None:
                hidden = drop_at_random(hidden, generators)
        hidden = F.interpolate(hidden, map_size, mode="bilinear", align_corners=False)
        features: Tensor = self.head(hidden)
        return features


def drop_at_random(hidden: Tensor, generators: Sequence[np.random.Generator]) -> Tensor:
    """Zero each value of (B, C, h, w) with probability 0.2 and scale up the others: dropout, an image a generator.

    Random bits are compared as 16-bit numbers, which takes a quarter of the time of torch's dropout on a processor;
    the probability is 13107 / 65536.
    """
    bits = np.stack([np.frombuffer(one.bytes(2 * hidden[0].numel()), np.uint16) for one in generators])
    kept = torch.from_numpy(bits >= round(_DROPOUT * 2**16))
    _, channels, height, width = hidden.shape
    mask = kept.view(-1, height, width, channels).permute(0, 3, 1, 2).to(hidden.device)  # channels last, as hidden
    return hidden * (mask.to(hidden.dtype) / (1 - _DROPOUT))
