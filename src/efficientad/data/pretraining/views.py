"""Several views of each photograph: it costs little to make more of few."""

import numpy as np
from numpy.typing import NDArray

from efficientad.data.images import resize_image
from efficientad.data.pretraining.base import PretrainingSource
from efficientad.data.pretraining.procedural import SIZE

SMALLEST_CROP_PX = 96


class Views(PretrainingSource):
    """`count` views of each picture of `source`: first all of them whole, then random squares of all of them.

    A view depends on (seed, view, index) alone.
    """

    def __init__(self, source: PretrainingSource, count: int, seed: int) -> None:
        self.source, self.count, self.seed = source, count, seed

    def __len__(self) -> int:
        """Return the number of views."""
        return self.count * len(self.source)

    def load(self, index: int) -> NDArray[np.uint8]:
        """Return the picture at its native size, or a square of it, (512, 512, 3)."""
        view, picture = divmod(index, len(self.source))
        image = self.source.load(picture)
        return crop_at_random(image, np.random.default_rng([self.seed, view, picture])) if view else image

    def name(self, index: int) -> str:
        """Return the picture's name, with the view's number from the second on."""
        view, picture = divmod(index, len(self.source))
        return f"{self.source.name(picture)}#{view}" if view else self.source.name(picture)

    def photograph(self, index: int) -> str:
        """Return the picture's photograph."""
        return self.source.photograph(index % len(self.source))


def crop_at_random(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a square of random size and place, flip it at random, and bring it to 512 x 512."""
    height, width = image.shape[:2]
    largest = min(height, width)
    side = round(float(np.exp(rng.uniform(np.log(min(SMALLEST_CROP_PX, largest)), np.log(largest)))))
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    square = image[top : top + side, left : left + side]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    if rng.random() < 0.25:
        square = square[::-1]
    return resize_image(np.ascontiguousarray(square), (SIZE, SIZE))
