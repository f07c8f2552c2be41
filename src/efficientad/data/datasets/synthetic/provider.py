"""Products made on the fly: no file, no download, the same bytes on every machine."""

from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample, Split
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.datasets.synthetic.defects import DEFECTS
from efficientad.data.datasets.synthetic.render import (
    PRODUCTS,
    check_product,
    generate_anomalous_image,
    generate_normal_image,
)
from efficientad.data.drawing.shapes import SIZE
from efficientad.errors import DataError

_SPLITS: tuple[Split, ...] = ("train", "test")


class SyntheticProvider(DatasetProvider):
    """`train` and `test_good` good images and `test_per_defect` of each of three defects.

    Each image has its own generator, seeded by (seed, product, split, class, number), so that its bytes
    do not depend on how many others there are.
    """

    def __init__(self, product: str, train: int, test_good: int, test_per_defect: int, seed: int) -> None:
        """Raise DataError for an unknown product or a negative count."""
        self.product = check_product(product)
        if min(train, test_good, test_per_defect) < 0:
            counts = (train, test_good, test_per_defect)
            raise DataError(f"expected counts of zero or more, got {counts}; correct the params")
        self.counts = {"train": train, "test": test_good, "defect": test_per_defect}
        self.seed = seed

    def list_samples(self) -> list[Sample]:
        """Return training images first, then the good and the defective test images."""
        samples = [_sample("train", GOOD, number) for number in range(self.counts["train"])]
        samples += [_sample("test", GOOD, number) for number in range(self.counts["test"])]
        for defect in DEFECTS:
            samples += [_sample("test", defect, number) for number in range(self.counts["defect"])]
        return samples

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Draw the image, (320, 320, 3)."""
        if not sample.label:
            return generate_normal_image(self.product, self._generator(sample))
        return generate_anomalous_image(self.product, sample.defect, self._generator(sample))[0]

    def load_mask(self, sample: Sample) -> NDArray[np.bool_]:
        """Draw the image's exact mask, (320, 320)."""
        if not sample.label:
            return np.zeros((SIZE, SIZE), np.bool_)
        return generate_anomalous_image(self.product, sample.defect, self._generator(sample))[1]

    def _generator(self, sample: Sample) -> np.random.Generator:
        kind = (GOOD, *DEFECTS).index(sample.defect)
        number = int(PurePosixPath(sample.name).stem)
        return np.random.default_rng(
            [self.seed, PRODUCTS.index(self.product), _SPLITS.index(sample.split), kind, number]
        )


def _sample(split: Split, defect: str, number: int) -> Sample:
    return Sample(f"{split}/{defect}/{number:04d}.png", split, defect)
