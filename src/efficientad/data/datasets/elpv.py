"""Solar cells in electroluminescence: 2,624 grey images, 300 x 300, with a label and no mask.

Buerhop-Lutz et al., "A benchmark for visual identification of defective solar cells in
electroluminescence imagery", EU PVSEC 2018; https://github.com/zae-bayern/elpv-dataset
(CC BY-NC-SA 4.0: no commercial use). The images come in the PyPI package `elpv-dataset`.
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.arrays.samples import GOOD, Sample
from efficientad.data.datasets.base import DatasetProvider
from efficientad.data.images.reading import read_image
from efficientad.errors import DataError


class ElpvProvider(DatasetProvider):
    """Cells of defect probability 0 are normal, of `minimum_probability` or more anomalous.

    Those in between are left out. The split of the normal cells is open, all others test. The published
    probabilities are 0, 1/3, 2/3 and 1; a defect class is named by two decimals ("probability_0.67").
    """

    def __init__(self, minimum_probability: float) -> None:
        """Raise DataError for a probability out of range, and when the package is not installed."""
        if not 0 < minimum_probability <= 1:
            raise DataError(f"expected 0 < minimum_probability <= 1, got {minimum_probability}; correct it")
        self.folder, self.minimum_probability = _find_package(), minimum_probability

    def list_samples(self) -> list[Sample]:
        """Return the samples in the order of the package's list."""
        rows = [line.split() for line in (self.folder / "labels.csv").read_text("utf-8").splitlines()]
        cells = {row[0]: float(row[1]) for row in rows if row}
        samples = []
        for name, probability in cells.items():
            if probability == 0:
                samples.append(Sample(name, None, GOOD))
            elif probability >= self.minimum_probability - 1e-6:
                samples.append(Sample(name, "test", f"probability_{probability:.2f}"))
        return samples

    def load_image(self, sample: Sample) -> NDArray[np.uint8]:
        """Read the image."""
        return read_image(self.image_path(sample), self.limits)

    def load_mask(self, sample: Sample) -> None:
        """Return None: the cells have image labels only."""
        return

    def image_path(self, sample: Sample) -> Path:
        """Return the sample's file."""
        return self.folder / sample.name


def _find_package() -> Path:
    """Return the package's data folder without importing its loader, which reads all images."""
    spec = find_spec("elpv_dataset")
    if spec is None or spec.origin is None:
        raise DataError("expected the package elpv_dataset, it is not installed; run: pip install elpv-dataset")
    return Path(spec.origin).parent / "data"
