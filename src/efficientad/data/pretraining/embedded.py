"""Images that need no download: crops of the photographs in two installed packages, and procedural ones."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images.reading import read_image
from efficientad.data.pretraining.base import PretrainingSource
from efficientad.data.pretraining.crops import crop_at_random
from efficientad.data.pretraining.procedural import draw_procedural
from efficientad.errors import DataError

PHOTOGRAPHS = {
    "skimage": (
        "data",
        "astronaut.png brick.png camera.png chelsea.png coffee.png coins.png grass.png gravel.png "
        "hubble_deep_field.jpg ihc.png moon.png motorcycle_left.png retina.jpg rocket.jpg",
    ),
    "sklearn": ("datasets/images", "china.jpg flower.jpg"),
}
"""Files inside the wheels of scikit-image (0.24 or later) and scikit-learn; read as files, so that neither
package can start a download. Their licences stand in the README.txt beside them."""


class EmbeddedSource(PretrainingSource):
    """`count` images of 512 x 512: even numbers are crops of photographs, odd ones procedural.

    Image `index` depends on (seed, index) alone, not on `count`.
    """

    def __init__(self, count: int, seed: int) -> None:
        """Raise DataError when `count` is not positive or the packages hold no photograph."""
        if count <= 0:
            raise DataError(f"expected a positive count of pretraining images, got {count}; correct it")
        self.photographs = find_photographs()
        self.count, self.seed = count, seed

    def __len__(self) -> int:
        """Return the count."""
        return self.count

    def load(self, index: int) -> NDArray[np.uint8]:
        """Return image `index`, (512, 512, 3)."""
        rng = np.random.default_rng([self.seed, index])
        if index % 2:
            return np.round(255 * draw_procedural(rng)).astype(np.uint8)
        return crop_at_random(_read(self._find_photograph(index)), rng)

    def name(self, index: int) -> str:
        """Return the number with the photograph's name, such as `000002-brick` or `000003-procedural`."""
        return f"{index:06d}-{'procedural' if index % 2 else self._find_photograph(index).stem}"

    def photograph(self, index: int) -> str:
        """Return the photograph's name; a procedural image is its own."""
        return self.name(index) if index % 2 else self._find_photograph(index).stem

    def _find_photograph(self, index: int) -> Path:
        return self.photographs[index // 2 % len(self.photographs)]


def find_photographs() -> list[Path]:
    """Return the photographs that the installed packages hold, in a fixed order.

    Raises DataError when a package or one of its photographs is missing.
    """
    paths = []
    for package, (folder, names) in PHOTOGRAPHS.items():
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise DataError(f"expected the package {package}, it is not installed; run: pip install '.[train]'")
        paths += [Path(spec.origin).parent / folder / name for name in names.split()]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise DataError(
            f"expected the photograph {missing[0]}, found none; install scikit-image and scikit-learn from "
            "their wheels, or use a folder of photographs"
        )
    return paths


@cache
def _read(path: Path) -> NDArray[np.uint8]:
    """Read a photograph once for all crops; all of them together take about 30 MB."""
    image = read_image(path)
    image.flags.writeable = False
    return image
