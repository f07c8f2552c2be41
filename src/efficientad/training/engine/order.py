"""Which samples each training step sees: in their turn, or the hard ones again."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def order_samples(seed: int, step: int, batch_size: int, count: int) -> list[int]:
    """Return the samples of one step: seeded permutations of `count` samples, one after the other."""
    first = step * batch_size
    epochs = sorted({position // count for position in range(first, first + batch_size)})
    order = {epoch: np.random.default_rng([seed, epoch]).permutation(count) for epoch in epochs}
    return [int(order[p // count][p % count]) for p in range(first, first + batch_size)]


@dataclass(frozen=True)
class Replay:
    """Draws a `share` of the samples again in proportion to `weights` (N,) instead of in their turn."""

    weights: NDArray[np.float64]
    share: float

    def replace(self, ordered: list[int], seed: int, step: int) -> list[int]:
        """Return a step's samples, some of them replaced."""
        rng = np.random.default_rng([seed, step, 3])
        again = rng.random(len(ordered)) < self.share
        drawn = rng.choice(len(self.weights), size=len(ordered), p=self.weights / self.weights.sum())
        return [int(one) for one in np.where(again, drawn, ordered)]
