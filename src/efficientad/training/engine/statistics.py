"""Mean and standard deviation of feature channels over many images, in one stable pass."""

from dataclasses import dataclass

import torch
from torch import Tensor

from efficientad.errors import ModelError


@dataclass
class ChannelStatistics:
    """Running moments of channels: batches are merged pairwise (Chan, Golub and LeVeque 1983).

    All sums are float64 about the current mean; the difference of two large sums, E[x²] - E[x]², never
    arises, so that channels with a mean far from zero keep their digits.
    """

    count: int = 0
    mean: Tensor | None = None  # (C,)
    squares: Tensor | None = None  # (C,), sum of squared deviations from the mean

    def update(self, features: Tensor) -> None:
        """Take in features (B, C, h, w)."""
        values = features.detach().to("cpu", torch.float64).transpose(0, 1).flatten(1)  # (C, B * h * w)
        count = values.shape[1]
        mean = values.mean(dim=1)
        squares = (values - mean[:, None]).square().sum(dim=1)
        if self.mean is None or self.squares is None:
            self.count, self.mean, self.squares = count, mean, squares
            return
        total = self.count + count
        shift = mean - self.mean
        self.mean = self.mean + shift * (count / total)
        self.squares = self.squares + squares + shift.square() * (self.count * count / total)
        self.count = total

    def finish(self) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation, float32 (1, C, 1, 1) each.

        Raises ModelError before any update, and when a channel is constant or not finite: dividing by its
        deviation would fill the maps with infinities.
        """
        if self.mean is None or self.squares is None:
            raise ModelError("expected features of at least one image, got none")
        std = (self.squares / self.count).sqrt()
        dead = int((~(std > 0) | ~std.isfinite()).sum())
        if dead:
            raise ModelError(
                f"expected {len(std)} varying channels, got {dead} constant or not finite; "
                "distil the teacher for longer or at a lower learning rate"
            )
        return self.mean.float().view(1, -1, 1, 1), std.float().view(1, -1, 1, 1)
