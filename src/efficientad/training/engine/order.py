"""Which samples each training step sees."""

import numpy as np


def order_samples(seed: int, step: int, batch_size: int, count: int) -> list[int]:
    """Return the samples of one step: seeded permutations of `count` samples, one after the other."""
    first = step * batch_size
    epochs = sorted({position // count for position in range(first, first + batch_size)})
    order = {epoch: np.random.default_rng([seed, epoch]).permutation(count) for epoch in epochs}
    return [int(order[p // count][p % count]) for p in range(first, first + batch_size)]
