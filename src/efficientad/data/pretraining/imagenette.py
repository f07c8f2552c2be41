"""Imagenette: 9,469 training photographs of ten ImageNet classes, https://github.com/fastai/imagenette.

The archive is Apache-2.0; the photographs are ImageNet's, for research use.
"""

from pathlib import Path

from efficientad.data.pretraining.folder import FolderSource
from efficientad.errors import DataError


def open_imagenette(root: Path, count: int | None, seed: int) -> FolderSource:
    """Return Imagenette's training photographs as a source; DataError when they are not below `root`."""
    folder = root / "imagenette2" / "train"
    if not folder.is_dir():
        raise DataError(
            f"expected Imagenette below {root}, found no {folder}; fetch it first: "
            f"efficientad download imagenette --output {root}"
        )
    return FolderSource(folder, count, seed)
