"""How much each memory bank counts: chosen for a product from its good images alone."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from efficientad.model.detector import Detector
from efficientad.model.sizes import BankScale

_LEAST_COARSE = 0.25
_KNOWN = 0.33  # unexplained share up to which the coarse bank gets the least
_UNKNOWN = 0.66  # from which on it gets everything
_MOST_COARSE = 0.98  # above it the others are not worth their time


def fit_weights(detector: Detector, maps: Sequence[Sequence[NDArray[np.float32]]]) -> dict[str, float]:
    """Set each memory bank's share, and drop those that get none.

    Returns `unexplained` and the shares by scale; nothing of a detector without banks.

    maps: those of `compute_training_maps`.
    """
    banks = detector.backbone_banks
    if banks is None:
        return {}
    unexplained = measure_unexplained(detector, maps)
    scales = list(banks.scales)
    weights = choose_weights(scales, unexplained)
    detector.set_weights(weights)
    shares = zip(scales, weights, strict=True)
    return {"unexplained": round(unexplained, 4)} | {scale: round(share, 4) for scale, share in shares}


def measure_unexplained(detector: Detector, maps: Sequence[Sequence[NDArray[np.float32]]]) -> float:
    """Return how much of the variance of good patches the fine bank does not explain, in [0, 1]; 0 without one.

    maps: those of `compute_training_maps`: the squared distance of each patch of some training images to the nearest of
    other images. It is small where good parts are alike in detail, large where each has a texture of its own.
    """
    names = [branch.name for branch in detector.list_branches()]
    banks = detector.backbone_banks
    if banks is None or "fine" not in banks.scales:
        return 0.0
    place = banks.scales.index("fine")
    distances = np.concatenate([one.ravel() for one in maps[names.index("memory_bank_fine")]])
    variance = float(banks.list_banks()[place].variance)
    return min(1.0, float(distances.mean()) / variance)


def choose_weights(scales: Sequence[BankScale], unexplained: float) -> list[float]:
    """Return the share of each bank; they add up to 1.

    The less the fine bank explains, the more counts the coarse one: features that see more of the image, in which the
    textures of good parts are alike. What it leaves is shared by detail and fine.

    >>> [round(one, 2) for one in choose_weights(["detail", "fine", "coarse"], 0.1)]
    [0.38, 0.38, 0.25]
    >>> choose_weights(["detail", "fine", "coarse"], 0.8), choose_weights(["fine"], 0.8)
    ([0.0, 0.0, 1.0], [1.0])
    """
    slope = (1 - _LEAST_COARSE) / (_UNKNOWN - _KNOWN)
    coarse = max(_LEAST_COARSE, _LEAST_COARSE + slope * (unexplained - _KNOWN))
    coarse = coarse if coarse < _MOST_COARSE else 1.0
    if "coarse" not in scales:
        coarse = 0.0
    elif len(scales) == 1:
        coarse = 1.0
    others = max(1, len(scales) - ("coarse" in scales))
    return [coarse if scale == "coarse" else (1 - coarse) / others for scale in scales]
