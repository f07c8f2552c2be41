"""The score of an anomaly map by a slow loop: the largest mean over windows that lie as close as possible."""

import itertools

import numpy as np


def find_starts(side: int, part: int) -> range:
    """The first pixels of windows: 8, 4, 2 or 1 px apart, whichever is the most that ends at the border."""
    step = next(step for step in (8, 4, 2, 1) if (side - part) % step == 0)
    return range(0, side - part + 1, step)


def find_largest_mean(anomaly_map, window: tuple[int, int]) -> float:
    """Of a map (H, W), over windows of (h, w) px."""
    values = np.asarray(anomaly_map, np.float64)
    starts = [find_starts(side, part) for side, part in zip(values.shape, window, strict=True)]
    return max(
        values[row : row + window[0], column : column + window[1]].mean() for row, column in itertools.product(*starts)
    )
