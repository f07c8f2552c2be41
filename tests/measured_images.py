"""Measured images without files."""

import numpy as np

from efficientad.data.arrays.samples import GOOD, Sample, Split
from efficientad.data.checking.measuring import Exposure, ImageFacts, MaskFacts, Measured

THUMBNAIL = np.zeros((128, 128, 1), np.uint8)


def make(
    name: str,
    split: Split | None = None,
    size: tuple[int, int] = (100, 100),
    exposure: tuple[float, float, float] = (120, 30, 0.3),
    mask: MaskFacts | None = None,
    digest: str = "",
    **facts: object,
) -> Measured:
    """A readable image; its kind is the last folder of its name."""
    defect = name.split("/")[-2] if "/" in name else GOOD
    told = {"format": "png", "bits": 8, "is_grey": False, "thumbnail": THUMBNAIL} | facts
    image = ImageFacts(*size, exposure=Exposure(*exposure), digest=digest or name, **told)
    return Measured(Sample(name, split if defect == GOOD else "test", defect), image, mask=mask)


def make_good(count: int, **facts: object) -> list[Measured]:
    """Good images whose exposure varies a little."""
    return [
        make(f"good/{n:03}.png", exposure=(120 + n % 5, 30 + n % 3, 0.3 + n % 4 / 100), **facts) for n in range(count)
    ]
