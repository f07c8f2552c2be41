"""More images from few photographs: random square crops beside the whole ones."""

import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.walk import Finding
from efficientad.data.images.resizing import resize_image
from efficientad.data.pretraining.base import PretrainingSource
from efficientad.data.pretraining.procedural import SIZE

SMALLEST_CROP_PX = 96


class Crops(PretrainingSource):
    """`count` images from each of `source`: first all of them whole, then random square crops of all of them.

    A crop depends on (seed, turn, index) alone; turn 0 is the whole image.
    """

    def __init__(self, source: PretrainingSource, count: int, seed: int) -> None:
        self.source, self.count, self.seed = source, count, seed

    def __len__(self) -> int:
        """Return the number of images, whole ones and crops."""
        return self.count * len(self.source)

    def load(self, index: int) -> NDArray[np.uint8]:
        """Return the image at its native size, or a square of it, (512, 512, 3)."""
        turn, source_index = divmod(index, len(self.source))
        image = self.source.load(source_index)
        return crop_at_random(image, np.random.default_rng([self.seed, turn, source_index])) if turn else image

    def name(self, index: int) -> str:
        """Return the image's name, with the number of its crop."""
        turn, source_index = divmod(index, len(self.source))
        name = self.source.name(source_index)
        return f"{name}#{turn}" if turn else name

    def photograph(self, index: int) -> str:
        """Return the image's photograph."""
        return self.source.photograph(index % len(self.source))

    def list_left_out(self) -> list[Finding]:
        """Return those of the source."""
        return self.source.list_left_out()


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
