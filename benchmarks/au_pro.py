"""AU-PRO over all thresholds against a loop over two hundred of them."""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from efficientad.evaluation.pixel_level import compute_au_pro

MAPS, SIDE, THRESHOLDS, LIMIT = 200, 256, 200, 0.3


def measure_au_pro() -> dict[str, Any]:
    """Return the section `au_pro`: seconds of the exact metric and of the loop, which is not exact."""
    rng = np.random.default_rng(0)
    masks = np.zeros((MAPS, SIDE, SIDE), dtype=np.bool_)
    for mask in masks[: MAPS * 3 // 4]:
        top, left = rng.integers(SIDE - 60, size=2)
        mask[top : top + 40, left : left + 60] = True
    maps = (rng.normal(size=masks.shape) + 1.5 * masks).astype(np.float32)
    started = time.perf_counter()
    exact = compute_au_pro(maps, masks, LIMIT)
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    rough = loop_over_thresholds(maps, masks)
    loop_seconds = time.perf_counter() - started
    return {
        "maps": MAPS,
        "seconds": round(seconds, 3),
        "loop_thresholds": THRESHOLDS,
        "loop_seconds": round(loop_seconds, 1),
        "loop_ratio": round(loop_seconds / seconds, 1),
        "difference": round(abs(exact - rough), 5),
    }


def loop_over_thresholds(maps: NDArray[np.float32], masks: NDArray[np.bool_]) -> float:
    """Return AU-PRO as widespread evaluation code computes it: at each threshold all pixels are marked again."""
    rates, overlaps = [0.0], [0.0]
    for threshold in np.linspace(maps.max(), maps.min(), THRESHOLDS):
        marked = maps >= threshold
        labels = [ndimage.label(mask, np.ones((3, 3)))[0] for mask in masks]
        rates.append(float((marked & ~masks).sum() / (~masks).sum()))
        shares = [
            float(mark[label == region].mean())
            for mark, label in zip(marked, labels, strict=True)
            for region in range(1, int(label.max()) + 1)
        ]
        overlaps.append(float(np.mean(shares)))
    grid = np.linspace(0, LIMIT, 10_000)
    return float(np.interp(grid, rates, overlaps).mean())
