"""Hard-example sampling: images with a high loss are drawn more often (docs/decisions/0013)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_POWER = 1.5  # of an image's loss: twice the loss is drawn 2.8 times as often


@dataclass(frozen=True)
class HardSampling:
    """Draws a `fraction` of the samples by `weights` (N,) in place of taking them in their turn.

    Rare structures of good parts stand in few images, whose loss stays high: they are drawn more often.
    """

    weights: NDArray[np.float64]
    fraction: float

    def replace(self, ordered: list[int], seed: int, step: int) -> list[int]:
        """Return a step's samples, some of them replaced."""
        rng = np.random.default_rng([seed, step, 3])
        is_replaced = rng.random(len(ordered)) < self.fraction
        drawn = rng.choice(len(self.weights), size=len(ordered), p=self.weights / self.weights.sum())
        return [int(sample) for sample in np.where(is_replaced, drawn, ordered)]


def weigh_losses(losses: NDArray[np.float64], fraction: float) -> HardSampling | None:
    """Return hard-example sampling by each sample's last loss (N,); None with fraction 0.

    None, too, while a loss is infinite, as that of a sample is that was not seen yet.
    """
    return HardSampling(losses**_POWER, fraction) if fraction > 0 and np.isfinite(losses).all() else None
