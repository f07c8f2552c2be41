"""Any folder of photographs: ImageNet's training set, Imagenette, one's own."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from efficientad.data.files.limits import LIMITS, Limits
from efficientad.data.files.listing import list_images
from efficientad.data.files.names import check_encoding
from efficientad.data.files.walk import Finding, explain_left_out, list_tree
from efficientad.data.images.reading import read_image
from efficientad.data.pretraining.base import PretrainingSource
from efficientad.errors import DataError

_LIMITS = Limits(LIMITS.megapixels, LIMITS.megabytes, "make the photograph smaller")


class FolderSource(PretrainingSource):
    """All images below `path`, or a seeded choice of `count` of them, in the order of their paths."""

    def __init__(self, path: Path, count: int | None, seed: int) -> None:
        """Raise DataError when the folder is missing, or holds none or fewer than `count` images."""
        files = list_images(path)
        wanted = len(files) if count is None else count
        if not 0 < wanted <= len(files):
            raise DataError(
                f"expected {max(wanted, 1)} photographs or more below {path}, found {len(files)}; "
                "lower the count or add images"
            )
        chosen = np.sort(np.random.default_rng(seed).permutation(len(files))[:wanted])
        self.path, self.images = path, files
        self.files = [files[index] for index in chosen]

    def __len__(self) -> int:
        """Return the number of chosen images."""
        return len(self.files)

    def load(self, index: int) -> NDArray[np.uint8]:
        """Read the image; DataError naming it when it cannot be read, or its name is not UTF-8, as the manifest is."""
        check_encoding(self.name(index))
        return read_image(self.files[index], _LIMITS)

    def name(self, index: int) -> str:
        """Return the path below the folder, posix style."""
        return self._name(self.files[index])

    def list_left_out(self) -> list[Finding]:
        """Return the files that are no images, and links to folders, which are not followed."""
        return explain_left_out(list_tree(self.path, followed=0), {self._name(path) for path in self.images})

    def _name(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()
